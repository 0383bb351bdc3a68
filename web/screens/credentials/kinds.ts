/**
 * The kinds of credentials, in the words of a person: what each asks for beside its secret. The server parses what is sent,
 * and its refusals name the member.
 *
 * @module
 */

export interface KindMember {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly isNeeded?: boolean;
  readonly preset?: string;
}

export interface Kind {
  readonly kind: string;
  readonly label: string;
  /** What its secret is called. */
  readonly secret: string;
  /** It has lines: a key in PEM. */
  readonly isKey?: boolean;
  readonly scheme: string;
  readonly members: readonly KindMember[];
}

const user: KindMember = { name: "user", label: "User", isNeeded: true };

export const KINDS: readonly Kind[] = [
  {
    ...{ kind: "bearer", label: "Bearer token", secret: "Token", scheme: "https" },
    members: [{ name: "word", label: "Word before it", hint: "Bearer, where nothing is said" }],
  },
  {
    ...{ kind: "basic", label: "User and password (HTTP)", secret: "Password", scheme: "https" },
    members: [user],
  },
  {
    ...{ kind: "header", label: "Header of its own", secret: "Value", scheme: "https" },
    members: [
      { name: "name", label: "Header", hint: "X-Api-Key", isNeeded: true },
      { name: "word", label: "Word before it" },
    ],
  },
  {
    ...{ kind: "query", label: "Parameter of the address", secret: "Value", scheme: "https" },
    members: [{ name: "name", label: "Parameter", isNeeded: true }],
  },
  {
    ...{ kind: "path", label: "Part of the path", secret: "Value", scheme: "https" },
    members: [],
  },
  {
    ...{ kind: "oauth2", label: "OAuth 2 refresh token", secret: "Refresh token", scheme: "https" },
    members: [
      { name: "tokenUrl", label: "Token URL", hint: "https://…/token", isNeeded: true },
      { name: "clientId", label: "Client id" },
      { name: "scope", label: "Scope" },
    ],
  },
  {
    ...{ kind: "sigv4", label: "AWS access key", secret: "Secret access key", scheme: "https" },
    members: [
      { name: "accessKeyId", label: "Access key id", isNeeded: true },
      { name: "region", label: "Region", isNeeded: true },
      { name: "service", label: "Service", isNeeded: true },
    ],
  },
  {
    ...{ kind: "jwt", label: "GitHub App (JWT)", secret: "Private key in PEM", isKey: true },
    scheme: "https",
    members: [
      { name: "issuer", label: "App id", isNeeded: true },
      { name: "algorithm", label: "Algorithm", preset: "RS256", isNeeded: true },
    ],
  },
  {
    ...{ kind: "hmac", label: "Signature of the request", secret: "Key", scheme: "https" },
    members: [
      { name: "name", label: "Header", isNeeded: true },
      { name: "value", label: "Its value", hint: "t={timestamp},v1={signature}", isNeeded: true },
      { name: "signed", label: "What is signed", hint: "{timestamp}.{body}", isNeeded: true },
      { name: "algorithm", label: "Algorithm", preset: "sha256", isNeeded: true },
      { name: "encoding", label: "Encoding", preset: "hex", isNeeded: true },
    ],
  },
  {
    ...{ kind: "login", label: "Login of a database or mail", secret: "Password" },
    scheme: "postgres",
    members: [user],
  },
  {
    ...{ kind: "ssh-key", label: "SSH key", secret: "Private key", isKey: true, scheme: "ssh" },
    members: [user],
  },
  {
    ...{ kind: "ssh-ca", label: "SSH authority", secret: "Private key of the authority" },
    ...{ isKey: true, scheme: "ssh" },
    members: [
      user,
      { name: "principals", label: "Principals", hint: "with commas between; the user" },
      { name: "minutes", label: "Minutes to log in", hint: "5" },
      { name: "forceCommand", label: "Forced command" },
    ],
  },
];

export const SCHEMES: Readonly<Record<string, number>> = {
  ...{
    https: 443,
    http: 80,
    ssh: 22,
    postgres: 5432,
    mysql: 3306,
    redis: 6379,
    smtp: 587,
    mcp: 443,
  },
};
