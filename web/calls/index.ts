/** Asking the server, typed by the control contract. */
export { pageKey, pageKeyHash } from "./key.ts";
export {
  ApiFault,
  ask,
  askStream,
  askToSignIn,
  offers,
  signInByLink,
  signInByProof,
  type Offers,
  type Proof,
  type SignatureAsk,
} from "./ask.ts";
export { keyOf, useAct, useCall, useDo, type CallOptions } from "./hooks.ts";
