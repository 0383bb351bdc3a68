/**
 * Whether what a browser brought is a passkey's: WebAuthn, section 7, by a library that is loaded when the first one comes.
 *
 * @module
 */
import { describeError, Fault } from "../base/index.ts";
import type { Passkey } from "./store.ts";

/** A signature, as the browser's API gives it; binary parts in base64url. */
export interface Assertion {
  readonly id: string;
  readonly response: {
    readonly clientDataJSON: string;
    readonly authenticatorData: string;
    readonly signature: string;
  };
}

/** A new passkey, as the browser's API gives it. */
export interface NewPasskey {
  readonly id: string;
  readonly response: { readonly clientDataJSON: string; readonly attestationObject: string };
}

/** What it must be for. */
export interface Expected {
  readonly challenge: string;
  readonly origin: string;
  readonly rpId: string;
}

/** COSE numbers that are asked for: ES256, EdDSA, RS256. */
export const ALGORITHMS = [-7, -8, -257] as const;

/** @throws {Fault} `passkey.refused` */
export async function verifyNew(
  { id, response }: NewPasskey,
  { challenge, origin, rpId }: Expected,
): Promise<Pick<Passkey, "credential" | "publicKey" | "counter">> {
  const { verifyRegistrationResponse } = await import("@simplewebauthn/server");
  return believed(response.clientDataJSON, async () => {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { id, rawId: id, type: "public-key", clientExtensionResults: {}, response },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...ALGORITHMS],
    });
    if (!verified) return undefined;
    const { credential } = registrationInfo;
    return {
      credential: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString("base64url"),
      counter: credential.counter,
    };
  });
}

/** Its counter now. @throws {Fault} `passkey.refused` */
export async function verifyUse(
  { id, response }: Assertion,
  passkey: Passkey,
  { challenge, origin, rpId }: Expected,
): Promise<number> {
  const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
  const { credential, publicKey, counter } = passkey;
  return believed(response.clientDataJSON, async () => {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { id, rawId: id, type: "public-key", clientExtensionResults: {}, response },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      credential: {
        id: credential,
        publicKey: new Uint8Array(Buffer.from(publicKey, "base64url")),
        counter,
      },
    });
    return verified ? authenticationInfo.newCounter : undefined;
  });
}

async function believed<T>(clientData: string, verify: () => Promise<T | undefined>): Promise<T> {
  try {
    // A frame in another site's page: the library lets one pass that does not say whose page it is.
    const said = JSON.parse(Buffer.from(clientData, "base64url").toString("utf8")) as unknown;
    if (typeof said === "object" && said !== null && "crossOrigin" in said && said.crossOrigin) {
      throw new Error("it was asked for in a frame of another site");
    }
    const value = await verify();
    if (value !== undefined) return value;
    throw new Error("the signature is not this passkey's");
  } catch (cause) {
    throw new Fault("passkey.refused", `the passkey was not believed: ${describeError(cause)}`, {
      hint: "try again in the page of `cofferdam console`; where that stays so, remove the passkey and add it anew",
      cause,
    });
  }
}
