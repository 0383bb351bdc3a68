/**
 * A client that says what it is told to, byte for byte, and keeps what comes back.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import {
  cstring,
  FrameReader,
  int16,
  int32,
  message,
  readFields,
  T,
} from "../../src/gateway/brokers/postgres/frames.ts";

export interface Frame {
  readonly type: string;
  readonly body: Buffer;
}

export const q = (sql: string) => message(T.query, sql);
export const parse = (name: string, sql: string) => message(T.parse, name, sql, int16(0));
export const bind = (portal: string, name: string, ...values: readonly string[]) =>
  message(
    T.bind,
    portal,
    name,
    int16(0),
    int16(values.length),
    ...values.flatMap((one) => [int32(Buffer.byteLength(one)), Buffer.from(one)]),
    int16(0),
  );
export const execute = (portal = "", rows = 0) => message(T.execute, portal, int32(rows));
export const describe = (kind: "S" | "P", name: string) =>
  message(T.describe, Buffer.from(kind), cstring(name));
export const close = (kind: "S" | "P", name: string) =>
  message(T.close, Buffer.from(kind), cstring(name));
export const sync = () => message(T.sync);

/** A start-up message. */
export function startup(parameters: Readonly<Record<string, string>>, version = 3 << 16): Buffer {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [
    cstring(name),
    cstring(value),
  ]);
  const body = Buffer.concat([int32(version), ...pairs, Buffer.of(0)]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export class Raw {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  isOver = false;
  readonly #reader = new FrameReader(() => 1 << 30);
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    const wake = () => {
      for (const one of this.#waiting.splice(0)) one();
    };
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#reader.push(chunk);
      for (let one = this.#reader.next(); one !== undefined; one = this.#reader.next()) {
        this.frames.push({
          type: String.fromCharCode(one[0] ?? 0),
          body: Buffer.from(one.subarray(5)),
        });
      }
      wake();
    });
    socket.on("close", () => {
      this.isOver = true;
      wake();
    });
  }

  static async open(port: number): Promise<Raw> {
    const socket = connect({ host: "127.0.0.1", port });
    await new Promise((resolve) => socket.once("connect", resolve));
    return new Raw(socket);
  }

  /** Connected and told that it may begin. */
  static async start(
    port: number,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<Raw> {
    const raw = await Raw.open(port);
    raw.socket.write(startup({ user: "me", database: "shop", ...parameters }));
    await raw.until((frames) => frames.some(({ type }) => type === "Z"));
    raw.frames.length = 0;
    return raw;
  }

  async until(is: (frames: readonly Frame[]) => boolean): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!is(this.frames) && !this.isOver) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`stuck at ${this.types()}`)),
          deadline - Date.now(),
        );
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Says `bytes`, waits for the server being ready `times`, and gives what came. */
  async ask(bytes: Buffer | readonly Buffer[], times = 1): Promise<readonly Frame[]> {
    this.frames.length = 0;
    this.socket.write(Buffer.isBuffer(bytes) ? bytes : Buffer.concat([...bytes]));
    await this.until((frames) => frames.filter(({ type }) => type === "Z").length >= times);
    return [...this.frames];
  }

  types(): string {
    return this.frames.map(({ type }) => type).join("");
  }

  end(): void {
    this.socket.destroy();
  }
}

export function errorsIn(frames: readonly Frame[]): readonly string[] {
  return frames.flatMap(({ type, body }) => {
    const fields = type === "E" ? readFields(body) : undefined;
    return fields === undefined ? [] : [`${fields["C"]} ${fields["M"]} ${fields["H"] ?? ""}`];
  });
}

export const typesOf = (frames: readonly Frame[]) => frames.map(({ type }) => type).join("");
/** First columns of the rows, as text. */
export function rowsIn(frames: readonly Frame[]): readonly string[] {
  return frames.flatMap(({ type, body }) =>
    type === "D" ? [body.toString("utf8", 6, 6 + Math.max(0, body.readInt32BE(2)))] : [],
  );
}
