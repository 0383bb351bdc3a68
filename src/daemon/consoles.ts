/**
 * The console of this home and its adapters, as the daemon knows them: each says which port is its own for as long as
 * it lives, and no run is let there (INV-201, INV-264). One home has one console, and one adapter of a kind.
 *
 * @module
 */
import type { Home } from "../api/index.ts";
import { Fault } from "../base/index.ts";
import type { OwnPlaces } from "../gateway/index.ts";

export class Consoles {
  readonly #sockets: readonly string[];
  #port: number | undefined;
  #origin: string | undefined;
  readonly #adapters = new Map<string, number>();

  constructor({ socket, consoleSocket }: Pick<Home, "socket" | "consoleSocket">) {
    this.#sockets = [socket, consoleSocket];
  }

  /** Where Cofferdam itself listens now. */
  get places(): OwnPlaces {
    const console = this.#port === undefined ? [] : [this.#port];
    return { ports: [...console, ...this.#adapters.values()], sockets: this.#sockets };
  }

  /** Of its pages; `undefined` where none is open. */
  get origin(): string | undefined {
    return this.#port === undefined
      ? undefined
      : (this.#origin ?? `http://localhost:${this.#port}`);
  }

  /**
   * Closes `port` to every run until `signal` says that the console is gone. What it gives first says that it is so.
   *
   * @throws {Fault} `daemon.console` where another console has announced itself.
   */
  announce(
    { port, origin }: { readonly port: number; readonly origin?: string | undefined },
    signal: AbortSignal,
  ): AsyncIterable<Record<string, never>> {
    if (this.#port !== undefined) {
      throw new Fault(
        "daemon.console",
        `a console is open already: http://localhost:${this.#port}`,
        {
          hint: "`cofferdam console --link` prints a new link for it",
        },
      );
    }
    this.#origin = origin === undefined ? undefined : new URL(origin).origin; // It throws, or all is set.
    this.#port = port;
    return hold(signal, () => (this.#port = undefined));
  }

  /**
   * Closes the port of an adapter in the same way.
   *
   * @throws {Fault} `daemon.adapter` where another of its kind has announced itself.
   */
  announceAdapter(
    { kind, port }: { readonly kind: string; readonly port: number },
    signal: AbortSignal,
  ): AsyncIterable<Record<string, never>> {
    const other = this.#adapters.get(kind);
    if (other !== undefined) {
      throw new Fault("daemon.adapter", `an adapter for ${kind} is open already: port ${other}`, {
        hint: "one serves all keys and templates; end it first",
      });
    }
    this.#adapters.set(kind, port);
    return hold(signal, () => this.#adapters.delete(kind));
  }
}

async function* hold(
  signal: AbortSignal,
  leave: () => unknown,
): AsyncIterable<Record<string, never>> {
  try {
    yield {};
    if (!signal.aborted) await once(signal);
  } finally {
    leave();
  }
}

async function once(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}
