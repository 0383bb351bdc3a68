/**
 * What kinds of credential n8n keeps, by the names of their types (packages/nodes-base/credentials), and what each is good
 * for to whoever may have a workflow of their own use it: the verbs of rules/n8n.rules.
 *
 * @module
 */

export const CREDENTIAL_KINDS = [
  ...["mail", "mailbox", "chat", "database", "machine", "payment", "model", "forge", "site"],
  "unknown",
] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

const TYPES: readonly (readonly [CredentialKind, RegExp])[] = [
  [
    "mail",
    /^(?:smtp|sendGridApi|mailgunApi|mailjetEmailApi|mandrillApi|brevoApi|mailchimp\w*|mailerLiteApi|postmark\w*|resend\w*)$/,
  ],
  ["mailbox", /^(?:imap|gmailOAuth2|microsoftOutlookOAuth2Api)$/],
  [
    "chat",
    /^(?:slack|telegram|discord|mattermost|matrix|microsoftTeams|rocketchat|twilio|whatsApp|zulip|mailjetSms)\w*$/,
  ],
  [
    "database",
    /^(?:postgres|mySql|mongoDb|microsoftSql|oracleDBApi|redis|crateDb|questDb|timescaleDb|snowflake\w*|supabaseApi|elasticsearchApi)$/,
  ],
  ["machine", /^(?:sshPassword|sshPrivateKey|ftp|sftp)$/],
  ["payment", /^(?:stripeApi|payPalApi)$/],
  ["model", /^(?:openAi\w*|anthropicApi|googlePalmApi|mistralCloudApi|groqApi|ollamaApi)$/],
  ["forge", /^(?:github|gitlab)\w*$|^gitPassword$/],
  ["site", /^(?:wordpress\w*|wooCommerceApi)$/],
];

/** What kind of credential `type` is; any that is not known may be for anything. */
export function credentialKindOf(type: string): CredentialKind {
  return TYPES.find(([, pattern]) => pattern.test(type))?.[0] ?? "unknown";
}
