/**
 * `/files`: the bytes of files, down and up, passed on as they come.
 *
 * A download is `GET /files?path=…`. An upload is `POST /files`: `application/octet-stream` with `?path=…`, or
 * `multipart/form-data` with a part `file` for each file, whose names are their paths where the address has none. Either
 * may be let in by a signature in its address in place of the token (`v1_` and the SHA-256, base64, of path, operation,
 * user, token and expiry).
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Busboy } from "@fastify/busboy";
import type { Client } from "../client/index.ts";
import { pathIn, requireUser } from "./paths.ts";
import { Refusal } from "./refusal.ts";
import { isSame, type Sandbox, type Sandboxes } from "./sandboxes.ts";

/** Files of one upload. */
const PARTS_MAX = 1000;
const PART_HEADER_BYTES_MAX = 16 << 10;

interface Written {
  readonly name: string;
  readonly type: "file";
  readonly path: string;
}

/** Sends a file. Its first bytes come before the head: what cannot be read is said by the status. */
export async function download(
  client: Client,
  sandbox: Sandbox,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  requireUser(query.get("username") ?? undefined);
  const path = pathIn(sandbox, query.get("path") ?? "");
  const content = await client.download({ run: sandbox.id, path });
  response.once("close", () => content.destroy());
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "x-content-type-options": "nosniff",
  });
  // Where reading fails on the way the connection breaks off: an end would say that this was all of it.
  await pipeline(content, response).catch(() => response.destroy());
}

/** Writes what is sent: each file whole or not at all. */
export async function upload(
  client: Client,
  sandbox: Sandbox,
  query: URLSearchParams,
  request: IncomingMessage,
): Promise<readonly Written[]> {
  requireUser(query.get("username") ?? undefined);
  const unknown = Object.keys(request.headers).find((name) => name.startsWith("x-metadata-"));
  if (unknown !== undefined) {
    throw new Refusal("unimplemented", `${unknown}: files have no metadata of their own here`);
  }
  const write = async (said: string, content: Readable): Promise<Written> => {
    if (said === "") throw new Refusal("invalid_argument", "a file without a path");
    const path = pathIn(sandbox, said);
    await client.upload({ run: sandbox.id, path }, content);
    return { name: posix.basename(path), type: "file", path };
  };
  const content = unpacked(request);
  const type = request.headers["content-type"] ?? "";
  const path = query.get("path");
  if (type.startsWith("multipart/form-data")) return uploadParts(type, content, path, write);
  if (type.split(";", 1)[0] === "application/octet-stream")
    return [await write(path ?? "", content)];
  throw new Refusal(
    "invalid_argument",
    "an upload is application/octet-stream or multipart/form-data",
  );
}

function unpacked(request: IncomingMessage): Readable {
  const coding = request.headers["content-encoding"] ?? "identity";
  if (coding === "identity") return request;
  if (coding !== "gzip") throw new Refusal("unimplemented", `content-encoding ${coding}`);
  const plain = createGunzip();
  pipeline(request, plain).catch((error: unknown) => plain.destroy(error as Error));
  return plain;
}

async function uploadParts(
  type: string,
  content: Readable,
  path: string | null,
  write: (path: string, content: Readable) => Promise<Written>,
): Promise<readonly Written[]> {
  const parser = new Busboy({
    headers: { "content-type": type },
    preservePath: true,
    limits: { files: PARTS_MAX, fields: 0, headerSize: PART_HEADER_BYTES_MAX },
  });
  const writes: Promise<Written>[] = [];
  const parts: Readable[] = [];
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // Told below, or to nobody.
  let isTooMany = false;
  parser.on("filesLimit", () => (isTooMany = true));
  parser.on("file", (name, part, fileName) => {
    parts.push(part);
    part.on("error", (error) => failed.reject(brokenOff(error)));
    if (name !== "file") {
      part.resume();
      return;
    }
    const written =
      path !== null && writes.length > 0
        ? Promise.reject(new Refusal("invalid_argument", "one path, and more than one file"))
        : write(path ?? nameIn(fileName), part);
    writes.push(written);
    written.catch((error: unknown) => {
      part.resume();
      failed.reject(error);
    });
  });
  const parsed = pipeline(content, parser).catch((error: unknown) => {
    // Whoever writes a part would wait for its end, or take what came for all of it.
    for (const part of parts) part.destroy(brokenOff(error));
    throw brokenOff(error);
  });
  parsed.catch(() => {}); // Where a write failed first, that is told.
  await Promise.race([parsed, failed.promise]);
  if (isTooMany) throw new Refusal("resource_exhausted", `more than ${PARTS_MAX} files at once`);
  const all = await Promise.race([Promise.all(writes), failed.promise]);
  if (all.length === 0) throw new Refusal("invalid_argument", "a form without a part `file`");
  return all;
}

function brokenOff(error: unknown): Refusal {
  return new Refusal("invalid_argument", "the form breaks off, or is none", error);
}

/** A part's file name, in which three characters stand escaped (WHATWG HTML, "multipart form data"). */
function nameIn(fileName: string): string {
  return fileName.replaceAll("%22", '"').replaceAll("%0D", "\r").replaceAll("%0A", "\n");
}

/**
 * The sandbox that a signed address opens.
 *
 * @throws {Refusal} `unauthenticated` where no token makes such a signature, or its time is over.
 */
export function bySignature(
  sandboxes: Sandboxes,
  method: string,
  query: URLSearchParams,
  nowMs: number,
): Sandbox {
  const signature = query.get("signature") ?? "";
  const expiry = query.get("signature_expiration");
  const operation = method === "GET" ? "read" : "write";
  const signed = [query.get("path") ?? "", operation, query.get("username") ?? ""];
  const found = sandboxes.byProof((token) => {
    const text = [...signed, token, ...(expiry === null ? [] : [expiry])].join(":");
    const digest = createHash("sha256").update(text).digest("base64").replace(/=+$/, "");
    return isSame(signature, `v1_${digest}`);
  });
  const isLate = expiry !== null && !(Number(expiry) * 1000 > nowMs);
  if (found !== undefined && !isLate) return found;
  throw new Refusal(
    "unauthenticated",
    isLate ? "the address is no longer good" : "no such address",
  );
}
