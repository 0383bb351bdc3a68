/**
 * Links: where one really leads, and what about it should make a person look twice.
 *
 * @module
 */
import { domainToASCII } from "node:url";

const TEXT_CHARS_MAX = 300; // Of a link's text, in which an address is looked for.

/** `target` as it is, with its host as computers read it where that is not how it looks. */
export function shownTarget(target: string): string {
  const host = oddHost(target);
  return host === undefined ? target : `${target} (its host is ${host})`;
}

/** Why a person should look twice at a link whose text is `text`. */
export function doubtsOfLink(target: string, text: string): readonly string[] {
  const doubts = doubtsOfAddress(target);
  const url = urlOf(target);
  const start = text.slice(0, TEXT_CHARS_MAX);
  if (url?.protocol === "mailto:") {
    const said = /[^\s<>]+@[^\s<>]+\.[^\s<>]+/.exec(start)?.[0];
    const real = decoded(url.pathname).toLowerCase();
    if (said !== undefined && said.toLowerCase() !== real)
      return [...doubts, `a link that reads ${said} mails ${real}`];
    return doubts;
  }
  const said = hostIn(start);
  const real = url === undefined ? undefined : bare(url.hostname);
  if (said === undefined || real === undefined || said === real) return doubts;
  return [...doubts, `a link that reads ${start} leads to ${real || target}`];
}

/** The same of each address that stands in plain text. */
export function doubtsOfText(text: string): readonly string[] {
  const found = text.match(/\bhttps?:\/\/[^\s<>"']+/gi) ?? [];
  return [...new Set(found.flatMap(doubtsOfAddress))];
}

function doubtsOfAddress(target: string): readonly string[] {
  const url = urlOf(target);
  if (url === undefined) return [];
  const host = oddHost(target);
  return [
    ...(host === undefined ? [] : [`an address whose host looks like another: it is ${host}`]),
    ...(url.username === "" && url.password === ""
      ? []
      : [`an address with a name before its host, which is ${url.hostname}`]),
  ];
}

/** The host, where it is written otherwise than it is read: letters beyond ASCII, or numbers in disguise. */
function oddHost(target: string): string | undefined {
  const url = urlOf(target);
  if (url === undefined || url.hostname === "") return undefined;
  const isSpecial = /^(https?|ftp|wss?):$/.test(url.protocol);
  if (!isSpecial) return undefined;
  const isPlain =
    target.toLowerCase().includes(url.hostname) && !url.hostname.split(".").some(isAlabel);
  return isPlain ? undefined : url.hostname;
}

function isAlabel(label: string): boolean {
  return label.startsWith("xn--");
}

/** The host that a text names, if it names one: `www.bank.example/login`. */
function hostIn(text: string): string | undefined {
  const [, name] =
    /^[^\p{L}\p{N}]*(?:https?:\/\/)?([^\s/:?#@]+\.[^\s/:?#@.]{2,})(?=$|[\s/:?#])/iu.exec(text) ??
    [];
  if (name === undefined) return undefined;
  const host = domainToASCII(name.toLowerCase());
  return host === "" ? undefined : bare(host);
}

function bare(host: string): string {
  return host.replace(/^www\./, "").replace(/\.$/, "");
}

function urlOf(target: string): URL | undefined {
  const text = target.trim();
  const whole = text.startsWith("//") ? `https:${text}` : text;
  return URL.parse(whole) ?? undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
