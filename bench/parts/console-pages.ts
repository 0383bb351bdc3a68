/**
 * The console in a real browser, over a home with 50 runs and 100,000 entries: until something is painted and until the
 * cards stand there, how long a key takes to be seen, which frames are late while 10,000 entries a minute come, what the
 * first load weighs, and what the console's process holds.
 *
 * @module
 */
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { Fault } from "../../src/base/index.ts";
import { openDesk, type Desk } from "../../test/console/kit.ts";
import { sampleHome } from "../../test/console/sample/index.ts";
import { TestHome } from "../../test/support/home.ts";
import { megabytesOf } from "../memory.ts";
import type { Part } from "../part.ts";
import { ROOT } from "../place.ts";
import { createRow } from "../row.ts";
import { quantile } from "../statistics.ts";

const RUNS = 50;
const ENTRIES = 100_000;
const ROUNDS = 5;
const KEYS = 40;
const FLOOD_S = 20;
const LOOPS = 4;
/** Frames that took longer than this were seen to. */
const LATE_MS = 50;
const TASK = "task: flood\npurpose: Start one program after another\ngrants: []\n";

export const consolePages: Part = {
  name: "console-pages",
  group: "console",
  async measure({ tell }) {
    const home = new TestHome();
    try {
      await sampleHome(home.state, { runs: RUNS, events: ENTRIES, nowMs: Date.now() + 10_000 });
      await using desk = await openDesk({ home });
      return await measurePages(desk, tell);
    } finally {
      await home.close();
    }
  },
};

async function measurePages(desk: Desk, tell: Parameters<Part["measure"]>[0]["tell"]) {
  const page = await desk.signedIn();
  await page.getByRole("article").first().waitFor();
  await page.getByText("ended").first().waitFor();
  await sleep(3000); // The index is made.
  const empty = await blankPaints(page, desk.origin);
  const opened = await openings(page, desk.origin);
  const idle = megabytesOf(desk.pid);
  const keys = await keysOf(page);
  const { frames, floor, entries } = await flooded(desk, page);
  const flooding = megabytesOf(desk.pid);
  const late = lateOf(frames);
  tell(
    "console-pages",
    { opened, keys, frames: { count: frames.length, late, worst: Math.max(...frames) }, entries },
    `console: ${frames.length} frames while ${entries} entries came in ${FLOOD_S} s, ${late} of them later than ${LATE_MS} ms, ` +
      `the worst ${Math.max(...frames).toFixed(0)} ms; the process holds ${idle.toFixed(0)} MB, then ${flooding.toFixed(0)} MB`,
  );
  return [
    createRow({
      name: "console/first-paint",
      unit: "ms",
      values: opened.map(({ paint }) => paint),
      against: { name: "an empty file of the same server", values: empty },
      goal: { of: "value", must: "<", be: 1000 },
    }),
    createRow({
      name: "console/cards",
      unit: "ms",
      values: opened.map(({ cards }) => cards),
      goal: { of: "value", must: "<", be: 2000 },
    }),
    createRow({
      name: "console/key-to-paint",
      unit: "ms p98",
      values: [quantile(keys, 0.98)],
      goal: { of: "value", must: "<", be: 100 },
    }),
    createRow({
      name: "console/worst-frame",
      unit: "ms",
      values: [Math.max(...frames)],
      against: { name: "an empty page under the same load", values: [Math.max(...floor)] },
      goal: { of: "value", must: "<=", be: LATE_MS },
    }),
    createRow({
      name: "console/first-load",
      unit: "KB gzip",
      values: [firstLoad() / 1024],
      goal: { of: "value", must: "<=", be: 250 },
    }),
    createRow({
      name: "console/memory",
      unit: "MB",
      values: [flooding],
      goal: { of: "value", must: "<=", be: 400 },
    }),
  ];
}

/** What a page costs this browser and machine that shows nothing but a picture of ours. */
async function blankPaints(page: Page, origin: string): Promise<readonly number[]> {
  const paints: number[] = [];
  for (let n = 0; n < ROUNDS; n += 1) {
    await page.goto(`${origin}/icon.svg`);
    const ms: unknown = await page.evaluate(
      "performance.getEntriesByType('navigation')[0].duration",
    );
    paints.push(Number(ms));
  }
  return paints;
}

async function openings(page: Page, origin: string) {
  const opened: { readonly paint: number; readonly cards: number }[] = [];
  for (let n = 0; n < ROUNDS; n += 1) {
    await page.goto("about:blank");
    await page.goto(origin, { waitUntil: "commit" });
    const cards: unknown = await page.evaluate(`new Promise((resolve) => {
      const look = () => document.querySelector("article[data-run]") ? resolve(performance.now()) : requestAnimationFrame(look);
      look();
    })`);
    const paint: unknown = await page.evaluate(
      "performance.getEntriesByName('first-contentful-paint')[0]?.startTime",
    );
    opened.push({ paint: Number(paint), cards: Number(cards) });
  }
  return opened;
}

/** From each key to the frame behind it, in the page's own time. */
async function keysOf(page: Page): Promise<readonly number[]> {
  await page.evaluate(`globalThis.tookMs = [];
    addEventListener("keydown", (event) => {
      requestAnimationFrame(() => setTimeout(() => tookMs.push(performance.now() - event.timeStamp)));
    }, true);`);
  for (let n = 0; n < KEYS; n += 1) {
    await page.keyboard.press(n % 8 === 7 ? "k" : "j");
    await sleep(40);
  }
  return (await page.evaluate("tookMs")) as number[];
}

/** Gaps between frames while a run starts programs as fast as is asked for. */
async function flooded(desk: Desk, page: Page) {
  desk.home.write("flood.yaml", TASK);
  // Each start of a program is an entry of its own where its words differ.
  const script = "i=0; while :; do i=$((i+1)); /bin/true $i; [ $((i%10)) = 0 ] && sleep 0.15; done";
  for (let n = 0; n < LOOPS; n += 1) {
    const args = ["-d", "--task", "flood.yaml"];
    const { code, stderr } = await desk.home.run(["sh", "-c", script], args);
    if (code !== 0) throw new Fault("bench.console", `the flood did not start: ${stderr}`);
  }
  await page.getByText("Start one program after another").first().waitFor();
  await sleep(1000);
  const before = await desk.home.ask("daemon.status", {});
  const frames = await framesOf(page);
  const after = await desk.home.ask("daemon.status", {});
  // Nothing to show, in the same browser under the same load: what the machine itself leaves out.
  await page.goto("about:blank");
  const floor = await framesOf(page);
  return { frames, floor, entries: after.entries - before.entries };
}

/** Milliseconds between frames, for as long as the flood is looked at. */
async function framesOf(page: Page): Promise<readonly number[]> {
  const gaps = (await page.evaluate(`new Promise((resolve) => {
    const gaps = [];
    const start = performance.now();
    let last = start;
    const look = (now) => {
      gaps.push(now - last);
      last = now;
      if (now - start > ${FLOOD_S * 1000}) resolve(gaps);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  })`)) as number[];
  return gaps.slice(1);
}

function lateOf(frames: readonly number[]): number {
  return frames.filter((ms) => ms > LATE_MS).length;
}

/** Bytes that a browser must have before anything is shown, and the first screen: page, its script and style, Now. */
function firstLoad(): number {
  const folder = join(ROOT, "build", "web");
  const page = readFileSync(join(folder, "index.html"), "utf8");
  const named = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, name]) => name);
  const screen = globSync("assets/now-*.{js,css}", { cwd: folder });
  return ["index.html", ...named, ...screen]
    .map((name) => statSync(join(folder, `${name}.gz`)).size)
    .reduce((sum, bytes) => sum + bytes, 0);
}
