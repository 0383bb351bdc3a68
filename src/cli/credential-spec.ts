/**
 * A credential's form from the options of `cofferdam credential add`.
 *
 * @module
 */
import type { ParseArgsOptionsConfig } from "node:util";
import type { Takes } from "../api/index.ts";
import { Fault } from "../base/index.ts";
import { listOption, textOption, type Values } from "./command.ts";

type Spec = Takes<"credential.add">["spec"];

const text = { type: "string" } as const;

export const SPEC_OPTIONS = {
  kind: text,
  host: { type: "string", multiple: true },
  port: text,
  scheme: text,
  user: text,
  field: text,
  word: text,
  "token-url": text,
  "client-id": text,
  format: text,
  scope: text,
  "access-key-id": text,
  region: text,
  service: text,
  template: text,
  signed: text,
  algorithm: text,
  issuer: text,
  encoding: text,
  "timestamp-field": text,
  principals: text,
  minutes: text,
  "force-command": text,
  "source-address": text,
} as const satisfies ParseArgsOptionsConfig;

export const SPEC_HELP = {
  kind: "bearer, basic, header, query, path, oauth2, jwt, sigv4, hmac; login, ssh-key, ssh-ca",
  host: "where it may go: a name or *.NAME; may be repeated",
  port: "port (443, or the usual one of the scheme)",
  scheme: "https, or http for a system without TLS; ssh, postgres, mysql, redis, smtp, mcp",
  user: "basic, login, ssh-key, ssh-ca: the user name",
  field: "header, hmac: the header's name; query: the parameter's",
  word: "bearer, header: the word before the secret (bearer: Bearer)",
  "token-url": "oauth2: where access tokens come from",
  "client-id": "oauth2: the client's id",
  format: "oauth2: form or json",
  scope: "oauth2: the scope to ask for",
  "access-key-id": "sigv4: the id that goes with the secret access key",
  region: "sigv4: the only region it signs for",
  service: "sigv4: the only service it signs for",
  template: "hmac: the header's value, as t={timestamp},v1={signature}",
  signed: "hmac: what is signed, as {timestamp}.{body}",
  algorithm: "hmac: sha256 (default), sha512 or sha1; jwt: RS256 (default) or ES256",
  issuer: "jwt: who signs: the id of a GitHub App",
  encoding: "hmac: hex (default) or base64",
  "timestamp-field": "hmac: a header of its own for the time",
  principals: "ssh-ca: whom certificates are for, with commas between (the user)",
  minutes: "ssh-ca: how long a certificate is good to log in with (5)",
  "force-command": "ssh-ca: what runs at the server, whatever is asked for",
  "source-address": "ssh-ca: addresses that may log in, with commas between",
} as const;

/** Which options each kind takes, and the member that each becomes. */
const MEMBERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  bearer: { word: "word" },
  basic: { user: "user" },
  header: { field: "name", word: "word" },
  query: { field: "name" },
  path: {},
  login: { user: "user" },
  "ssh-key": { user: "user" },
  "ssh-ca": {
    user: "user",
    principals: "principals",
    minutes: "minutes",
    "force-command": "forceCommand",
    "source-address": "sourceAddress",
  },
  oauth2: { "token-url": "tokenUrl", "client-id": "clientId", format: "format", scope: "scope" },
  jwt: { issuer: "issuer", algorithm: "algorithm" },
  sigv4: { "access-key-id": "accessKeyId", region: "region", service: "service" },
  hmac: {
    field: "name",
    template: "value",
    signed: "signed",
    algorithm: "algorithm",
    encoding: "encoding",
    "timestamp-field": "timestampName",
  },
};
/** Usual ports, by scheme (IANA's registry). */
const PORTS: Readonly<Record<string, number>> = {
  http: 80,
  ssh: 22,
  postgres: 5432,
  mysql: 3306,
  redis: 6379,
  smtp: 587,
};
const EVERY_KIND = new Set(["kind", "host", "port", "scheme"]);

/** @throws {Fault} `cli.usage` where an option is missing for the kind, or belongs to another. */
export function specOf(name: string, values: Values): Spec {
  const kind = textOption(values, "kind") ?? "bearer";
  const members = MEMBERS[kind];
  if (members === undefined || !Object.hasOwn(MEMBERS, kind)) {
    throw new Fault("cli.usage", "there is no such kind", { hint: SPEC_HELP.kind });
  }
  const foreign = Object.keys(SPEC_OPTIONS).find(
    (option) => values[option] !== undefined && !EVERY_KIND.has(option) && !(option in members),
  );
  if (foreign !== undefined) throw new Fault("cli.usage", `--${foreign} is nothing for ${kind}`);
  const hosts = [...listOption(values, "host")];
  if (hosts.length === 0) {
    throw new Fault("cli.usage", "a credential needs --host, the only place that it may go to", {
      hint: "for example --host api.example.com",
    });
  }
  const scheme = textOption(values, "scheme") ?? "https";
  const port = Number(textOption(values, "port") ?? PORTS[scheme] ?? 443);
  const how: Record<string, string> = { kind };
  if (kind === "jwt") how["algorithm"] = "RS256";
  if (kind === "hmac") Object.assign(how, { algorithm: "sha256", encoding: "hex" });
  for (const [option, member] of Object.entries(members)) {
    const value = textOption(values, option);
    if (value !== undefined) how[member] = value;
  }
  return { name, binding: { scheme, hosts, port }, how };
}
