/**
 * Logins of agents: the files in which their command lines keep tokens, read into a credential, and written for a run
 * with placeholders, so that the agent finds itself logged in and holds nothing.
 *
 * Formats, as read in:
 * - Claude Code, `~/.claude/.credentials.json`: `claudeAiOauth` with accessToken, refreshToken, expiresAt (ms), and
 *   more; its client is not open source, so this and its token endpoint are as other clients of it have them.
 * - Codex, `~/.codex/auth.json`: openai/codex, codex-rs/login/src/auth/storage.rs, token_data.rs and manager.rs.
 * - Gemini CLI, `~/.gemini/oauth_creds.json`: google-gemini/gemini-cli, packages/core/src/code_assist/oauth2.ts.
 *
 * @module
 */
import { z } from "zod";
import { Fault } from "../base/index.ts";
import type { Secret } from "./secret.ts";
import type { CredentialSpec, Kind } from "./spec.ts";

/** Agents whose login can be imported, and the path of its file below HOME. */
export const LOGIN_FILES = {
  claude: ".claude/.credentials.json",
  codex: ".codex/auth.json",
  gemini: ".gemini/oauth_creds.json",
} as const;
export type LoginAgent = keyof typeof LOGIN_FILES;

/** A file for a run's HOME; mode 0600. */
export interface LoginFile {
  /** Below HOME. */
  readonly path: string;
  readonly content: string;
}

/** A login, read. */
export interface Login {
  readonly spec: CredentialSpec;
  readonly secret: Secret;
}

/** What stands for the tokens in the file of a run. */
export interface LoginPlaceholders {
  readonly access: string;
  readonly refresh: string;
  /** A placeholder for any other secret of the file. */
  made(part: string, secret: string): string;
}

const token = z.string().min(8);
const rest = z.record(z.string(), z.json());

const claudeSchema = z.object({
  claudeAiOauth: z.looseObject({
    accessToken: token,
    refreshToken: token,
    expiresAt: z.number().optional(),
  }),
});
const codexSchema = z.looseObject({
  OPENAI_API_KEY: z.string().nullish(),
  tokens: z.looseObject({ id_token: token, access_token: token, refresh_token: token }).nullish(),
});
const geminiSchema = z.looseObject({
  access_token: token,
  refresh_token: token,
  expiry_date: z.number().optional(),
});

/** An end of life far away: the agent need not refresh, the daemon does. In milliseconds. */
const LIFE_MS = 365 * 86_400_000;

/**
 * Reads the text of an agent's login file.
 *
 * @throws {Fault} `vault.login` where it is not of the form known here. Nothing of the text is in the fault.
 */
export function readLogin(agent: LoginAgent, text: string, clientSecret?: string): Login {
  const file = parseJson(text);
  const login = { agent, file: keptOf(agent, file) };
  if (agent === "claude") return readClaude(file, login);
  return agent === "codex" ? readCodex(file, login) : readGemini(file, login, clientSecret);
}

function readClaude(file: unknown, login: NonNullable<Secret["login"]>): Login {
  const parsed = claudeSchema.safeParse(file);
  if (!parsed.success) throw notALogin("claude");
  const { accessToken, refreshToken, expiresAt } = parsed.data.claudeAiOauth;
  return {
    // The client id is public: every copy of the program has it.
    spec: specFor("claude", ["api.anthropic.com"], {
      kind: "oauth2",
      tokenUrl: "https://platform.claude.com/v1/oauth/token",
      clientId: "9d1c250a-e61b-44d9-88ed-5944d1962f5e",
      format: "json",
    }),
    secret: { value: refreshToken, accessToken, ...expiry(expiresAt), login },
  };
}

function readCodex(file: unknown, login: NonNullable<Secret["login"]>): Login {
  const parsed = codexSchema.safeParse(file);
  if (!parsed.success) throw notALogin("codex");
  const { tokens, OPENAI_API_KEY: key } = parsed.data;
  if (tokens) {
    const { access_token: accessToken, refresh_token: value } = tokens;
    return {
      spec: specFor("codex", ["chatgpt.com"], {
        kind: "oauth2",
        tokenUrl: "https://auth.openai.com/oauth/token",
        clientId: "app_EMoamEEZ73f0CkXaXp7hrann",
        format: "json",
      }),
      secret: { value, accessToken, ...expiry(jwtExpiryMs(accessToken)), login },
    };
  }
  if (!key) throw notALogin("codex");
  return {
    spec: specFor("codex", ["api.openai.com"], { kind: "bearer" }),
    secret: { value: key, login },
  };
}

function readGemini(
  file: unknown,
  login: NonNullable<Secret["login"]>,
  clientSecret?: string,
): Login {
  const parsed = geminiSchema.safeParse(file);
  if (!parsed.success) throw notALogin("gemini");
  const { access_token: accessToken, refresh_token: value, expiry_date: at } = parsed.data;
  return {
    // oauth2.googleapis.com: the program has its token looked at there when it starts.
    spec: specFor(
      "gemini",
      ["cloudcode-pa.googleapis.com", "oauth2.googleapis.com", "www.googleapis.com"],
      {
        kind: "oauth2",
        tokenUrl: "https://oauth2.googleapis.com/token",
        clientId: "681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com",
      },
    ),
    secret: {
      value,
      accessToken,
      ...expiry(at),
      ...(clientSecret === undefined ? {} : { clientSecret }),
      login,
    },
  };
}

/** The login file of a run: what the program reads, with placeholders, and an expiry that gives it no reason to refresh. */
export function loginFile(
  login: NonNullable<Secret["login"]>,
  { access, refresh, made }: LoginPlaceholders,
  wallMs: number,
): LoginFile {
  const agent = login.agent as LoginAgent;
  const file = rest.parse(JSON.parse(login.file));
  const until = wallMs + LIFE_MS;
  const write = (content: unknown): LoginFile => ({
    path: LOGIN_FILES[agent],
    content: `${JSON.stringify(content, undefined, 2)}\n`,
  });
  if (agent === "claude") {
    const own = rest.parse(file["claudeAiOauth"]);
    const oauth = { ...own, accessToken: access, refreshToken: refresh, expiresAt: until };
    return write({ claudeAiOauth: oauth });
  }
  const withId = (own: Record<string, unknown>) =>
    typeof own["id_token"] === "string" ? { id_token: made("id", own["id_token"]) } : {};
  if (agent === "gemini") {
    const tokens = { access_token: access, refresh_token: refresh, expiry_date: until };
    return write({ ...file, ...withId(file), ...tokens });
  }
  const own = file["tokens"];
  if (own === undefined || own === null) return write({ ...file, OPENAI_API_KEY: access });
  const tokens = rest.parse(own);
  return write({
    ...file,
    OPENAI_API_KEY: null,
    tokens: { ...tokens, ...withId(tokens), access_token: access, refresh_token: refresh },
    last_refresh: new Date(wallMs).toISOString(),
  });
}

/**
 * What a run's file is made from: members that are known to be no secret, and the id token for its claims. Whatever
 * else a newer version may keep there stays outside.
 */
const KEPT: Readonly<Record<LoginAgent, ReadonlySet<string>>> = {
  claude: new Set(["claudeAiOauth", "scopes", "subscriptionType", "rateLimitTier"]),
  codex: new Set(["auth_mode", "tokens", "account_id", "id_token"]),
  gemini: new Set(["scope", "token_type", "id_token"]),
};

function keptOf(agent: LoginAgent, file: unknown): string {
  const isKept = (name: string) => name === "" || /^\d+$/.test(name) || KEPT[agent].has(name);
  const text = JSON.stringify(file ?? {}, (name, value: unknown) =>
    isKept(name) ? value : undefined,
  );
  return text ?? "{}";
}

function specFor(name: LoginAgent, hosts: string[], how: Kind): CredentialSpec {
  return { name, binding: { scheme: "https", hosts, port: 443 }, how };
}

function expiry(atMs: number | undefined): { accessExpiresMs?: number } {
  return atMs === undefined || atMs < 0 ? {} : { accessExpiresMs: Math.floor(atMs) };
}

function jwtExpiryMs(jwt: string): number | undefined {
  const claims = parseJson(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString("utf8"));
  const hasEnd = typeof claims === "object" && claims !== null && "exp" in claims;
  return hasEnd && typeof claims.exp === "number" ? claims.exp * 1000 : undefined;
}

function notALogin(agent: LoginAgent): Fault {
  return new Fault("vault.login", `~/${LOGIN_FILES[agent]} is not a login as it is known here`, {
    hint: "log in there first, or add the credential by hand: `cofferdam credential add`",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // The schema then refuses it.
  }
}
