/**
 * Header fields of a message: which are usual, which may stand there once, and which are commands to a service.
 * Sources: RFC 5322, 3.6; RFC 2045, 3; RFC 2369; RFC 2919; RFC 8058; RFC 3834; the services' own documentation.
 *
 * @module
 */

/** At most one of each (RFC 5322, 3.6): readers differ on which of two they show. */
export const ONCE: ReadonlySet<string> = new Set(
  (
    "date from sender reply-to to cc bcc message-id in-reply-to references subject mime-version " +
    "content-type content-transfer-encoding content-disposition content-id content-description"
  ).split(" "),
);

/** What mail programs write, and what no server takes as more than text. */
const USUAL: ReadonlySet<string> = new Set([
  ...ONCE,
  ...(
    "comments keywords content-language content-location content-base " +
    "list-id list-help list-unsubscribe list-unsubscribe-post list-subscribe list-post list-owner list-archive precedence " +
    "auto-submitted x-auto-response-suppress importance priority x-priority x-msmail-priority sensitivity " +
    "user-agent x-mailer x-php-originating-script organization thread-topic thread-index x-entity-ref-id " +
    "x-accept-language accept-language x-mimeole feedback-id"
  ).split(" "),
]);

/**
 * Fields by which a service is told other recipients, another sender, another text or another time than the
 * message and its envelope say, and those that only a server on the way may write. No grant lets them through.
 */
const COMMANDS =
  /^(bcc|resent-.*|x-resent-.*|apparently-to|errors-to|return-path|received|received-spf|delivered-to|x-original-to|envelope-to|authentication-results|arc-.*|dkim-signature|domainkey-signature|x-smtpapi|x-msys-api|x-mc-.*|x-mailgun-.*|x-mj-.*|x-mailjet-.*|x-pm-.*|x-sib-.*|x-mailin-.*|sendinblue.*|x-ses-.*|x-sg-.*|x-tm-.*|x-elasticemail-.*|x-smtp2go-.*|x-deliver-.*|x-envelope-.*|x-rcpt-.*|x-forward-.*|x-bcc|x-cc|x-to|control|approved|deferred-delivery|expiry-date|mail-followup-to)$/;

/** Why `name` may not stand in a message; `undefined` where it may. */
export function flawOfField(name: string, granted: readonly string[]): string | undefined {
  if (name === "bcc") return "a Bcc field would be read by everyone: name those in RCPT alone";
  if (COMMANDS.test(name)) return `${name} is a command to a server on the way, or a claim of one`;
  if (USUAL.has(name) || granted.some((one) => one.toLowerCase() === name)) return undefined;
  return `the field ${name} is none of the usual ones: a grant may name it in \`headers\``;
}
