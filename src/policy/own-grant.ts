/**
 * The grant that every run has: to ask Cofferdam about itself. It reaches nothing outside.
 *
 * @module
 */
import { OWN_HOST, OWN_PORT, OWN_SYSTEM } from "../action/index.ts";
import type { TaskGrant } from "./task.ts";

export const OWN_GRANT: TaskGrant = {
  kind: "http",
  system: OWN_SYSTEM,
  name: OWN_SYSTEM,
  hosts: [OWN_HOST],
  ports: [OWN_PORT],
  tls: false,
  dial: { own: true },
  pairs: [],
  protocols: [],
  allow: [
    { methods: [], paths: [], verbs: ["guide.*", "session.*", "enquiry.*", "claim.*", "access.*"] },
  ],
};
