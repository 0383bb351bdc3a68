/** Layer 4, pure: a firewall's lines against the record: which step of which run caused these flows, and how surely. */
export { createLineReader, FORMATS, type Alert, type Unread } from "./lines.ts";
export { parseTime } from "./times.ts";
export { parsePlace } from "./place.ts";
export { Correlator, type Found, type Told } from "./match.ts";
