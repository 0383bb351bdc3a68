/**
 * Access tokens: fetched by refresh token (RFC 6749, 6), kept in memory only, one fetch at a time for a credential.
 * The token endpoint's answer is read here and goes nowhere: no agent, log or fault sees it.
 *
 * @module
 */
import { request } from "undici";
import { z } from "zod";
import { Fault, type Clock } from "../base/index.ts";
import type { Secret } from "./secret.ts";
import type { Kind } from "./spec.ts";

type OAuth2 = Extract<Kind, { kind: "oauth2" }>;

const ANSWER_BYTES_MAX = 256 << 10;
const TIMEOUT_MS = 30_000;
/** A token is renewed this long before its end, since the request that carries it takes time too. */
const RENEW_MS = 60_000;
/** RFC 6749 only recommends `expires_in`; without it a token is fetched again after a while. */
const LIFE_MS_DEFAULT = 5 * 60_000;

const answerSchema = z.object({
  access_token: z.string().regex(/^[!-~]{8,16384}$/),
  token_type: z.string().optional(),
  expires_in: z.coerce
    .number()
    .positive()
    .max(366 * 86_400)
    .optional(),
  refresh_token: z
    .string()
    .regex(/^[!-~]{8,16384}$/)
    .optional(),
});

/** What a fetch needs to know of a credential, and to whom it tells a refresh token that replaces the last one. */
export interface Refreshing {
  readonly name: string;
  readonly how: OAuth2;
  readonly secret: Secret;
  /** Stores the rotated refresh token; only when that is done is the access token used. */
  rotated(refreshToken: string): Promise<void>;
}

/** The access tokens of one vault. */
export class AccessTokens {
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly token: string; readonly untilMs: number }>();
  readonly #fetching = new Map<string, Promise<string>>();
  /** Tokens that came with a credential and that its site refused. */
  readonly #refused = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * An access token that lives for a minute more at least.
   *
   * @throws {Fault} `vault.oauth2` where the token endpoint cannot be reached or refuses.
   */
  async tokenOf(of: Refreshing): Promise<string> {
    const { wallMs } = this.#clock.now();
    const known = this.#known.get(of.name);
    if (known !== undefined && wallMs < known.untilMs) return known.token;
    const { accessToken, accessExpiresMs = 0 } = of.secret;
    const isFresh = accessToken !== undefined && wallMs < accessExpiresMs - RENEW_MS;
    if (known === undefined && isFresh && this.#refused.get(of.name) !== accessToken) {
      return accessToken;
    }
    return this.#fetching.get(of.name) ?? this.#start(of);
  }

  /** Forgets what was fetched for `name`, and what is being fetched: it was rotated or revoked. */
  forget(name: string): void {
    this.#known.delete(name);
    this.#fetching.delete(name);
  }

  /** The site refused what was sent for `of`: that token is not used again. */
  refuse({ name, secret }: Pick<Refreshing, "name" | "secret">): void {
    this.#known.delete(name);
    if (secret.accessToken !== undefined) this.#refused.set(name, secret.accessToken);
  }

  async #start(of: Refreshing): Promise<string> {
    const fetching = this.#fetch(of, () => this.#fetching.get(of.name) === fetching);
    this.#fetching.set(of.name, fetching);
    try {
      return await fetching;
    } finally {
      if (this.#fetching.get(of.name) === fetching) this.#fetching.delete(of.name);
    }
  }

  /** `isWanted` says whether the credential is still the one that the fetch was for. */
  async #fetch(of: Refreshing, isWanted: () => boolean): Promise<string> {
    const answer = await askFor(of);
    if (answer.refresh_token !== undefined && answer.refresh_token !== of.secret.value) {
      await of.rotated(answer.refresh_token);
    }
    const lifeMs = (answer.expires_in ?? 0) * 1000 || LIFE_MS_DEFAULT;
    const untilMs = this.#clock.now().wallMs + Math.max(lifeMs - RENEW_MS, lifeMs / 2);
    if (isWanted()) this.#known.set(of.name, { token: answer.access_token, untilMs });
    return answer.access_token;
  }
}

async function askFor({ name, how, secret }: Refreshing): Promise<z.infer<typeof answerSchema>> {
  const parameters: Record<string, string> = {
    grant_type: "refresh_token",
    refresh_token: secret.value,
    ...(how.clientId === undefined ? {} : { client_id: how.clientId }),
    ...(secret.clientSecret === undefined ? {} : { client_secret: secret.clientSecret }),
    ...(how.scope === undefined ? {} : { scope: how.scope }),
  };
  const isJson = how.format === "json";
  let text: string;
  let status: number;
  try {
    const response = await request(how.tokenUrl, {
      method: "POST",
      headers: {
        "content-type": isJson ? "application/json" : "application/x-www-form-urlencoded",
        accept: "application/json",
      },
      body: isJson ? JSON.stringify(parameters) : new URLSearchParams(parameters).toString(),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.statusCode;
    text = await readAll(response.body);
  } catch (cause) {
    // The cause is left out: a client's error may quote what it sent.
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "no answer";
    throw refused(name, how, `it cannot be reached (${code})`);
  }
  if (status !== 200) throw refused(name, how, `it answered ${status}${errorCode(text)}`);
  const parsed = answerSchema.safeParse(parseJson(text));
  if (!parsed.success) throw refused(name, how, "its answer holds no access token");
  return parsed.data;
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) return ""; // No token answer is that long.
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** RFC 6749, 5.2: a word such as `invalid_grant`; anything else might be an echo, and is not shown. */
function errorCode(text: string): string {
  const answer = parseJson(text);
  const code =
    typeof answer === "object" && answer !== null && "error" in answer ? answer.error : "";
  return typeof code === "string" && /^[a-z_]{1,40}$/.test(code) ? `, ${code}` : "";
}

function refused(name: string, { tokenUrl }: OAuth2, why: string): Fault {
  return new Fault(
    "vault.oauth2",
    `no access token for ${name} from ${new URL(tokenUrl).host}: ${why}`,
    {
      hint: "log in anew where the refresh token came from, then `cofferdam credential rotate`",
    },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // Refused by the caller.
  }
}
