/**
 * An authenticator in software (ES256, attestation none), with a browser around it that lies where a test tells it to.
 *
 * @module
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

export interface Asked {
  readonly nonce: string;
  readonly challenge: string;
  readonly rpId: string;
}

/** What is other than a browser and an authenticator would make it. */
export interface Lie {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  readonly isVerified?: boolean;
  readonly isPresent?: boolean;
  readonly counter?: number;
  /** Signs with another key. */
  readonly key?: KeyObject;
}

const PRESENT = 0x01;
const VERIFIED = 0x04;
const ATTESTED = 0x40;

export class Authenticator {
  readonly id = randomBytes(32).toString("base64url");
  readonly key: KeyObject;
  readonly #public: Buffer;
  readonly #origin: string;
  counter = 0;

  constructor(origin: string) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    this.key = privateKey;
    this.#origin = origin;
    // COSE_Key: {1: 2, 3: -7, -1: 1, -2: x, -3: y} (RFC 9053, 7.1.1).
    this.#public = Buffer.concat([
      Buffer.from("a5010203262001215820", "hex"),
      Buffer.from(x, "base64url"),
      Buffer.from("225820", "hex"),
      Buffer.from(y, "base64url"),
    ]);
  }

  /** A new passkey for what is asked. */
  make(asked: Asked, label: string, lie: Lie = {}) {
    const id = Buffer.from(this.id, "base64url");
    const length = Buffer.from([0, id.length]);
    const attested = Buffer.concat([Buffer.alloc(16), length, id, this.#public]);
    const authData = Buffer.concat([this.#head(asked, ATTESTED, lie), attested]);
    // {"fmt": "none", "attStmt": {}, "authData": bytes}
    const attestationObject = Buffer.concat([
      Buffer.from("a363666d74646e6f6e656761747453746d74a068617574684461746158", "hex"),
      Buffer.from([authData.length]),
      authData,
    ]).toString("base64url");
    const { text } = this.#client("webauthn.create", asked, lie);
    const passkey = { id: this.id, response: { clientDataJSON: text, attestationObject } };
    return { nonce: asked.nonce, label, passkey };
  }

  /** A signature for what is asked. */
  sign(asked: Asked, lie: Lie = {}) {
    const authData = this.#head(asked, 0, lie);
    const { text, hash } = this.#client("webauthn.get", asked, lie);
    const signature = sign("sha256", Buffer.concat([authData, hash]), lie.key ?? this.key);
    const response = {
      clientDataJSON: text,
      authenticatorData: authData.toString("base64url"),
      signature: signature.toString("base64url"),
    };
    return { nonce: asked.nonce, assertion: { id: this.id, response } };
  }

  #head({ rpId }: Asked, flags: number, lie: Lie): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(lie.counter ?? (this.counter += 1));
    const user =
      (lie.isPresent === false ? 0 : PRESENT) | (lie.isVerified === false ? 0 : VERIFIED);
    const hash = createHash("sha256")
      .update(lie.rpId ?? rpId)
      .digest();
    return Buffer.concat([hash, Buffer.from([flags | user]), count]);
  }

  #client(type: string, { challenge }: Asked, lie: Lie) {
    const said = JSON.stringify({
      type: lie.type ?? type,
      challenge: lie.challenge ?? challenge,
      origin: lie.origin ?? this.#origin,
      crossOrigin: lie.crossOrigin ?? false,
    });
    const text = Buffer.from(said).toString("base64url");
    return { text, hash: createHash("sha256").update(said).digest() };
  }
}
