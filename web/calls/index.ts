/** Asking the server, typed by the control contract. */
export { pageKey } from "./key.ts";
export {
  ApiFault,
  ask,
  askStream,
  askToSignIn,
  signInByLink,
  signInByProof,
  type Proof,
  type SignatureAsk,
} from "./ask.ts";
export { keyOf, useAct, useCall, type CallOptions } from "./hooks.ts";
