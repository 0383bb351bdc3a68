/**
 * Signing in at an OpenID provider: the authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0,
 * section 3.1; RFC 9700). What has been begun is kept by the browser that began it, sealed, and is taken once: anybody may
 * begin, so that what is kept here of it would let everybody keep everybody else out.
 *
 * @module
 */
import * as oauth from "oauth4webapi";
import { z } from "zod";
import { describeError, Fault } from "../../base/index.ts";
import { Seal } from "./seal.ts";
import { memberOf, type OidcSettings, type TeamMember } from "./settings.ts";

/** How long somebody may take at the provider. */
const BEGUN_MS = 10 * 60_000;
const PROVIDER_MS = 10_000;
/** Clocks of two machines. */
const SKEW_S = 30;

const begunSchema = z.strictObject({
  state: z.string(),
  verifier: z.string(),
  nonce: z.string(),
  /** Of the page that began: its session will be that page's. */
  keyHash: z.string(),
  untilMs: z.number(),
});
type Begun = z.infer<typeof begunSchema>;

export interface OidcOptions {
  readonly settings: OidcSettings;
  readonly clientSecret: string;
  /** Where the provider sends people back to. */
  readonly redirectUri: string;
  readonly now: () => number;
}

/** Where to send the browser, and what to leave with it. */
export interface SignInBegun {
  readonly url: URL;
  readonly browser: string;
}

export class OidcSignIn {
  readonly #options: OidcOptions;
  readonly #client: oauth.Client;
  readonly #seal = new Seal();
  /** Those that signed somebody in, or are about to, until they are over anyway. */
  readonly #taken = new Map<string, number>();
  #provider: Promise<oauth.AuthorizationServer> | undefined;

  constructor(options: OidcOptions) {
    this.#options = options;
    this.#client = { client_id: options.settings.client_id, [oauth.clockTolerance]: SKEW_S };
  }

  /** @throws {Fault} `console.provider` where the provider does not answer as one. */
  async begin(keyHash: string): Promise<SignInBegun> {
    const provider = await this.#discovered();
    const endpoint = provider.authorization_endpoint;
    if (endpoint === undefined) throw this.#failed("it names no authorization endpoint");
    const state = oauth.generateRandomState();
    const nonce = oauth.generateRandomNonce();
    const verifier = oauth.generateRandomCodeVerifier();
    const untilMs = this.#options.now() + BEGUN_MS;
    const begun: Begun = { state, verifier, nonce, keyHash, untilMs };
    const browser = this.#seal.close(JSON.stringify(begun));
    const url = new URL(endpoint);
    for (const [name, value] of Object.entries({
      client_id: this.#client.client_id,
      redirect_uri: this.#options.redirectUri,
      response_type: "code",
      scope: "openid",
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    })) {
      url.searchParams.set(name, value);
    }
    return { url, browser };
  }

  /**
   * Who came back from the provider, with what was left in the browser.
   *
   * @throws {Fault} `console.sign_in` where nothing of that was begun here by this browser, or the provider's word does
   *   not hold; `console.stranger` where nobody listed is meant; `console.provider`
   */
  async complete(
    answer: URLSearchParams,
    browser: string | undefined,
  ): Promise<{ readonly who: TeamMember; readonly keyHash: string }> {
    const provider = await this.#discovered();
    const begun = this.#take(answer.get("state") ?? "", browser);
    const subject = await this.#subjectOf(provider, answer, begun).catch((cause: unknown) => {
      this.#taken.delete(begun.state); // Nobody was signed in: what anybody may send is not remembered.
      throw new Fault(
        "console.sign_in",
        `the provider's word does not hold: ${describeError(cause)}`,
        {
          cause,
          hint: "sign in again",
        },
      );
    });
    const member = memberOf(this.#options.settings, subject);
    if (member !== undefined) return { who: member, keyHash: begun.keyHash };
    const who = JSON.stringify(subject);
    throw new Fault("console.stranger", `${who} at the provider is nobody of this console`, {
      hint: "whoever runs it lists people in console.yaml",
    });
  }

  async #subjectOf(
    provider: oauth.AuthorizationServer,
    answer: URLSearchParams,
    { verifier, nonce }: Begun,
  ): Promise<string> {
    const { redirectUri, clientSecret } = this.#options;
    const state = answer.get("state") ?? "";
    const parameters = oauth.validateAuthResponse(provider, this.#client, answer, state);
    const response = await oauth.authorizationCodeGrantRequest(
      provider,
      this.#client,
      oauth.ClientSecretBasic(clientSecret),
      parameters,
      redirectUri,
      verifier,
      this.#request(),
    );
    const tokens = await oauth.processAuthorizationCodeResponse(provider, this.#client, response, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    // TLS to the provider says the same (Core, 3.1.3.7); where that ends at a proxy, its signature still holds.
    await oauth.validateApplicationLevelSignature(provider, response, this.#request());
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    if (claims === undefined) throw new Error("it gave no ID token");
    return claims.sub;
  }

  async #discovered(): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(this.#options.settings.issuer);
    this.#provider ??= oauth
      .discoveryRequest(issuer, { algorithm: "oidc", ...this.#request() })
      .then(async (response) => oauth.processDiscoveryResponse(issuer, response));
    try {
      return await this.#provider;
    } catch (cause) {
      this.#provider = undefined; // It may answer the next time.
      throw this.#failed(describeError(cause), cause);
    }
  }

  #request() {
    // Only ever the configured issuer; plain HTTP only to this machine (settings.ts refuses any other).
    const isPlain = this.#options.settings.issuer.startsWith("http:");
    return { signal: AbortSignal.timeout(PROVIDER_MS), [oauth.allowInsecureRequests]: isPlain };
  }

  #failed(why: string, cause?: unknown): Fault {
    const { issuer } = this.#options.settings;
    return new Fault(
      "console.provider",
      `${issuer} does not answer as an OpenID provider: ${why}`,
      {
        hint: "is oidc.issuer of console.yaml what its discovery document says?",
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }

  #take(state: string, browser: string | undefined): Begun {
    const text = browser === undefined ? undefined : this.#seal.open(browser);
    const begun = text === undefined ? undefined : begunSchema.parse(JSON.parse(text));
    const now = this.#options.now();
    for (const [old, untilMs] of this.#taken) if (untilMs <= now) this.#taken.delete(old);
    if (begun?.state === state && begun.untilMs > now && !this.#taken.has(state)) {
      this.#taken.set(state, begun.untilMs);
      return begun;
    }
    throw new Fault("console.sign_in", "this browser has begun no such sign-in, or long ago", {
      hint: "begin again at the console's own page",
    });
  }
}
