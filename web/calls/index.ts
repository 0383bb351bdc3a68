/** Asking the server, typed by the control contract. */
export { pageKey } from "./key.ts";
export { ApiFault, ask, askStream, offers, signInByLink, type Offers } from "./ask.ts";
export { keyOf, useAct, useCall, type CallOptions } from "./hooks.ts";
