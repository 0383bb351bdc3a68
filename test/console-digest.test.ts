/** What the page's own code sends with a yes, to a real console: web/ as it is, with no browser around it. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask, post } from "./console/approval-cases.ts";
import { openAsked, type AskedConsole } from "./support/console.ts";
import { eventually, TestHome } from "./support/home.ts";

/** What is used here of web/screens/approvals/approve.ts, which is typed for browsers. */
interface Page {
  approve(yes: {
    readonly id: string;
    readonly code: string;
    readonly digest: string;
  }): Promise<{ readonly by: readonly string[] }>;
}

const home = new TestHome();
let open: AskedConsole;
let page: Page;
let ids: readonly string[];

before(async () => {
  ids = await ask(home, [post("<p>One</p>"), post("<p>Other</p>")]);
  open = await openAsked(home);
  const byNode = globalThis.fetch;
  const given = {
    // A page names its own origin by a path alone; its cookie and key are the visitor's.
    fetch: async (to: string | URL, init: RequestInit & { readonly body: string }) =>
      typeof to === "string" ? open.post(to, init.body) : byNode(to, init),
    localStorage: { getItem: () => "k" },
    location: { hostname: "localhost" },
  };
  for (const [name, value] of Object.entries(given))
    Object.defineProperty(globalThis, name, { value, configurable: true });
  page = (await import(`${import.meta.dirname}/../web/screens/approvals/approve.ts`)) as Page;
});
after(async () => {
  await open?.close();
  await home.close();
});

/** A card as the page has it, and the same after an edit that shares its code. */
async function cardOf(id: string) {
  const { code, action } = await open.ask("approvals.show", { id });
  const digest = `${code}${"0".repeat(action.digest.length - code.length)}`;
  return { now: { id, code, digest: action.digest }, later: { id, code, digest } };
}

test("INV-271: the page's yes is to the whole digest of the card that it shows", async () => {
  const [id = ""] = ids;
  const { now, later } = await cardOf(id);
  await assert.rejects(page.approve(later), { code: "approval.code" });
  assert.deepEqual((await open.ask("approvals.show", { id })).by, []);
  assert.equal((await page.approve(now)).by.length, 1);
});

test("INV-271: the page has nobody sign for another digest than that of the card that it shows", async () => {
  const [, id = ""] = ids;
  const { now, later } = await cardOf(id);
  const file = join(home.state, "approvers.yaml");
  const listed = "approvers:\n  - { name: ada, identities: [passkey:ada] }\npasskeys: required\n";
  writeFileSync(file, listed, { mode: 0o600 });
  await eventually(
    "passkeys are required",
    60_000,
    async () => (await open.ask("approvals.channels", {})).needsProof,
  );
  await assert.rejects(page.approve(later), { code: "approval.code" });
  // Its own may be signed for; nothing here can.
  await assert.rejects(page.approve(now), { code: "web.passkey" });
  assert.deepEqual((await open.ask("approvals.show", { id })).by, []);
  rmSync(file);
});
