import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Json } from "../action/index.ts";
import type { Approval } from "../approval/index.ts";
import { Fault, systemClock } from "../base/index.ts";
import { describeRequest, findEntry, type CatalogRequest } from "../catalog/index.ts";
import type { Asked, HeldRequest } from "../gateway/index.ts";
import { changesSince, keep, WatchStore } from "./watch-store.ts";
import { Watches, type WatchPorts } from "./watches.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-watches-"));
after(() => rmSync(root, { recursive: true, force: true }));

const FAST = { leadMs: 40, afterMs: 40, againMs: 5, readMs: 200, stopMs: 500 };
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

  constructor(dueInMs: number, change: Partial<Post> = {}, file = join(root, `${++files}.db`)) {
    this.file = file;
    const date = Date.now() + dueInMs;
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
      clock: systemClock,
      log: {
        info() {},
        warn: (code: string, data: unknown) =>
          void this.log.push(`${code} ${JSON.stringify(data)}`),
      } as never,
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
          actionOf: (request) => {
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

  async #ask({ method, target, body }: HeldRequest): Promise<Asked> {
    const { post } = this;
    this.before(method);
    if (post.cron && post.status === "future" && Date.now() >= post.date) post.status = "publish";
    this.log.push(`${method} ${target}${body === undefined ? "" : ` ${body}`}`);
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
  const watches = new Watches(world.ports(), FAST);
  watches.sending(world.approval(id, id === "p-edit" ? "/17" : ""));
  const body = Buffer.from(JSON.stringify(answer));
  watches.answered(world.approval(id), { status: 201, headers: [], body, isCut: false });
  watches.look();
  return watches;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let left = 2000; !holds(); left -= 1) {
    assert.ok(left > 0, `not in time: ${what}`);
    await pause(10);
  }
}

const last = ({ told }: World) => told.at(-1);
/** Never a step that failed within us. */
const ends = (world: World, later: string) =>
  until(
    `${later}, told ${JSON.stringify(world.told)} log ${world.log.join("|")}`,
    () => last(world)?.later === later,
  );

test("INV-72: what is as it was approved is read before and after its time, and nothing is sent", async () => {
  const world = new World(200);
  const watches = watch(world);
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
    const world = new World(200);
    const watches = watch(world);
    await ends(world, "watched");
    change(world);
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
  const world = new World(200);
  const watches = watch(world);
  await ends(world, "watched");
  world.post.title = "\u202eScam\u009b2J\u001b[2J\nnew line";
  await ends(world, "stopped");
  await watches.close();
  assert.doesNotMatch(`${last(world)?.reason}${world.notices.join().slice(1)}`, /[\p{Cc}\u202e]/u);
});

test("a change right after its time is stopped too", async () => {
  const world = new World(100);
  const watches = watch(world);
  await until("compared once", () => world.log.length === 2);
  world.post.title = "Scam";
  await ends(world, "stopped");
  await watches.close();
  assert.equal(world.stops, 1);
});

test("what hangs is not readable, and what does not take the stop is told as such, once", async () => {
  const world = new World(60_000);
  world.hangs = true;
  const watches = watch(world);
  await until("the stop is sent", () => world.stops === 1);
  world.hangs = false;
  await watches.close();
  const refused = new World(200);
  refused.stopStatus = 400;
  const again = watch(refused);
  await ends(refused, "watched");
  refused.post.title = "Scam";
  await ends(refused, "not-stopped");
  await again.close();
  assert.match(
    last(refused)?.reason ?? "",
    /could not be stopped \(400\): look at the system itself/,
  );
  assert.equal(refused.stops, 1, "nothing is tried blindly");
});

test("without its credential it can be neither compared nor stopped, and that is said", async () => {
  const world = new World(200);
  const watches = watch(world);
  await ends(world, "watched");
  world.openFails = true;
  await ends(world, "not-stopped");
  await watches.close();
  assert.match(
    last(world)?.reason ?? "",
    /cannot be read.*could not be stopped \(.*went with its run/,
  );
});

test("an answer that says no place is neither read nor stopped, and that is said", async () => {
  const world = new World(60_000);
  const watches = watch(world, "p-1", { id: ".." });
  await ends(world, "not-stopped");
  await watches.close();
  assert.deepEqual(world.log, []);
  assert.match(last(world)?.reason ?? "", /does not say where it is/);
});

test("what takes effect at once, and what was refused, is not watched", async () => {
  const world = new World(200, { status: "publish" });
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
  const world = new World(100, { cron: false });
  const watches = watch(world);
  await until("it was read often", () => world.log.length > 4);
  world.post.status = "publish";
  await ends(world, "unchanged");
  await watches.close();
  assert.equal(world.stops, 0);
});

test("a later approval of the same takes its place, and is not taken for a change", async () => {
  const world = new World(300);
  const watches = watch(world);
  await ends(world, "watched");
  world.editState = "performing";
  watches.sending(world.approval("p-edit", "/17"));
  world.post.title = "News, again";
  await pause(350); // The time of the first one: it is not looked at while the other is under way.
  assert.equal(world.stops, 0);
  world.post.status = "future";
  world.post.date += 500;
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
  await ends(world, "unchanged");
  await watches.close();
  assert.equal(world.stops, 0);
});

for (const [waits, stops] of [
  [true, 1],
  [false, 0],
] as const) {
  test(`of what nobody knows whether it was sent ${waits ? "what waits is stopped" : "nothing is"}`, async () => {
    const world = new World(60_000, waits ? {} : { status: "publish" });
    world.editState = "failed";
    world.reason = "the daemon ended while it was performed";
    const watches = new Watches(world.ports(), FAST);
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
    const world = new World(150);
    const before = watch(world);
    await ends(world, "watched");
    await before.close();
    await pause(200);
    if (change) world.post.title = "Scam";
    const back = new Watches(world.ports(), FAST);
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
  const world = new World(150);
  world.before = (what) => {
    const file = join(copies, `${killed.length}.db`);
    for (const end of ["", "-wal"])
      if (existsSync(`${world.file}${end}`)) cpSync(`${world.file}${end}`, `${file}${end}`);
    killed.push({ file, what, stops: world.stops });
    if (last(world)?.later === "watched") world.post.title = "Scam";
  };
  const watches = watch(world);
  await ends(world, "stopped");
  await watches.close();
  assert.equal(world.stops, 1);
  const at = killed.findIndex(({ what }) => what === "tell watched");
  assert.ok(at > 0 && killed.length > at + 6, "it was killed before, between and after");
  for (const { file, what, stops } of killed.slice(at)) {
    const next = new World(-50, { title: "Scam", status: "publish" }, file);
    const back = new Watches(next.ports(), FAST);
    back.look();
    await ends(next, "stopped");
    await back.close();
    assert.ok(stops + next.stops <= 2, `${what}: ${stops} and ${next.stops}`);
    assert.ok(stops + next.stops >= 1, `${what}: it was stopped`);
  }
});

test("fault daemon.watches: a file that is no store is refused; an approval that is gone is dropped", async () => {
  const folder = join(root, "folder");
  mkdirSync(folder);
  assert.throws(() => new WatchStore(folder), { code: "daemon.watches" });
  const world = new World(60_000);
  const watches = new Watches(world.ports(), FAST);
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
