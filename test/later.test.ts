/** What was approved to take effect later, end to end: compared before its time, and stopped where it changed. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import type { ApprovalInfo } from "../src/api/index.ts";
import { startDouble, type Double } from "./doubles/double.ts";
import { eventually, TestHome } from "./support/home.ts";

const SECRET = "correct horse battery staple 4711";
/** Time enough to approve, in seconds; a machine that tests is slow and shared. */
const AHEAD_S = 40;

interface Post {
  readonly id: number;
  status: string;
  title: string;
  date_gmt: string;
}

/** A site in the shape of WordPress's API: what is dated ahead waits, and is published when its time comes. */
class Site {
  readonly #posts = new Map<number, Post>();
  readonly unreadable = new Set<number>();
  #double: Double | undefined;

  async start(): Promise<void> {
    this.#double = await startDouble(({ method, path, json, headers }, effects) => {
      const basic = Buffer.from(`editor:${SECRET}`).toString("base64");
      if (headers.authorization !== `Basic ${basic}`) return { status: 401 };
      const [, , , kind, number] = path;
      if (kind !== "posts") return undefined;
      const id = number === undefined ? this.#posts.size + 1 : Number(number);
      const post = this.#posts.get(id) ?? { id, status: "draft", title: "", date_gmt: "" };
      if (method === "POST") {
        Object.assign(post, json);
        this.#posts.set(id, post);
        effects.push({ kind: "post", who: path.join("/"), what: JSON.stringify(json) });
        return { status: number === undefined ? 201 : 200, json: { id } };
      }
      if (this.unreadable.has(id)) return { status: 500 };
      this.publishDue();
      return { status: 200, json: { ...post, title: { raw: post.title } } };
    });
  }

  get double(): Double {
    assert.ok(this.#double !== undefined);
    return this.#double;
  }

  publishDue(): void {
    for (const post of this.#posts.values())
      if (post.status === "future" && Date.parse(`${post.date_gmt}Z`) <= Date.now())
        post.status = "publish";
  }

  titled(title: string): Post {
    const post = [...this.#posts.values()].find((one) => one.title === title);
    assert.ok(post !== undefined, title);
    return post;
  }

  stopsOf({ id }: Post): number {
    return this.double.effects.filter(
      ({ who, what }) => who.endsWith(`/posts/${id}`) && what.includes("draft"),
    ).length;
  }
}

/** A home, and a site that its runs may publish on. */
async function begin(t: TestContext): Promise<{ readonly home: TestHome; readonly site: Site }> {
  const home = new TestHome();
  const site = new Site();
  t.after(async () => {
    await home.close();
    await site.double.close();
  });
  await site.start();
  const added = await home.call(
    [
      ...["credential", "add", "blog", "--kind", "basic", "--user", "editor"],
      ...["--host", "blog.test", "--scheme", "http", "--port", "80", "--stdin"],
    ],
    { input: `${SECRET}\n` },
  );
  assert.equal(added.code, 0, added.stderr);
  writeFileSync(
    join(home.root, "task.yaml"),
    `task: blog-work
purpose: Schedule.
environment: []
approvals: { hold: 60s }
grants:
  - system: wordpress
    name: blog
    hosts: [blog.test]
    ports: [80]
    dial: "${new URL(site.double.url).host}"
    credential: blog
    variable: BLOG_PASSWORD
    allow:
      - verbs: ["*"]
        doing: [read, write, publish]
`,
  );
  return { home, site };
}

const find = async (home: TestHome, id: string) =>
  (await home.approvals({ all: true })).find((one) => one.id === id);

/** A run that schedules `titles`, each approved; gives the approvals once they are watched. */
async function schedule(
  home: TestHome,
  titles: readonly string[],
  more = "true",
): Promise<{
  readonly watched: readonly ApprovalInfo[];
  readonly run: Promise<{ stdout: string; stderr: string }>;
}> {
  await home.approvals(); // The daemon's start is none of the time to approve in.
  const dueAt = new Date(Date.now() + AHEAD_S * 1000).toISOString().slice(0, 19);
  const url = "http://blog.test/wp-json/wp/v2/posts";
  const post = (title: string) => {
    const json = JSON.stringify({ title, status: "future", date_gmt: dueAt });
    return `curl -s -o /dev/null -w '%{http_code} ' --max-time 90 -u "editor:$BLOG_PASSWORD" -H 'content-type: application/json' -d '${json}' ${url} &`;
  };
  const script = `${titles.map(post).join("\n")}\nwait\n${more}`;
  const run = home.run(["sh", "-c", script], ["--task", join(home.root, "task.yaml")]);
  const asked = await eventually("all wait", 60_000, async () => {
    const all = await home.approvals();
    return all.length === titles.length ? all : undefined;
  });
  await Promise.all(
    asked.map(async ({ id }) => home.ask("approvals.approve", { id, code: await home.codeOf(id) })),
  );
  const watched = await eventually("all are watched", 60_000, async () => {
    const all = await Promise.all(asked.map(({ id }) => find(home, id)));
    const known = all.filter((one) => one?.reason.includes("is compared until then") === true);
    return known.length === asked.length ? (known as ApprovalInfo[]) : undefined;
  });
  return { watched, run };
}

const titleOf = (summary: string) => summary.split(": ").at(-1) ?? "";

async function reason(home: TestHome, id: string, is: RegExp): Promise<string> {
  return eventually(`${id} says ${is}`, 120_000, async () => {
    const text = (await find(home, id))?.reason ?? "";
    return is.test(text) ? text : undefined;
  });
}

// Most of each is waiting for a time to come, so they wait together.
describe("what was approved for a time", { concurrency: true }, () => {
  test("INV-72: unchanged it takes effect; changed or unreadable it is stopped once, on record, and told", async (t) => {
    const { home, site } = await begin(t);
    const { watched, run } = await schedule(home, ["Same", "Other", "Dark"], "sleep 40");
    const idOf = (title: string) =>
      watched.find(({ summary }) => titleOf(summary) === title)?.id ?? title;
    const [same, other, dark] = [site.titled("Same"), site.titled("Other"), site.titled("Dark")];
    other.title = "Scam"; // By somebody else, who has the site's own pages.
    site.unreadable.add(dark.id);
    const changed = await reason(home, idOf("Other"), /stopped/);
    assert.match(changed, /title.raw was "Other" and is "Scam"; it was stopped: Take entry/);
    assert.match(await reason(home, idOf("Dark"), /stopped/), /cannot be read.*it was stopped/);
    assert.match(await reason(home, idOf("Same"), /took effect/), /as it was approved/);
    site.publishDue();
    assert.deepEqual([same.status, other.status, dark.status], ["publish", "draft", "draft"]);
    assert.deepEqual(
      [same, other, dark].map((one) => site.stopsOf(one)),
      [0, 1, 1],
    );
    const shown = await home.call(["approvals", "show", idOf("Other"), "--json"]);
    assert.match(shown.stdout, /Scam/);
    const { stderr, stdout } = await run;
    assert.match(
      stderr + stdout,
      new RegExp(`${idOf("Other")} .*it was stopped`),
      "whoever looked on saw it",
    );
    const log = await home.log();
    const mine = log.filter(
      ({ data, rule }) =>
        data?.["approval"] === idOf("Other") || rule === `approval.${idOf("Other")}`,
    );
    const steps = mine.map(({ type, data }) => [
      type,
      data?.["later"] ?? data?.["verb"] ?? data?.["status"],
    ]);
    assert.deepEqual(
      steps.slice(-6),
      [
        ["action", "post.publish"],
        ["outcome", 201],
        ["approval", "post.publish"],
        ["approval", "watched"],
        ["action", "post.unpublish"],
        ["outcome", 200],
        ["approval", "stopped"],
      ].slice(-6),
    );
  });

  test("INV-72: a daemon that is killed between compares when it is back, and stops what changed", async (t) => {
    const { home, site } = await begin(t);
    const { watched, run } = await schedule(home, ["Kept", "Broken"]);
    await run;
    const pid = home.daemonPid();
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    const [kept, broken] = [site.titled("Kept"), site.titled("Broken")];
    broken.title = "Scam, again";
    const due = Date.parse(`${kept.date_gmt}Z`);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - Date.now()) + 2500));
    site.publishDue();
    const ids = new Map(watched.map(({ id, summary }) => [titleOf(summary), id]));
    assert.match(
      await reason(home, ids.get("Broken") ?? "", /stopped/),
      /compared only at .*, after its time/,
    );
    assert.match(
      await reason(home, ids.get("Kept") ?? "", /took effect/),
      /compared only at .*as it was approved/,
    );
    assert.deepEqual([kept.status, broken.status], ["publish", "draft"]);
    assert.deepEqual([site.stopsOf(kept), site.stopsOf(broken)], [0, 1]);
  });
});
