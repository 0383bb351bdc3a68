/**
 * Signing in by a passkey: the daemon says what is to be signed, and whose passkey signed it.
 *
 * @module
 */
import { z } from "zod";
import { proofSchema } from "../../api/index.ts";
import { Fault, isFault } from "../../base/index.ts";
import type { SignInAnswer, SignInAsk } from "./ways.ts";

/** What is to be signed. It says nothing of whose passkeys there are. */
export async function askForPasskey({ desk }: SignInAsk): Promise<SignInAnswer> {
  return { gives: await desk.client.call("passkey.challenge", {}) };
}

const schema = z.strictObject({ proof: proofSchema });

/** @throws {Fault} `console.passkey` where it is not believed, in the words of the daemon. */
export async function signInByPasskey({ desk, body }: SignInAsk): Promise<SignInAnswer> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Fault("console.request", "a passkey signs in by `{proof}`");
  try {
    const { person, roles } = await desk.client.call("passkey.signIn", parsed.data.proof);
    return { who: { person, identity: `passkey:${person}`, roles } };
  } catch (error) {
    if (!isFault(error) || !error.code.startsWith("passkey.")) throw error;
    const { message, hint = "" } = error;
    throw new Fault("console.passkey", message, { hint, cause: error });
  }
}
