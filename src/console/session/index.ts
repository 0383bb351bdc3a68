/** Who is signed in, and what a request must be like to be heard. */
export {
  cookiesOf,
  credentialsOf,
  guard,
  securityHeaders,
  sessionCookie,
  type Asked,
} from "./guard.ts";
export { keyHashOf, Sessions, type Person, type Session } from "./sessions.ts";
export { SIGN_IN_WAYS, type SignInAnswer, type SignInAsk, type SignInWay } from "./ways.ts";
