/** Deciding in the console, over real runs: by keys, on a phone, with undo, edits, leave, lists and another person. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import type { ApprovalInfo } from "../../src/api/index.ts";
import { eventually, TestHome, type Result } from "../support/home.ts";
import { ask, post } from "./approval-cases.ts";
import { openDesk, type Desk } from "./kit.ts";

const posts: string[] = [];
/** A site in the shape of WordPress's API. */
const site = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += String(chunk)));
  request.on("end", () => {
    if (request.method === "POST") posts.push(body);
    response.setHeader("content-type", "application/json");
    response.end('{"id":1,"status":"publish"}');
  });
});
let desk: Desk;
let page: Page;
let seeded = "";
before(async () => {
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  const home = new TestHome();
  [seeded = ""] = await ask(home, [{ ...post("<p>two</p>"), limits: { needsTwo: true } }]);
  desk = await openDesk({ home });
  page = await desk.signedIn();
  await page.goto(`${desk.origin}/approvals`);
});
after(async () => {
  await desk?.close();
  site.close();
  site.closeAllConnections();
});

/** A run that publishes each of `titles` at once, and prints the statuses in their order. */
function publishing(titles: readonly string[], more = ""): Promise<Result> {
  const file = join(desk.home.root, `task-${titles.join("")}.yaml`);
  const { port } = site.address() as AddressInfo;
  const grant = `{ system: wordpress, name: blog, hosts: [blog.test], ports: [80], dial: "127.0.0.1:${port}", allow: [{ verbs: ["*"], doing: [read, write, publish] }] }`;
  writeFileSync(
    file,
    `task: t\npurpose: p\napprovals: { hold: 90s, ${more} }\ngrants:\n  - ${grant}\n`,
  );
  const lines = titles.map((title, at) => {
    const body = JSON.stringify({ title, content: "<p>Hello</p>", status: "publish" });
    return `curl -s -o /dev/null -w '%{http_code} ' --max-time 95 -H 'content-type: application/json' -d '${body}' http://blog.test/wp-json/wp/v2/posts > ${at} &`;
  });
  const outputs = titles.map((_, at) => at).join(" ");
  const script = `cd "$(mktemp -d)"; ${lines.join("\n")}\nwait; cat ${outputs}`;
  return desk.home.run(["sh", "-c", script], ["--task", file]);
}

/** The approval whose title is in its summary, once it waits. */
function waitingFor(title: string): Promise<ApprovalInfo> {
  return eventually(`${title} waits`, 60_000, async () =>
    (await desk.home.approvals()).find(({ summary }) => summary.includes(title)),
  );
}

const stateOf = async (id: string) =>
  (await desk.home.approvals({ all: true })).find((one) => one.id === id)?.state;

/** Opens the card of `title` from the list, which the stream brought there. */
async function open(title: string): Promise<string> {
  const { id } = await waitingFor(title);
  const list = page.getByRole("navigation", { name: "What waits" });
  await list.locator(`a[href$="${id}"]`).click();
  await page.getByRole("article", { name: `Approval ${id}` }).waitFor();
  return id;
}

const INERT_MS = 450;
const LETTERS = "adebcfhilnopqrstuvwxyz0123456789".split("");

test("INV-189: by the keyboard alone, and no key by itself says yes", async () => {
  const before = posts.length;
  const run = publishing(["Keyed"]);
  const { id } = await waitingFor("Keyed");
  await page.getByText("Keyed").first().waitFor(); // The stream brought it: nobody asked again.
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  const card = page.getByRole("article", { name: `Approval ${id}` });
  await card.waitFor();
  // Every key there is, in a row; those that open a step of deciding are left again. (`g` begins a way elsewhere.)
  for (const key of [...LETTERS, "Space", "Enter", "Tab", "j", "k"]) {
    await page.keyboard.press(key);
    if ("ade".includes(key)) await page.getByRole("button", { name: "Cancel" }).click();
  }
  await open("Keyed");
  assert.notEqual(await stateOf(id), "performed");
  assert.equal(posts.length, before, "nothing was sent");
  await page.keyboard.press("a");
  const yes = page.getByRole("button", { name: "Approve: post.publish at blog" });
  await yes.waitFor();
  assert.equal(await yes.evaluate((button) => button.matches(":focus")), true);
  await page.getByText("This publishes at blog").waitFor();
  await page.keyboard.press("Enter"); // At once: a key that was meant for something else.
  assert.notEqual(await stateOf(id), "performed");
  assert.equal(posts.length, before);
  await page.waitForTimeout(INERT_MS);
  await page.keyboard.press("Enter");
  assert.equal((await run).stdout, "200 ");
  assert.equal(posts.length, before + 1);
  await page.getByText("the system answered 200").waitFor();
});

test("a no takes a reason from those that are usual, and the agent is told it", async () => {
  const run = publishing(["Refused"]);
  const id = await open("Refused");
  await page.keyboard.press("d");
  await page.getByRole("button", { name: "Not part of the task" }).click();
  await page.getByRole("button", { name: "Deny", exact: true }).click();
  await page.getByText("Not part of the task").first().waitFor();
  assert.equal((await run).stdout, "403 ");
  assert.equal(await stateOf(id), "denied");
});

test("INV-190: a yes waits, is counted down, and one press takes it back", async () => {
  const before = posts.length;
  const run = publishing(["Undone"], "undo: 1h");
  const id = await open("Undone");
  await page.keyboard.press("a");
  await page.getByText("It is done in 1 h; until then you can take it back").waitFor();
  await page.waitForTimeout(INERT_MS);
  await page.keyboard.press("Enter");
  const bar = page.getByRole("region", { name: "May be taken back" });
  await bar.getByText(/is done in 59:5\d|is done in 60:00/).waitFor();
  await desk.picture(page, "approvals-undo");
  await desk.isAccessible(page);
  await page.keyboard.press("u");
  await bar.waitFor({ state: "detached" });
  assert.equal((await run).stdout, "403 ");
  assert.equal(await stateOf(id), "cancelled");
  assert.equal(posts.length, before);
});

test("a person's own words are sent, once they were shown again with another code", async () => {
  const run = publishing(["Thrid"]);
  const id = await open("Thrid");
  const { code } = await desk.home.ask("approvals.show", { id });
  await page.keyboard.press("e");
  const text = page.getByRole("textbox", { name: "Body, as JSON" });
  await text.fill((await text.inputValue()).replace("Thrid", "Third"));
  await page.getByText('+   "title": "Third",').waitFor();
  await desk.picture(page, "approvals-edit");
  await desk.isAccessible(page);
  await page.getByRole("button", { name: "Save, and show it again" }).click();
  const changed = page.getByRole("region", { name: "Edited" });
  await changed.getByText("- title: Thrid").waitFor();
  await changed.getByText("+ title: Third").waitFor();
  assert.notEqual((await desk.home.ask("approvals.show", { id })).code, code);
  await page.keyboard.press("a");
  await page.waitForTimeout(INERT_MS);
  await page.keyboard.press("Enter");
  assert.equal((await run).stdout, "200 ");
  assert.equal((JSON.parse(posts.at(-1) ?? "") as { title: string }).title, "Third");
});

test("INV-189: what became another thing under the eyes is not approved, and is shown when asked for", async () => {
  const run = publishing(["Before"]);
  const id = await open("Before");
  const { body } = await desk.home.ask("approvals.show", { id });
  const other = Buffer.from(body, "base64").toString("utf8").replace("Before", "Behind");
  await page.keyboard.press("a");
  await desk.home.ask("approvals.edit", { id, body: Buffer.from(other).toString("base64") });
  await page.getByText("Somebody changed what is asked for").waitFor();
  await page.waitForTimeout(INERT_MS);
  await page.keyboard.press("Enter");
  await page.getByText("it is another by now: look at what it is").waitFor();
  assert.equal(await stateOf(id), "shown");
  await page.getByRole("button", { name: "Show what it is now" }).click();
  await page
    .getByRole("article", { name: `Approval ${id}` })
    .getByText("Behind")
    .first()
    .waitFor();
  await page.getByText("Somebody changed what is asked for").waitFor({ state: "detached" });
  // Another decides meanwhile, at the command line.
  await desk.home.call(["approvals", "deny", id, "--reason", "decided elsewhere"]);
  await page.getByText("decided elsewhere").waitFor();
  assert.equal(await page.getByRole("button", { name: /^Approve/ }).count(), 0);
  assert.equal((await run).stdout, "403 ");
});

test("leave for more is given within limits, with what it makes possible beside it", async () => {
  const before = posts.length;
  const run = publishing(["More"]);
  await open("More");
  await page.keyboard.press("m");
  const change = page.getByRole("region", { name: "Change of the blast radius" });
  await change.getByText("publications, unattended: 0 -> unbounded").waitFor();
  await page.getByRole("textbox", { name: "How many more" }).fill("0");
  await page.waitForTimeout(INERT_MS);
  await page.getByRole("button", { name: /^Approve this and up to/ }).click();
  await page.getByRole("alert").filter({ hasText: "a number from 1 to 1000" }).waitFor();
  await page.getByRole("textbox", { name: "How many more" }).fill("2");
  await desk.picture(page, "approvals-allow");
  await desk.isAccessible(page);
  await page.getByRole("button", { name: "Approve this and up to 2 more: post.publish" }).click();
  assert.equal((await run).stdout, "200 ");
  assert.equal(posts.length, before + 1);
  const log = await desk.home.log();
  assert.ok(
    log.some((entry) => JSON.stringify(entry).includes("lets 2 more post.publish through")),
  );
});

test("INV-191: alike ones are shown as one list, each whole, and each is approved by its own code", async () => {
  const before = posts.length;
  const run = publishing(["One", "Two", "Six"]);
  for (const title of ["One", "Two", "Six"]) {
    const { id } = await waitingFor(title);
    await page.getByRole("checkbox", { name: `Choose ${id}` }).check();
  }
  await page.getByRole("checkbox", { name: `Choose ${seeded}` }).check();
  await page.getByRole("button", { name: "Look at 4 as one list" }).click();
  const list = page.getByRole("article", { name: "Alike ones as one list" });
  await list.getByRole("heading", { name: "3 alike ones" }).waitFor();
  await list
    .getByText(`Left out, since they are not alike or are decided alone: ${seeded}`)
    .waitFor();
  for (const title of ["One", "Two", "Six"])
    await list.getByText(`Title        | ${title}`).waitFor();
  await desk.picture(page, "approvals-list");
  await desk.isAccessible(page);
  // One becomes another while the list is read: it is refused alone, since its code is not the one that was shown.
  const { id: six } = await waitingFor("Six");
  const { body } = await desk.home.ask("approvals.show", { id: six });
  const other = Buffer.from(body, "base64").toString("utf8").replace("Six", "Ten");
  await desk.home.ask("approvals.edit", { id: six, body: Buffer.from(other).toString("base64") });
  await list.getByRole("button", { name: "Approve 3 of these…" }).click();
  await page.waitForTimeout(INERT_MS);
  const yes = list.getByRole("button", { name: "Approve each of these 3: post.publish at blog" });
  await yes.click();
  await page.getByRole("alert").filter({ hasText: "go to the end of the list first" }).waitFor();
  assert.equal(posts.length, before, "what was not read is not approved");
  await list.getByRole("group", { name: "Each of them" }).evaluate((one) => one.scrollTo(0, 1e6));
  await yes.click();
  await list.getByText("2 of 3 approved.").waitFor();
  await list.getByText(/is not the code of/).waitFor();
  await desk.home.call(["approvals", "deny", six]);
  assert.equal((await run).stdout, "200 200 403 ");
  const titles = posts.slice(before).map((sent) => (JSON.parse(sent) as { title: string }).title);
  assert.deepEqual(titles.sort(), ["One", "Two"]);
  await list.getByRole("button", { name: "Close" }).click();
});

test("INV-60: where two persons are needed one yes is not enough, is not given twice, and may be taken back", async () => {
  await page.goto(`${desk.origin}/approvals/${seeded}`);
  await page.getByText("Two persons have to say yes.").waitFor();
  await page.keyboard.press("a");
  await page.getByText("It is done when another person says yes, too.").waitFor();
  await page.waitForTimeout(INERT_MS);
  await page.keyboard.press("Enter");
  await page.getByText("said yes; another person has to, as well").waitFor();
  await desk.picture(page, "approvals-four-eyes");
  await desk.isAccessible(page);
  await page.keyboard.press("a");
  await page.waitForTimeout(INERT_MS);
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "it needs a second person" }).waitFor();
  assert.equal(await stateOf(seeded), "shown");
  await page.getByRole("button", { name: "Take my yes back" }).click();
  await page.getByText("Two persons have to say yes.").waitFor();
});

test("on a phone a card is opened, read and decided with the thumb", async () => {
  const run = publishing(["Thumb"]);
  const { id } = await waitingFor("Thumb");
  const phone = await desk.alsoSignedIn(page, { phone: true });
  await phone.goto(`${desk.origin}/approvals`);
  await phone.locator(`a[href$="${id}"]`).waitFor();
  await desk.picture(phone, "approvals-phone-list");
  await desk.isAccessible(phone);
  await phone.locator(`a[href$="${id}"]`).click();
  await phone.getByRole("article", { name: `Approval ${id}` }).waitFor();
  await desk.picture(phone, "approvals-phone-card");
  await desk.isAccessible(phone);
  const wide = await phone.locator("html").evaluate((html) => html.scrollWidth);
  assert.ok(wide <= 390, `nothing is wider than the phone: ${wide}`);
  await phone.getByRole("button", { name: "Approve…" }).click();
  const yes = phone.getByRole("button", { name: "Approve: post.publish at blog" });
  const box = await yes.boundingBox();
  assert.ok(
    box !== null && box.height >= 44 && box.y > 400,
    "where the thumb is, and large enough",
  );
  await phone.waitForTimeout(INERT_MS);
  await desk.picture(phone, "approvals-phone-yes");
  await yes.click();
  assert.equal((await run).stdout, "200 ");
  await phone.getByText("the system answered 200").waitFor();
});

test("every byte can be taken along, as a file of no type", async () => {
  await page.goto(`${desk.origin}/approvals/${seeded}`);
  await page.getByText("Look at all that is sent").click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download" }).click(),
  ]);
  assert.equal(download.suggestedFilename(), `${seeded}.bin`);
  const { body } = await desk.home.ask("approvals.show", { id: seeded });
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  assert.equal(Buffer.concat(chunks).toString("base64"), body);
});

test("the keys of the screen are told at `?`", async () => {
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keys" });
  await help.getByText("No key says yes by itself.").waitFor();
  await desk.isAccessible(page);
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "detached" });
});
