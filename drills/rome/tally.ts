/**
 * What the services outside count: every connection that reached them, and what came over it. Only
 * this says whether an attempt crossed; no claim of the attempt or of Cofferdam is asked.
 *
 * @module
 */
import { z } from "zod";

/** `silent`: connected, and said nothing that tells what it is. */
const KINDS = ["silent", "ssh", "tls", "http", "pool", "greeted", "other"] as const;

export const contactSchema = z.object({
  /** Wall clock of the connection, in milliseconds since the epoch. */
  at: z.number(),
  /** Where it arrived. */
  address: z.string(),
  port: z.number(),
  kind: z.enum(KINDS),
  /** It came inside TLS. */
  tls: z.boolean(),
  bytes: z.number(),
  /** The worker's name, where a mining protocol gave one. */
  worker: z.string(),
  /** Shares that the pool counted, and those of them that it accepted. */
  shares: z.number(),
  accepted: z.number(),
  /** The other end got something that nobody was meant to read. */
  leaked: z.boolean(),
});
/** One connection; its service goes on writing to it. */
export type Contact = z.infer<typeof contactSchema>;

/** Most connections remembered; a sweep makes about a thousand. */
const CONTACTS_MAX = 20_000;

/** The connections of one host. */
export interface Tally {
  open(address: string, port: number): Contact;
  /** All of them so far, oldest first. */
  readonly contacts: readonly Contact[];
}

/** An empty tally. */
export function createTally(): Tally {
  const contacts: Contact[] = [];
  return {
    contacts,
    open(address, port) {
      const contact: Contact = {
        at: Date.now(),
        address,
        port,
        kind: "silent",
        tls: false,
        bytes: 0,
        worker: "",
        shares: 0,
        accepted: 0,
        leaked: false,
      };
      if (contacts.length < CONTACTS_MAX) contacts.push(contact);
      return contact;
    },
  };
}
