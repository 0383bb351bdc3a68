/** Who is signed in, and what a request must be like to be heard. */
export { guard, securityHeaders, SESSION_COOKIE, tokenOf } from "./guard.ts";
export { Sessions, type Person, type Session } from "./sessions.ts";
