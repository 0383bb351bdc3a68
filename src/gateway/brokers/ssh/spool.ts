/**
 * A file that waits for a person: kept whole until the agent closes it. To the agent it looks like an open file.
 *
 * @module
 */
import {
  SFTP,
  sftpPacket,
  STATUS,
  statusPacket,
  stringField,
  uint32Field,
  type SftpAttributes,
  type SftpRequest,
} from "../../../wire/index.ts";

/** What is done with it when it is closed: the answer to the closing is told there. */
export type Closing = (id: number, spool: Spool) => Promise<void>;

export class Spool {
  readonly #bytesMax: number;
  readonly #closing: Closing;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  #isTooLarge = false;
  #hasHole = false;
  #isCutOff = false;
  #attributes: SftpAttributes;
  readonly #isReadOnly: boolean;
  readonly #isAppended: boolean;

  constructor({
    bytesMax,
    attributes = {},
    content,
    isAppended = false,
    closing,
  }: {
    readonly bytesMax: number;
    readonly attributes?: SftpAttributes;
    /** Of one that is only read: what a person let the agent have. */
    readonly content?: Buffer;
    /** What is written goes to the end, whatever offset is named. */
    readonly isAppended?: boolean;
    readonly closing: Closing;
  }) {
    this.#bytesMax = bytesMax;
    this.#attributes = attributes;
    this.#closing = closing;
    this.#isReadOnly = content !== undefined;
    this.#isAppended = isAppended;
    if (content !== undefined) {
      this.#bytes = content;
      this.#length = content.length;
    }
  }

  /** More was written than a person could decide over. */
  get isTooLarge(): boolean {
    return this.#isTooLarge;
  }

  /**
   * All of the file as it is to be, though it was not emptied at first: written from its beginning on, and then
   * cut to what was written (as scp does).
   */
  get isWhole(): boolean {
    return !this.#hasHole && this.#isCutOff;
  }

  get content(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** As set by the agent, with the size of what is there. */
  get attributes(): SftpAttributes {
    return { ...this.#attributes, size: this.#length };
  }

  /** What the agent set, without a size. */
  get asked(): SftpAttributes {
    const { size: _, ...rest } = this.#attributes;
    return rest;
  }

  /** The answer to a reading or writing. */
  take(request: SftpRequest<"read" | "write">): Buffer {
    const { id } = request;
    if (request.kind === "read") return this.#read(id, request.offset, request.length);
    if (this.#isReadOnly) return statusPacket(id, STATUS.PERMISSION_DENIED, "open for reading");
    const at = this.#isAppended ? this.#length : Number(request.offset);
    const end = at + request.data.length;
    if (this.#isTooLarge || end > this.#bytesMax) {
      this.#isTooLarge = true;
      const most = `${this.#bytesMax} bytes`;
      return statusPacket(id, STATUS.FAILURE, `a person decides over ${most} at most`);
    }
    if (at > this.#length) this.#hasHole = true;
    if (end > this.#bytes.length) {
      const grown = Buffer.alloc(Math.min(this.#bytesMax, Math.max(end, this.#bytes.length * 2)));
      this.#bytes.copy(grown);
      this.#bytes = grown;
    }
    request.data.copy(this.#bytes, at);
    this.#length = Math.max(this.#length, end);
    return statusPacket(id, STATUS.OK, "");
  }

  /** Sets attributes; `false` where that cannot be kept. */
  set({ size, ...rest }: SftpAttributes): boolean {
    if (this.#isReadOnly || (size !== undefined && size !== this.#length)) return false;
    if (size !== undefined) this.#isCutOff = true;
    this.#attributes = { ...this.#attributes, ...rest };
    return true;
  }

  async close(id: number): Promise<void> {
    await this.#closing(id, this);
  }

  #read(id: number, offset: bigint, length: number): Buffer {
    if (!this.#isReadOnly) return statusPacket(id, STATUS.PERMISSION_DENIED, "open for writing");
    const at = Number(offset);
    if (at >= this.#length) return statusPacket(id, STATUS.EOF, "");
    const data = this.content.subarray(at, Math.min(at + length, at + PIECE_BYTES_MAX));
    return sftpPacket(SFTP.DATA, uint32Field(id), stringField(data));
  }
}

const PIECE_BYTES_MAX = 128 * 1024;
