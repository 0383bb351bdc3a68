/** Layer 7: the web console's server: who is signed in, the control contract over HTTP on loopback, live events. */
export { openConsole, type Console, type ConsoleOptions } from "./console.ts";
export { askForLink } from "./own-socket.ts";
