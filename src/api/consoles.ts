/**
 * The control contract's part for processes of this home that listen beside the daemon: the console, adapters.
 *
 * @module
 */
import { z } from "zod";

export const ANNOUNCE_ENDPOINTS = {
  /** Closes the console's port to every run for as long as the caller listens; the first line says that it is closed. */
  "console.announce": {
    needs: "owner",
    takes: z.strictObject({
      port: z.int().min(1).max(65_535),
      /** What its pages have as their origin, where that is not http://localhost:PORT: passkeys are for it. */
      origin: z.url({ protocol: /^https$/ }).optional(),
    }),
    gives: z.strictObject({}),
    streams: true,
  },
  /** The same for the port of an adapter, which speaks another system's API to its clients. One of a kind at a time. */
  "adapter.announce": {
    needs: "owner",
    takes: z.strictObject({ kind: z.enum(["e2b"]), port: z.int().min(1).max(65_535) }),
    gives: z.strictObject({}),
    streams: true,
  },
} as const;
