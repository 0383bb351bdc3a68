/** The approvals screen in a real browser: each kind of look. */
import { test } from "node:test";
import type { Page } from "playwright-core";
import { TestHome } from "../support/home.ts";
import { ask, KINDS, type Waiting } from "./approval-cases.ts";
import { openDesk, type Desk } from "./kit.ts";

/** A console over a home in which all of `waiting` waits. */
async function deskWith(waiting: readonly Waiting[]) {
  const home = new TestHome();
  const ids = await ask(home, waiting);
  const desk = await openDesk({ home });
  return { desk, ids };
}

async function openCard(desk: Desk, page: Page, id: string): Promise<void> {
  await page.goto(`${desk.origin}/approvals/${id}`);
  await page.getByRole("article", { name: `Approval ${id}` }).waitFor();
}

/** Words that stand on the card of each kind, in its own form. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  post: [
    "Winter sale",
    "https://shop.example/sale  <- the sale",
    "it holds a script",
    "hidden: buy now buy now",
  ],
  message: ["C024BE91L", "Deploy is done :tada:"],
  mail: [
    "eve@rival.example",
    "blind copy: no header names it",
    "a link that reads bank.example leads to evil.example",
    "invoice.pdf",
    "display: none: ignore this",
    "outside",
    "new",
  ],
  sql: [
    "UPDATE public.orders SET state = 'paid'",
    "12 rows are touched",
    "2 of 12 rows are shown",
    "paid",
    "public.orders",
  ],
  command: ["rm -r /srv/cache", "delete", "What it does, one after the other"],
  file: ["/srv/www/index.html", "- <h1>old</h1>", "+ <h1>new</h1>"],
  workflow: [
    "RUNS CODE or commands",
    "POST https://hooks.example/in",
    "5 nodes, those first that can do most",
  ],
  payment: ["80.00 EUR", "ann@client.example", "Thank you"],
  call: ["Tool deploy", '"service": "shop"'],
  raw: ["8 B that nothing here reads"],
  push: ["refs/heads/agent/x", "1 commit", "Difference of"],
};

test("each kind of approval is shown in its system's own look, in light and dark, and passes axe", async () => {
  const kinds = Object.keys(KINDS);
  const { desk, ids } = await deskWith(Object.values(KINDS));
  await using _ = desk;
  const page = await desk.signedIn();
  const dark = await desk.alsoSignedIn(page, { dark: true });
  for (const [at, kind] of kinds.entries()) {
    const id = ids[at] ?? "";
    await openCard(desk, page, id);
    const card = page.getByRole("article", { name: `Approval ${id}` });
    for (const word of WORDS[kind] ?? []) {
      await card.getByText(word).first().waitFor({ state: "attached", timeout: 5000 });
    }
    await desk.picture(page, `approvals-${kind}`);
    await desk.isAccessible(page);
  }
  await openCard(desk, dark, ids[kinds.indexOf("workflow")] ?? "");
  await desk.picture(dark, "approvals-dark");
  await desk.isAccessible(dark);
});

test("with nothing that waits the screen says what will stand there, and how to make it so", async () => {
  await using desk = await openDesk();
  const page = await desk.signedIn();
  await page.goto(`${desk.origin}/approvals`);
  await page.getByRole("heading", { name: "Nothing waits for you" }).waitFor();
  await page.getByText("cofferdam run --profile").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "approvals-empty");
});

test("INV-274: what ended while the stream was down is gone from what waits once it is live", async () => {
  const { desk, ids } = await deskWith([KINDS["post"], KINDS["message"]] as Waiting[]);
  await using _ = desk;
  const page = await desk.signedIn();
  const down = Promise.withResolvers<void>();
  await page.route("**/api/stream*", async (route) => {
    await down.promise;
    await route.continue();
  });
  await page.goto(`${desk.origin}/approvals`);
  const list = page.getByRole("navigation", { name: "What waits" });
  const [ended = "", stays = ""] = ids;
  await list.locator(`a[href$="${ended}"]`).waitFor();
  await desk.home.ask("approvals.deny", { id: ended, reason: "not now" });
  await list.locator(`a[href$="${ended}"]`).waitFor();
  down.resolve();
  await list.locator(`a[href$="${ended}"]`).waitFor({ state: "detached" });
  await list.locator(`a[href$="${stays}"]`).waitFor();
});
