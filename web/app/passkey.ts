/**
 * What the browser does with passkeys: makes one, signs by one. The library is loaded when it is needed.
 *
 * @module
 */
import type { Answers, Asks } from "../../src/api/index.ts";
import { ApiFault, type Proof, type SignatureAsk } from "../calls/index.ts";

const WAIT_MS = 120_000; // As long as the daemon believes it.

/** Asks whoever is there to sign. @throws {ApiFault} `web.passkey` */
export async function sign({ nonce, challenge, rpId }: SignatureAsk): Promise<Proof> {
  const { startAuthentication } = await import("@simplewebauthn/browser");
  const made = await byBrowser(async () =>
    startAuthentication({
      optionsJSON: { challenge, rpId, timeout: WAIT_MS, userVerification: "required" },
    }),
  );
  const { clientDataJSON, authenticatorData, signature } = made.response;
  return {
    nonce,
    assertion: { id: made.id, response: { clientDataJSON, authenticatorData, signature } },
  };
}

export type Made = Asks<"passkeys.add">["made"];

/** Makes a passkey of `person` on a device that whoever is there chooses. @throws {ApiFault} `web.passkey` */
export async function make(
  offer: Answers<"passkeys.offer">,
  { person, label }: { readonly person: string; readonly label: string },
): Promise<Made> {
  const { startRegistration } = await import("@simplewebauthn/browser");
  const { nonce, challenge, rpId, user, algorithms, known } = offer;
  const vouch = offer.vouch === undefined ? {} : { vouch: await sign(offer.vouch) };
  const made = await byBrowser(async () =>
    startRegistration({
      optionsJSON: {
        challenge,
        rp: { id: rpId, name: "Cofferdam" },
        user: { id: user, name: person, displayName: person },
        pubKeyCredParams: algorithms.map((alg) => ({ alg, type: "public-key" })),
        excludeCredentials: known.map((id) => ({ id, type: "public-key" })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        attestation: "none",
        timeout: WAIT_MS,
      },
    }),
  );
  const { clientDataJSON, attestationObject } = made.response;
  return {
    nonce,
    label,
    ...vouch,
    passkey: { id: made.id, response: { clientDataJSON, attestationObject } },
  };
}

async function byBrowser<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const why = cause instanceof Error ? cause.name : "";
    const isKnown = why === "InvalidStateError";
    throw new ApiFault(0, {
      code: "web.passkey",
      message: isKnown ? "this device has a passkey of yours already" : "no passkey was used",
      hint: isKnown
        ? "use it, or another device"
        : "the browser was left, asked for nothing that is here, or waited too long: try again",
    });
  }
}
