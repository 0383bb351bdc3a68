/**
 * `npm run console:pictures -- --out DIR`: one picture of each screen of the console, over a sample that lives.
 *
 *   --only NAME   those whose names begin so
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { openDesk, type Desk } from "../../test/console/kit.ts";
import { startSample } from "./sample.ts";
import { SHOTS, type Shot } from "./shots.ts";

const { values } = parseArgs({ options: { out: { type: "string" }, only: { type: "string" } } });
if (values.out === undefined) throw new Error("--out DIR says where the pictures go");
const out = resolve(values.out);
mkdirSync(out, { recursive: true });

const sample = await startSample();
try {
  await using desk = await openDesk({ home: sample.home, keepHome: true });
  const page = await desk.signedIn();
  const dark = await desk.alsoSignedIn(page, { dark: true });
  const phone = await desk.alsoSignedIn(page, { phone: true });
  for (const shot of SHOTS) {
    if (!shot.name.startsWith(values.only ?? "")) continue;
    await take(desk, page, shot, shot.name);
    if (shot.isDark === true) await take(desk, dark, shot, `${shot.name}-dark`);
    if (shot.isPhone === true) await take(desk, phone, shot, `${shot.name}-phone`);
  }
} finally {
  await sample.close();
}

async function take(desk: Desk, page: Page, shot: Shot, name: string): Promise<void> {
  await page.goto(`${desk.origin}${shot.path}`);
  await shot.arrange?.(page, sample);
  // What is loading has come, and what moves has stopped.
  await page.getByRole("status").filter({ hasText: "…" }).first().waitFor({ state: "hidden" });
  const path = join(out, `${name}.png`);
  await page.screenshot({ path });
  console.log(path);
}
