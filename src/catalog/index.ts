/** Layer 2, pure: what a request to an external system means, one file for each kind of system. */
export { describeHttp, type Description, type HttpRequest } from "./http.ts";
