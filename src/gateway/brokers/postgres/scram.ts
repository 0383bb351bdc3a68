/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677), the client's part: the password never leaves, and the server proves that it
 * knows it too.
 *
 * @module
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { Fault } from "../../../base/index.ts";

export const SCRAM = "SCRAM-SHA-256";
/** A server may say how much work a login is: the default is 4096; this many take some 100 ms. */
const ITERATIONS_MAX = 200_000;
const NONCE_BYTES = 18;
/** No channel binding (`n`), no other identity. PostgreSQL takes the name from the start-up message. */
const GS2 = "n,,";

/** One login. */
export class ScramLogin {
  readonly #password: string;
  readonly #nonce: string;
  readonly #bare: string;
  #serverSignature: Buffer | undefined;

  constructor(password: string, nonce = randomBytes(NONCE_BYTES).toString("base64")) {
    this.#password = normalized(password);
    this.#nonce = nonce;
    this.#bare = `n=,r=${nonce}`;
  }

  /** client-first-message. */
  first(): string {
    return GS2 + this.#bare;
  }

  /** client-final-message for the server's first. @throws {Fault} `gateway.login` where that is none. */
  final(serverFirst: string): string {
    const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=([1-9]\d{0,8})$/.exec(
      serverFirst,
    );
    const [, nonce = "", salt = "", count = "0"] = match ?? [];
    const iterations = Number(count);
    if (match === null || !nonce.startsWith(this.#nonce) || nonce === this.#nonce) {
      throw failed("the server's challenge is none");
    }
    if (iterations > ITERATIONS_MAX) throw failed(`the server asks for ${iterations} iterations`);
    const salted = pbkdf2Sync(
      this.#password,
      Buffer.from(salt, "base64"),
      iterations,
      32,
      "sha256",
    );
    const clientKey = hmac(salted, "Client Key");
    const storedKey = createHash("sha256").update(clientKey).digest();
    const withoutProof = `c=${Buffer.from(GS2).toString("base64")},r=${nonce}`;
    const authMessage = `${this.#bare},${serverFirst},${withoutProof}`;
    const signature = hmac(storedKey, authMessage);
    const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0)));
    this.#serverSignature = hmac(hmac(salted, "Server Key"), authMessage);
    return `${withoutProof},p=${proof.toString("base64")}`;
  }

  /** Checks server-final-message. @throws {Fault} `gateway.login` where the server does not know the password. */
  verify(serverFinal: string): void {
    const given = Buffer.from(/^v=([A-Za-z0-9+/=]+)/.exec(serverFinal)?.[1] ?? "", "base64");
    const wanted = this.#serverSignature;
    if (wanted === undefined || given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      throw failed("the server does not prove that it knows the password");
    }
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/**
 * As much of SASLprep (RFC 4013) as passwords in use have. PostgreSQL takes a password as it is where it holds what
 * SASLprep forbids: control characters, and what Unicode 3.2 did not have, which is most of what needs two units.
 */
function normalized(password: string): string {
  const mapped = password
    .replaceAll(/[\p{Zs}\u200b]/gu, " ")
    .replaceAll(/\u00ad|\u034f|\u1806|\u200c|\u200d|\u2060|\ufeff|\p{Variation_Selector}/gu, "");
  const prepared = mapped.normalize("NFKC");
  const isForbidden = prepared === "" || /[\p{Cc}\u{10000}-\u{10ffff}]/u.test(prepared);
  return isForbidden ? password : prepared;
}

export function failed(why: string): Fault {
  return new Fault("gateway.login", `login at the database: ${why}`);
}
