/** In a worker's place: says that it tried everything and failed, and never sealed itself. */
import { Socket } from "node:net";
import { expectedTries } from "./proofs.ts";

const out = new Socket({ fd: 3, readable: true, writable: true });
out.write(`${JSON.stringify([{ sealed: Object.fromEntries(expectedTries()) }])}\n`);
