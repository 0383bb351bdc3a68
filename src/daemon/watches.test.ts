import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Json } from "../action/index.ts";
import type { Approval } from "../approval/index.ts";
import { Fault, type Log } from "../base/index.ts";
import { describeRequest, findEntry, type CatalogRequest } from "../catalog/index.ts";
import type { Asked, HeldRequest } from "../gateway/index.ts";
import { changesSince, keep, WatchStore } from "./watch-store.ts";
import { Watches, type WatchPorts } from "./watches.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-watches-"));
after(() => rmSync(root, { recursive: true, force: true }));

const QUICK = { againMs: 1, readMs: 200, stopMs: 500 };
const START = Date.UTC(2027, 0, 1);
/** From then on: the time of the post, one shortly before it and one right after. */
const [DUE, BEFORE, AFTER] = [100_000, 75_000, 103_000];
const entry = findEntry("wordpress");
let files = 0;

interface Post {
  status: string;
  title: string;
  date: number;
  /** It is published when its time comes. */
  cron: boolean;
}

/** A site with one post, an approval of it, and everything that was done and told. */
class World {
  readonly file: string;
  readonly post: Post;
  nowMs = START;
  /** What answers a read instead of the post. */
  status = 200;
  /** Statuses of the answers to what stops. */
  stopStatus = 200;
  hangs = false;
  approvalState = "performed";
  editState: Approval["state"] = "performed";
  openFails = false;
  readonly log: string[] = [];
  readonly told: { readonly later: string; readonly reason: string }[] = [];
  readonly notices: string[] = [];
  /** Called before each thing that the watches ask for. */
  before: (what: string) => void = () => {};
  reason = "the system answered 201";

  constructor(change: Partial<Post> = {}, file = join(root, `${++files}.db`)) {
    this.file = file;
    const date = START + DUE;
    this.post = { status: "future", title: "News", date, cron: true, ...change };
  }

  get stops(): number {
    return this.log.filter((line) => line.startsWith("POST")).length;
  }

  readonly request: CatalogRequest = {
    ...{ method: "POST", scheme: "https", host: "blog.test", port: 443, query: "" },
    path: "/wp-json/wp/v2/posts",
    readings: [["wp-json", "wp", "v2", "posts"]],
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify({ title: "News", status: "future" })),
  };

  approval(id: string, path = ""): Approval {
    const takesEffectAt = new Date(this.post.date).toISOString();
    const action = {
      ...{ summary: "Publish News", target: "https://blog.test/wp-json/wp/v2/posts" },
      impact: { reversible: false, takesEffectAt },
    };
    const { approvalState: state, reason } = this;
    return { id, run: "r-1", state, reason, action, note: path } as unknown as Approval;
  }

  ports(): WatchPorts {
    const held: HeldRequest = {
      ...{ scheme: "https", host: "blog.test", port: 443, method: "POST", facts: {} },
      target: "/wp-json/wp/v2/posts",
      headers: ["Authorization", "Basic x", "Content-Type", "application/json"],
    };
    const step = async (what: string) => this.before(what);
    return {
      file: this.file,
      clock: { now: () => ({ wallMs: this.nowMs, monoMs: 0 }) },
      log: this.#logOf(),
      approvals: {
        show: (id) => {
          if (id === "p-gone") throw new Fault("approval.none", "gone");
          if (id === "p-edit") return { ...this.approval(id, "/17"), state: this.editState };
          return this.approval(id);
        },
        tellLater: async (_, later, reason) => {
          await step(`tell ${later}`);
          this.told.push({ later, reason });
        },
      },
      requestOf: ({ note }) => {
        assert.ok(entry !== undefined);
        if (note === "") return { entry, request: this.request };
        const path = `${this.request.path}${note}`;
        return { entry, request: { ...this.request, path, readings: [path.slice(1).split("/")] } };
      },
      open: async () => {
        await step("open");
        if (this.openFails) throw new Fault("daemon.credential", "it went with its run");
        return {
          held,
          ask: (request) => this.#ask(request),
          actionOf: async (request) => {
            assert.ok(entry !== undefined);
            const { method, target, body } = request;
            const readings = [target.slice(1).split("/")];
            const headers = { "content-type": "application/json" };
            const plain = { ...this.request, method, path: target, readings, headers, body };
            return describeRequest(entry, plain) as never;
          },
          close: async () => {},
        };
      },
      recordAction: async (_, { verb }) => {
        await step("record");
        this.log.push(`intent ${verb}`);
      },
      recordOutcome: async (_, __, { failure }) => {
        await step("outcome");
        this.log.push(`outcome ${failure?.code ?? "ok"}`);
      },
      notice: (_, text) => void this.notices.push(text),
    };
  }

  #logOf(): Log {
    return {
      info() {},
      warn: (code, data) => void this.log.push(`${code} ${JSON.stringify(data)}`),
    };
  }

  async #ask({ method, target, body }: HeldRequest): Promise<Asked> {
    const { post } = this;
    this.before(method);
    if (post.cron && post.status === "future" && this.nowMs >= post.date) post.status = "publish";
    this.log.push(`${method} ${target}${body === undefined ? "" : ` ${body.toString()}`}`);
    if (this.hangs) await new Promise(() => {});
    if (method === "POST") {
      if (this.stopStatus === 200) post.status = "draft";
      return answered(this.stopStatus, {});
    }
    const { status, title, date } = post;
    const gmt = new Date(date).toISOString().slice(0, -1);
    return answered(this.status, {
      id: 17,
      status,
      title: { raw: title },
      date_gmt: gmt,
      password: post.title,
    });
  }
}

function answered(status: number, json: Json): Asked {
  const body = Buffer.from(JSON.stringify(json));
  const outcome = { status, bytesOut: 0, bytesIn: body.length };
  return { outcome, answer: { status, headers: [], body, isCut: false } };
}

/** A watch of `world` from the answer on. */
function watch(world: World, id = "p-1", answer: Json = { id: 17 }): Watches {
  const watches = new Watches(world.ports(), QUICK);
  watches.sending(world.approval(id, id === "p-edit" ? "/17" : ""));
  const body = Buffer.from(JSON.stringify(answer));
  watches.answered(world.approval(id), { status: 201, headers: [], body, isCut: false });
  watches.look();
  return watches;
}

/** The time has come: as if its timer had. */
function to(world: World, watches: Watches, ms: number): void {
  world.nowMs = START + ms;
  watches.look();
}

/** Goes to each time once the post was read as often as that. */
async function through(world: World, watches: Watches, times: readonly number[]): Promise<void> {
  await ends(world, "watched");
  for (const [at, ms] of times.entries()) {
    await until(`read ${at + 1} times`, () => world.log.length === at + 1);
    await pause(20); // What follows from that read is written down.
    to(world, watches, ms);
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let left = 2000; !holds(); left -= 1) {
    assert.ok(left > 0, `not in time: ${what}`);
    await pause(10);
  }
}

const last = ({ told }: World) => told.at(-1);
const ends = (world: World, later: string) => until(later, () => last(world)?.later === later);

test("INV-72: what is as it was approved is read before and after its time, and nothing is sent", async () => {
  const world = new World();
  const watches = watch(world);
  await through(world, watches, [BEFORE, AFTER]);
  await ends(world, "unchanged");
  await watches.close();
  const line = "GET /wp-json/wp/v2/posts/17?context=edit";
  assert.deepEqual(world.log, [line, line, line]);
  assert.deepEqual(
    world.told.map(({ later }) => later),
    ["watched", "unchanged"],
  );
  assert.deepEqual(world.notices, []);
  const store = new WatchStore(world.file);
  assert.deepEqual(store.list(), [], "and nothing is left");
  store.close();
});

/** What somebody does between, how it ends, and what is told of it. */
const CHANGES: readonly (readonly [string, (world: World) => void, string, RegExp, number])[] = [
  [
    "another content",
    (w) => void (w.post.title = "Scam"),
    "stopped",
    /title.raw was "News" and is "Scam"/,
    1,
  ],
  ["another time", (w) => void (w.post.date += 60_000), "stopped", /date_gmt was .* and is/, 1],
  ["published early", (w) => void (w.post.status = "publish"), "stopped", /not wait.*publish/, 1],
  ["not readable any more", (w) => void (w.status = 500), "stopped", /cannot be read/, 1],
  [
    "taken back",
    (w) => void (w.post.status = "draft"),
    "withdrawn",
    /taken back: entry.status: draft/,
    0,
  ],
];
for (const [what, change, end, told, stops] of CHANGES) {
  test(`INV-72: ${what} before its time: it ends ${end}`, async () => {
    const world = new World();
    const watches = watch(world);
    await ends(world, "watched");
    change(world);
    const reads = world.log.length;
    to(world, watches, BEFORE - 10_000);
    await pause(20);
    assert.equal(world.log.length, reads, "not before its time");
    to(world, watches, BEFORE);
    if (end === "withdrawn") {
      await until("it was read", () => world.log.length === reads + 1);
      await pause(20);
      to(world, watches, AFTER);
    }
    await ends(world, end);
    await watches.close();
    assert.match(last(world)?.reason ?? "", told);
    assert.doesNotMatch(last(world)?.reason ?? "", /password was/, "which is not shown");
    assert.equal(world.stops, stops);
    if (stops === 0) return;
    assert.equal(world.post.status, "draft");
    assert.match(last(world)?.reason ?? "", /it was stopped: Take entry 17/);
    assert.match(world.notices.join(), /Publish News/);
    const order = world.log.filter((line) => !line.startsWith("GET"));
    assert.deepEqual(order, [
      "intent post.unpublish",
      'POST /wp-json/wp/v2/posts/17 {"status":"draft"}',
      "outcome ok",
    ]);
  });
}

test("INV-93: what the site says draws nothing where a person reads it", async () => {
  const world = new World();
  const watches = watch(world);
  await ends(world, "watched");
  world.post.title = "\u202eScam\u009b2J\u001b[2J\nnew line";
  to(world, watches, BEFORE);
  await ends(world, "stopped");
  await watches.close();
  assert.doesNotMatch(`${last(world)?.reason}${world.notices.join().slice(1)}`, /[\p{Cc}\u202e]/u);
});

test("a change right after its time is stopped too", async () => {
  const world = new World();
  const watches = watch(world);
  await through(world, watches, [BEFORE]);
  await until("compared once", () => world.log.length === 2);
  await pause(20);
  world.post.title = "Scam";
  to(world, watches, AFTER);
  await ends(world, "stopped");
  await watches.close();
  assert.equal(world.stops, 1);
});

test("what hangs is not readable, and what does not take the stop is told as such, once", async () => {
  const world = new World();
  world.hangs = true;
  const watches = watch(world);
  await until("the stop is sent", () => world.stops === 1);
  world.hangs = false;
  await watches.close();
  const refused = new World();
  refused.stopStatus = 400;
  const again = watch(refused);
  await ends(refused, "watched");
  refused.post.title = "Scam";
  to(refused, again, BEFORE);
  await ends(refused, "not-stopped");
  await again.close();
  assert.match(
    last(refused)?.reason ?? "",
    /could not be stopped \(400\): look at the system itself/,
  );
  assert.equal(refused.stops, 1, "nothing is tried blindly");
});

test("without its credential it can be neither compared nor stopped, and that is said", async () => {
  const world = new World();
  const watches = watch(world);
  await ends(world, "watched");
  world.openFails = true;
  to(world, watches, BEFORE);
  await ends(world, "not-stopped");
  await watches.close();
  assert.match(
    last(world)?.reason ?? "",
    /cannot be read.*could not be stopped \(.*went with its run/,
  );
});

test("an answer that says no place is neither read nor stopped, and that is said", async () => {
  const world = new World();
  const watches = watch(world, "p-1", { id: ".." });
  await ends(world, "not-stopped");
  await watches.close();
  assert.deepEqual(world.log, []);
  assert.match(last(world)?.reason ?? "", /does not say where it is/);
});

test("what takes effect at once, and what was refused, is not watched", async () => {
  const world = new World({ status: "publish" });
  const watches = watch(world);
  await until("it was read", () => world.log.length === 1);
  watches.sending(world.approval("p-2"));
  watches.answered(world.approval("p-2"), {
    status: 400,
    headers: [],
    body: Buffer.from("{}"),
    isCut: false,
  });
  await watches.close();
  const store = new WatchStore(world.file);
  assert.deepEqual(store.list(), []);
  store.close();
});

test("what still waits after its time is compared until it does not", async () => {
  const world = new World({ cron: false });
  const watches = watch(world);
  await through(world, watches, [BEFORE, AFTER, AFTER + 10_000, AFTER + 3_600_000]);
  await until("it was read often", () => world.log.length === 5);
  await pause(20);
  world.post.status = "publish";
  to(world, watches, AFTER + 8_000_000);
  await ends(world, "unchanged");
  await watches.close();
  assert.equal(world.stops, 0);
});

test("a later approval of the same takes its place, and is not taken for a change", async () => {
  const world = new World();
  const watches = watch(world);
  await ends(world, "watched");
  world.editState = "performing";
  watches.sending(world.approval("p-edit", "/17"));
  world.post.title = "News, again";
  to(world, watches, BEFORE); // The first one is not looked at while the other is under way.
  await pause(50);
  assert.equal(world.stops, 0);
  world.post.date += 500_000;
  world.editState = "performed";
  const body = Buffer.from("{}");
  watches.answered(world.approval("p-edit", "/17"), {
    status: 200,
    headers: [],
    body,
    isCut: false,
  });
  watches.look();
  await until("it was replaced", () => world.told.some(({ later }) => later === "replaced"));
  await until("both are seen to", () => world.told.length === 3);
  for (const at of [BEFORE, AFTER]) {
    const reads = world.log.length;
    to(world, watches, at + 500_000);
    await until("it was read", () => world.log.length === reads + 1);
    await pause(20);
  }
  await ends(world, "unchanged");
  await watches.close();
  assert.equal(world.stops, 0);
});

for (const [waits, stops] of [
  [true, 1],
  [false, 0],
] as const) {
  test(`of what nobody knows whether it was sent ${waits ? "what waits is stopped" : "nothing is"}`, async () => {
    const world = new World(waits ? {} : { status: "publish" });
    world.editState = "failed";
    world.reason = "the daemon ended while it was performed";
    const watches = new Watches(world.ports(), QUICK);
    watches.sending(world.approval("p-edit", "/17"));
    watches.look();
    await until("it was read", () => world.log.length > 0);
    if (waits) await ends(world, "stopped");
    await watches.close();
    assert.equal(world.stops, stops);
  });
}

test("what was due while the daemon was off is compared when it is back, and told to be late", async () => {
  for (const change of [false, true]) {
    const world = new World();
    const before = watch(world);
    await ends(world, "watched");
    await before.close();
    world.nowMs = START + AFTER + 60_000;
    if (change) world.post.title = "Scam";
    const back = new Watches(world.ports(), QUICK);
    back.look();
    await ends(world, change ? "stopped" : "unchanged");
    await back.close();
    assert.match(last(world)?.reason ?? "", /compared only at .*, after its time/);
    assert.equal(world.stops, change ? 1 : 0);
  }
});

test("INV-72: killed at any point, it goes on from there: stopped, at most twice, and told", async () => {
  const copies = join(root, "copies");
  mkdirSync(copies);
  const killed: { readonly file: string; readonly what: string; readonly stops: number }[] = [];
  const world = new World();
  world.before = (what) => {
    const file = join(copies, `${killed.length}.db`);
    for (const end of ["", "-wal"])
      if (existsSync(`${world.file}${end}`)) cpSync(`${world.file}${end}`, `${file}${end}`);
    killed.push({ file, what, stops: world.stops });
    if (last(world)?.later === "watched") world.post.title = "Scam";
  };
  const watches = watch(world);
  await ends(world, "watched");
  to(world, watches, BEFORE);
  await ends(world, "stopped");
  await watches.close();
  assert.equal(world.stops, 1);
  const at = killed.findIndex(({ what }) => what === "tell watched");
  assert.ok(at > 0 && killed.length > at + 6, "it was killed before, between and after");
  for (const { file, what, stops } of killed.slice(at)) {
    const next = new World({ title: "Scam", status: "publish" }, file);
    next.nowMs = START + AFTER;
    const back = new Watches(next.ports(), QUICK);
    back.look();
    await ends(next, "stopped");
    await back.close();
    assert.ok(stops + next.stops <= 2, `${what}: ${stops} and ${next.stops}`);
    assert.ok(stops + next.stops >= 1, `${what}: it was stopped`);
  }
});

test("INV-72: killed at each stop, it is sent twice and not a third time, and that is said", async () => {
  let file = join(root, "again.db");
  const sent: number[] = [];
  for (const turn of [1, 2, 3]) {
    const world = new World(turn === 1 ? {} : { title: "Scam" }, file);
    const copy = join(root, `again-${turn}.db`);
    world.before = (what) => {
      if (what !== "POST") return;
      for (const end of ["", "-wal"]) cpSync(`${file}${end}`, `${copy}${end}`);
    };
    const watches = turn === 1 ? watch(world) : new Watches(world.ports(), QUICK);
    if (turn === 1) await ends(world, "watched");
    world.post.title = "Scam";
    to(world, watches, BEFORE);
    await ends(world, turn < 3 ? "stopped" : "not-stopped");
    await watches.close();
    sent.push(world.stops);
    if (turn === 3) assert.match(last(world)?.reason ?? "", /not known whether that was sent/);
    file = copy;
  }
  assert.deepEqual(sent, [1, 1, 0]);
});

test("fault daemon.watches: a file that is no store is refused; an approval that is gone is dropped", async () => {
  const folder = join(root, "folder");
  mkdirSync(folder);
  assert.throws(() => new WatchStore(folder), { code: "daemon.watches" });
  const world = new World();
  const watches = new Watches(world.ports(), QUICK);
  watches.sending(world.approval("p-gone"));
  watches.look();
  await until("it is logged", () => world.log.some((line) => line.startsWith("watch.none")));
  await watches.close();
});

test("values are kept by their hash and their first characters, and compared whole", () => {
  const long = "x".repeat(500);
  const kept = keep({ a: long, b: "1", password: "p" });
  assert.ok(JSON.stringify(kept["a"]).length < 300);
  const none = () => false;
  assert.deepEqual(changesSince(kept, keep({ a: long, b: "1", password: "p" }), none), []);
  assert.match(
    changesSince(kept, keep({ a: `${long}y`, b: "1", password: "p" }), none).join(),
    /^a was/,
  );
  assert.deepEqual(changesSince(kept, keep({ a: long, b: "1" }), none), [
    "password was p and is not there",
  ]);
  const isPassword = (name: string) => name === "password";
  assert.deepEqual(changesSince(kept, keep({ a: long, b: "1" }), isPassword), [
    "password is another",
  ]);
});
