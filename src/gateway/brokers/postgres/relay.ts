/**
 * A session after its login: the agent's messages one after the other, each judged before the server gets it.
 *
 * A refusal has to look like an error of the server's own: it fails the transaction, and in the extended protocol
 * all that follows up to the Sync is passed over. So in the place of what is refused the server gets a statement
 * that cannot be parsed, and the agent our error in the place of the server's.
 *
 * @module
 */
import { postgres } from "../../../protocols/index.ts";
import { Extended } from "./extended.ts";
import { FrameReader, malformed, T } from "./frames.ts";
import { Line, type LinePorts } from "./line.ts";
import { SimpleQueries } from "./simple.ts";

/** An agent that sends ahead while something is decided waits from here on. */
const AHEAD_BYTES = 1 << 20;
const CONTROL_BYTES_MAX = 1 << 16;
/** What goes on while COPY takes its data. */
const COPYING: ReadonlySet<number> = new Set([
  ...[T.copyData, T.copyDone, T.copyFail, T.flush, T.terminate],
]);

export class Relay {
  /** It cannot go on. */
  onBroken: (error: unknown) => void = () => {};
  readonly #line: Line;
  readonly #extended: Extended;
  readonly #simple: SimpleQueries;
  readonly #reader: FrameReader;
  #isBusy = false;

  constructor(ports: LinePorts) {
    this.#line = new Line(ports);
    this.#extended = new Extended(this.#line);
    this.#simple = new SimpleQueries(this.#line, this.#extended, {
      resume: () => {
        this.#isBusy = false;
        this.#line.ports.client.resume();
        queueMicrotask(() => this.#pump());
      },
      pause: () => {
        this.#isBusy = true;
      },
    });
    const { spoolBytes } = ports.session.limits;
    this.#reader = new FrameReader((type) => {
      if (type === T.query || type === T.parse) return postgres.SQL_BYTES_MAX + 4096;
      return type === T.bind || type === T.copyData ? spoolBytes + 4096 : CONTROL_BYTES_MAX;
    });
  }

  /** Takes what the agent said. */
  take(chunk: Buffer): void {
    this.#reader.push(chunk);
    if (!this.#isBusy) this.#pump();
    else if (this.#reader.waiting > AHEAD_BYTES) this.#line.ports.client.pause();
  }

  #pump(): void {
    try {
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
        const pending = this.#handle(frame);
        if (pending === undefined && !this.#isBusy) continue;
        this.#line.flush();
        if (pending === undefined) return; // COPY's data is whole: whoever took it goes on.
        this.#isBusy = true;
        pending.then(
          () => {
            this.#isBusy = false;
            this.#line.ports.client.resume();
            this.#pump();
          },
          (error: unknown) => this.#broken(error),
        );
        return;
      }
      this.#line.flush();
    } catch (error) {
      this.#broken(error);
    }
  }

  #broken(error: unknown): void {
    this.onBroken(error);
  }

  #handle(frame: Buffer): Promise<void> | undefined {
    const type = frame[0] ?? 0;
    const { stopping } = this.#line.answers;
    if (stopping !== undefined) return stopping.then(() => this.#handle(frame));
    if (this.#simple.isSpooling) return this.#simple.spooled(type, frame);
    if (this.#line.answers.isCopying && !COPYING.has(type))
      throw malformed("another message within COPY");
    if (this.#line.isPassingOver && type !== T.sync && type !== T.terminate) return undefined;
    switch (type) {
      case T.query:
        return this.#simple.query(frame);
      case T.parse:
        return this.#extended.parse(frame);
      case T.bind:
        return this.#extended.bind(frame);
      case T.describe:
        return this.#extended.describe(frame);
      case T.execute:
        return this.#extended.execute(frame);
      case T.close:
        return this.#extended.close(frame);
      case T.sync:
        return this.#extended.sync(frame);
      case T.flush:
        return this.#extended.settle(() => this.#line.send(frame));
      case T.copyData:
      case T.copyDone:
      case T.copyFail:
        this.#line.send(frame);
        return undefined;
      case T.terminate:
        this.#line.send(frame);
        this.#line.flush();
        this.#line.ports.server.end();
        return undefined;
      case T.functionCall:
        throw new Refused(
          "postgres.function-call",
          "functions by their numbers (fastpath) are not judged",
        );
      default:
        throw malformed(`a message of type ${JSON.stringify(String.fromCharCode(type))}`);
    }
  }
}

/** What is no operation at all, and ends the session. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly rule: string;

  constructor(rule: string, why: string) {
    super(why);
    this.rule = rule;
  }
}
