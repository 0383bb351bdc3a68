/**
 * `approvals follow` at a terminal: what waits, card by card, answered by single keys. Lines are only ever
 * added, so that all of it can be scrolled back to; a card that is being read is never replaced by another.
 *
 * @module
 */
import type { ReadStream, WriteStream } from "node:tty";
import type { ApprovalInfo } from "../api/index.ts";
import { isFault, visibleLine } from "../base/index.ts";
import { allowanceOf, edited } from "./approval-answers.ts";
import type { Client } from "../client/index.ts";
import { paintCard, paintLine } from "./paint.ts";
import { Keyboard } from "./keyboard.ts";

const HELP =
  "a approve   e edit   d deny   f approve, and more for this run   n next   p previous   q quit";
const RESIZE_MS = 150; // After the last of many, as a window is drawn wider.
const WAITS: ReadonlySet<string> = new Set(["requested", "shown"]);

export interface Terminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
}

/** Follows until the person quits, or the daemon ends. */
export async function followAtTerminal(client: Client, terminal: Terminal): Promise<void> {
  const view = new View(client, terminal);
  await view.run();
}

type Event =
  | { readonly kind: "approval"; readonly info: ApprovalInfo }
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "resize" }
  | { readonly kind: "end"; readonly error?: unknown };

class View {
  readonly #client: Client;
  readonly #output: WriteStream;
  readonly #keyboard: Keyboard;
  /** What waits, oldest first. */
  readonly #open = new Map<string, ApprovalInfo>();
  /** The digest of each card as it was last shown here: a yes is to that, and not to what it became. */
  readonly #shown = new Map<string, string>();
  #current: string | undefined;
  readonly #events: Event[] = [];
  readonly #quit = new AbortController();
  #wake: () => void = () => {};

  constructor(client: Client, { input, output }: Terminal) {
    this.#client = client;
    this.#output = output;
    this.#keyboard = new Keyboard(input, output);
  }

  async run(): Promise<void> {
    this.#keyboard.onKey = (key) => this.#push({ kind: "key", key });
    let resizing: NodeJS.Timeout | undefined;
    const resized = () => {
      clearTimeout(resizing);
      resizing = setTimeout(() => this.#push({ kind: "resize" }), RESIZE_MS);
    };
    this.#output.on("resize", resized);
    this.#keyboard.open();
    void this.#listen();
    try {
      this.#say(`What waits for you appears here.   ${HELP}`);
      for (;;) {
        const event = await this.#next();
        if (event.kind === "end") {
          if (event.error !== undefined) throw event.error;
          return this.#say("The daemon has ended.");
        }
        if (event.kind === "key" && isQuit(event.key)) return;
        await this.#take(event);
      }
    } finally {
      this.#quit.abort();
      this.#output.off("resize", resized);
      clearTimeout(resizing);
      this.#keyboard.close();
    }
  }

  async #listen(): Promise<void> {
    try {
      const { signal } = this.#quit;
      for await (const info of this.#client.stream("approvals.follow", {}, signal))
        this.#push({ kind: "approval", info });
      this.#push({ kind: "end" });
    } catch (error) {
      this.#push({ kind: "end", error }); // Nobody looks any more where the person quit.
    }
  }

  #push(event: Event): void {
    this.#events.push(event);
    this.#wake();
  }

  async #next(): Promise<Event> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** One event after another; what Cofferdam refuses is told, and the view goes on. */
  async #take(event: Event): Promise<void> {
    try {
      if (event.kind === "approval") await this.#changed(event.info);
      else if (event.kind === "resize") await this.#show();
      else if (event.kind === "key") await this.#press(event.key);
    } catch (error) {
      if (!isFault(error)) throw error;
      this.#say(`${error.message}${error.hint === undefined ? "" : `; ${error.hint}`}`);
    }
  }

  async #changed(info: ApprovalInfo): Promise<void> {
    const { id, state, system, verb, summary, reason, notBefore, mayBeginUntil } = info;
    const isNew = !this.#open.has(id);
    if (WAITS.has(state)) {
      this.#open.set(id, info);
      if (this.#current === undefined) await this.#show(id);
      else if (isNew) {
        this.#say(`${id} waits, too: ${system} ${verb}: ${summary} (${this.#open.size} wait)`);
      }
      return;
    }
    this.#open.delete(id);
    this.#shown.delete(id);
    if (state !== "performing") this.#say(`${id} ${state}${reason === "" ? "" : `: ${reason}`}`);
    if (state === "approved" && notBefore !== undefined) {
      const what =
        mayBeginUntil === undefined
          ? `it is performed at ${notBefore}`
          : `its run may begin it until ${mayBeginUntil}`;
      this.#say(`${what}; \`cofferdam approvals undo ${id}\` takes it back`);
    }
    if (this.#current !== id) return;
    this.#current = undefined;
    const [next] = this.#open.keys();
    if (next !== undefined) await this.#show(next);
    else this.#say("Nothing waits.");
  }

  async #press(key: string): Promise<void> {
    const ids = [...this.#open.keys()];
    const step = { n: 1, p: -1 }[key];
    if (step !== undefined && ids.length > 0) {
      const at = ids.indexOf(this.#current ?? "") + step;
      return this.#show(ids.at(at % ids.length));
    }
    if (this.#current === undefined) return this.#say("Nothing waits.");
    const act = { a: this.#approve, e: this.#edit, d: this.#deny, f: this.#allow }[key];
    if (act === undefined) return this.#say(HELP);
    await act.call(this, this.#current);
  }

  async #approve(id: string): Promise<void> {
    const digest = this.#digestOf(id);
    const code = await this.#ask(`type the code of ${id} to approve exactly this: `);
    if (code === undefined) return;
    const { state } = await this.#client.call("approvals.approve", { id, code, ...digest });
    if (WAITS.has(state)) this.#say("your yes is noted; it needs a second person");
  }

  async #allow(id: string): Promise<void> {
    const digest = this.#digestOf(id);
    const count = await this.#ask("how many more of the same, for this run: ");
    const time = count && (await this.#ask("for how long (30m, 2h): "));
    if (count === undefined || time === undefined) return;
    const allowance = allowanceOf({ count, time });
    const code = await this.#ask(
      `type the code of ${id} to approve this and up to ${count} more: `,
    );
    if (code !== undefined)
      await this.#client.call("approvals.approve", { id, code, ...digest, allowance });
  }

  #digestOf(id: string): { readonly digest?: string } {
    const digest = this.#shown.get(id);
    return digest === undefined ? {} : { digest };
  }

  async #deny(id: string): Promise<void> {
    const reason = await this.#ask("the reason, told to the agent: ", { mayBeEmpty: true });
    if (reason !== undefined) await this.#client.call("approvals.deny", { id, reason });
  }

  async #edit(id: string): Promise<void> {
    const { body } = await this.#client.call("approvals.show", { id });
    this.#keyboard.close();
    try {
      const made = edited(Buffer.from(body, "base64"));
      if (made === body) return this.#say("nothing was changed");
      await this.#client.call("approvals.edit", { id, body: made });
    } finally {
      this.#keyboard.open();
    }
    await this.#show(id);
  }

  async #ask(prompt: string, { mayBeEmpty = false } = {}): Promise<string | undefined> {
    // What was typed ahead of a question is no answer to it, and no key either.
    for (let at = this.#events.length - 1; at >= 0; at -= 1) {
      if (this.#events[at]?.kind === "key") this.#events.splice(at, 1);
    }
    const answer = await this.#keyboard.line(prompt);
    if (answer !== undefined && (answer !== "" || mayBeEmpty)) return answer;
    this.#say("nothing was decided");
    return undefined;
  }

  async #show(id = this.#current): Promise<void> {
    if (id === undefined) return;
    this.#current = id;
    const columns = this.#output.columns;
    const { card, state, action } = await this.#client.call("approvals.show", { id, columns });
    const place = [...this.#open.keys()].indexOf(id) + 1;
    const foot = WAITS.has(state)
      ? `${place} of ${this.#open.size}   ${HELP}`
      : `${id} is ${state}`;
    this.#output.write(`\n${paintCard(card, this.#output)}`);
    this.#shown.set(id, action.digest);
    this.#say(foot);
  }

  #say(text: string): void {
    this.#output.write(`${paintLine(visibleLine(text), this.#output)}\n`);
  }
}

function isQuit(key: string): boolean {
  return key === "q" || key === "\u0003" || key === "\u0004";
}
