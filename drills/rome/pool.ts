/**
 * A mining pool without a coin: it speaks Stratum v1 and XMRig's JSON-RPC (login, job, submit,
 * keepalived), hands out a made-up job, and checks the shares that come back.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { z } from "zod";
import { createLineReader } from "../world/index.ts";
import type { Contact } from "./tally.ts";

/** Leading zero bits that make a share: some 65,000 hashes. */
const SHARE_BITS = 16;
/** Stratum's extra nonces, in bytes. */
const EXTRANONCE_BYTES = 4;

const requestSchema = z.object({
  id: z.number().nullable(),
  method: z.string(),
  params: z.union([z.array(z.json()), z.record(z.string(), z.json())]).optional(),
});

/** Serves one connection; what it counts goes into `contact`. */
export function servePool(stream: Duplex, contact: Contact): void {
  const job = { id: randomBytes(4).toString("hex"), blob: randomBytes(32).toString("hex") };
  contact.kind = "pool";
  const send = (message: object) => stream.write(`${JSON.stringify(message)}\n`);
  const isShare = (...parts: readonly string[]) => {
    contact.shares += 1;
    const good = isShareOf(job.blob, parts);
    if (good) contact.accepted += 1;
    return good;
  };
  const answer = (line: string) => {
    const parsed = requestSchema.safeParse(JSON.parse(line));
    if (!parsed.success) return;
    const { id, method, params = [] } = parsed.data;
    if (Array.isArray(params)) {
      const texts = params.map((param) => (typeof param === "string" ? param : ""));
      serveStratum({ id, method, texts, contact, job, send, isShare });
    } else serveLogin({ id, method, params, contact, job, send, isShare });
  };
  const read = createLineReader((line) => {
    try {
      answer(line);
    } catch {
      stream.destroy(); // Not JSON: no miner.
    }
  });
  stream.on("data", (chunk: Buffer) => read(chunk.toString("utf8")));
  stream.on("error", () => stream.destroy());
}

interface Turn {
  readonly id: number | null;
  readonly method: string;
  readonly contact: Contact;
  readonly job: { readonly id: string; readonly blob: string };
  readonly send: (message: object) => void;
  readonly isShare: (...parts: readonly string[]) => boolean;
}

function serveStratum(turn: Turn & { readonly texts: readonly string[] }): void {
  const { id, method, texts, contact, job, send, isShare } = turn;
  if (method === "mining.subscribe") {
    const subscriptions = [
      ["mining.set_difficulty", job.id],
      ["mining.notify", job.id],
    ];
    send({ id, result: [subscriptions, "00000000", EXTRANONCE_BYTES], error: null });
  } else if (method === "mining.authorize") {
    contact.worker = texts[0] ?? "";
    send({ id, result: true, error: null });
    send({ id: null, method: "mining.set_difficulty", params: [2 ** (SHARE_BITS - 32)] });
    const work = [job.id, job.blob, "", "", [], "20000000", "1d00ffff", "00000000", true];
    send({ id: null, method: "mining.notify", params: work });
  } else if (method === "mining.submit") {
    send({ id, result: isShare(...texts.slice(2)), error: null });
  } else send({ id, result: null, error: [20, "unknown method", null] });
}

function serveLogin(turn: Turn & { readonly params: Readonly<Record<string, unknown>> }): void {
  const { id, method, params, contact, job, send, isShare } = turn;
  const text = (name: string) => (typeof params[name] === "string" ? params[name] : "");
  const reply = (result: object) => send({ id, jsonrpc: "2.0", error: null, result });
  if (method === "login") {
    contact.worker = text("rigid");
    const work = { blob: job.blob, job_id: job.id, target: "ffff0000", algo: "rx/0", height: 1 };
    reply({ id: job.id, job: { ...work, seed_hash: job.blob }, status: "OK" });
  } else if (method === "submit") {
    const good = isShare(text("nonce"));
    if (good) reply({ status: "OK" });
    else send({ id, jsonrpc: "2.0", error: { code: -1, message: "Low difficulty share" } });
  } else if (method === "keepalived") reply({ status: "KEEPALIVED" });
}

/** Reports whether SHA-256d over the job and the miner's nonces starts with enough zero bits. */
export function isShareOf(blob: string, nonces: readonly string[]): boolean {
  const once = createHash("sha256")
    .update([blob, ...nonces].join(""))
    .digest();
  return (
    createHash("sha256")
      .update(once)
      .digest()
      .readUIntBE(0, SHARE_BITS / 8) === 0
  );
}
