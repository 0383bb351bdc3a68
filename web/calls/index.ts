/** Asking the server, typed by the control contract. */
export { pageKey, PAGE_KEY_HEADER } from "./key.ts";
export {
  ApiFault,
  ask,
  askStream,
  askToSignIn,
  offers,
  signInAtProvider,
  signInByLink,
  signInByProof,
  signOut,
  type Offers,
  type Proof,
  type SignatureAsk,
} from "./ask.ts";
export { keyOf, useAct, useCall, useDo, type CallOptions } from "./hooks.ts";
