/**
 * What an agent has open: only what was opened here can be asked about.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { Fault } from "../../../base/index.ts";
import type { SftpRequest } from "../../../wire/index.ts";
import type { Judged } from "../broker.ts";
import type { Spool } from "./spool.ts";

const OPEN_MAX = 512; // OpenSSH's server has as many as a process may.

export type OpenFile =
  | { readonly kind: "folder"; readonly path: string; readonly judged: readonly Judged[] }
  | StreamedFile
  | { readonly kind: "spool"; readonly spool: Spool };

/** A file at the server. */
export class StreamedFile {
  readonly kind = "file";
  readonly path: string;
  /** What its opening was allowed by: to read, to write, or both. */
  readonly judged: readonly Judged[];
  #read = 0;
  #written = 0n;
  /** Of what was written from its beginning on, one piece after another. */
  #hash: Hash | undefined = createHash("sha256");

  constructor(path: string, judged: readonly Judged[]) {
    this.path = path;
    this.judged = judged;
  }

  /** Its writing was allowed. */
  get isWritten(): boolean {
    return this.judged.some(({ action }) => action.verb === "sftp.write");
  }

  count(request: SftpRequest<"read" | "write">): void {
    if (request.kind === "read") {
      this.#read += 1;
      return;
    }
    if (request.offset === this.#written) this.#hash?.update(request.data);
    else this.#hash = undefined;
    this.#written += BigInt(request.data.length);
  }

  counted(): Readonly<Record<string, string | number>> {
    const sha256 = this.#hash?.digest("hex");
    return {
      ...(this.#read === 0 ? {} : { reads: this.#read }),
      ...(this.#written === 0n ? {} : { bytesWritten: Number(this.#written) }),
      ...(this.#written === 0n || sha256 === undefined ? {} : { sha256 }),
    };
  }
}

export class OpenFiles {
  readonly #files = new Map<string, OpenFile>();

  /** @throws {Fault} `ssh.sftp` where a server gives a handle twice, or too many are open. */
  add(handle: string, file: OpenFile): void {
    if (this.#files.has(handle) || this.#files.size >= OPEN_MAX) {
      throw new Fault("ssh.sftp", "a handle was given twice, or too many files are open");
    }
    this.#files.set(handle, file);
  }

  get(handle: string): OpenFile | undefined {
    return this.#files.get(handle);
  }

  take(handle: string): OpenFile | undefined {
    const file = this.#files.get(handle);
    this.#files.delete(handle);
    return file;
  }

  all(): readonly OpenFile[] {
    return [...this.#files.values()];
  }
}
