/**
 * The screen on the blast radius, in a real browser.
 */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { HEAD, NEWS, SHOP } from "../support/blast-world.ts";
import { openDesk, type Desk } from "./kit.ts";

let desk: Desk;
let page: Page;
const ASKED = `${HEAD}${NEWS.replace(/ +unattended.*\n/, "")}`;

/** What systems may be called. */
const HOSTILE = `<img src=x onerror=alert(1)>\u202eevil\u200b`;
const WORLD = `principal("postgres:shop-agent@db.example.com:5432", postgres) @from("asked ${HOSTILE}").
at("postgres:shop-agent@db.example.com:5432", "db.example.com:5432").
can("postgres:shop-agent@db.example.com:5432", select, "db/shop public.customers"). named("db/shop public.customers", "public.customers").
label("db/shop public.customers", customer) @from("${HOSTILE}"). rows("db/shop public.customers", 12000).
can("postgres:shop-agent@db.example.com:5432", select, "db/shop ${HOSTILE}"). named("db/shop ${HOSTILE}", "public.orders").
label("db/shop ${HOSTILE}", customer). rows("db/shop ${HOSTILE}", 7).
`;

before(async () => {
  desk = await openDesk();
  page = await desk.signedIn();
  const own = (name: string) => join(desk.home.state, name);
  for (const folder of ["tasks", "facts"]) mkdirSync(own(folder), { mode: 0o700 });
  writeFileSync(own("tasks/ops.yaml"), `${HEAD}${NEWS}${SHOP}`);
  writeFileSync(own("tasks/asked.yaml"), ASKED);
  writeFileSync(own("facts/shop.facts"), WORLD);
});
after(() => desk.close());

const open = async (place = "tasks/ops.yaml", on: Page = page) => {
  await on.goto(`${desk.origin}/blast?place=${place}`);
  await on.getByRole("heading", { name: "What could happen" }).waitFor();
};
const numbersOf = async (name: string, on: Page = page) => {
  const row = on.getByRole("row", { name }).first();
  return row.getByRole("cell").allInnerTexts();
};

test("numbers, ways and a picture of them; what is chosen is lit, and told step by step", async () => {
  await open();
  assert.deepEqual(await numbersOf("people who can be written to"), ["any", "any", "any"]);
  assert.equal((await numbersOf("customer records readable"))[0], "any");
  await page.getByRole("button", { name: "people who can be written to" }).click();
  await page
    .getByRole("heading", { name: "The shortest way: people who can be written to" })
    .waitFor();
  const way = page.getByRole("region", { name: /^The shortest way/ });
  assert.match(await way.innerText(), /By news it does campaign\.schedule/);
  assert.match(await way.innerText(), /rule 1 of news, line 12/);
  const lit = await page.locator("[data-id][data-on]").count();
  const all = await page.locator("[data-id]").count();
  assert.ok(lit > 1 && lit < all, `${lit} of ${all} boxes are lit`);
  await desk.isAccessible(page);
  await desk.picture(page, "blast");
});

test("names of systems are text wherever they stand, with what is unseen spelled out", async () => {
  await open();
  await page.getByRole("button", { name: "customer records readable" }).click();
  assert.equal(await page.locator("main img").count(), 0);
  const text = await page.getByRole("main").innerText();
  assert.match(text, /<img src=x onerror=alert\(1\)>/);
  assert.doesNotMatch(text, /\u202e|\u200b/);
  await page.getByRole("tab", { name: "As a table" }).click();
  const table = await page.getByRole("region", { name: "Steps as a table" }).innerText();
  assert.match(table, /<img src=x onerror=alert\(1\)>/);
  assert.doesNotMatch(table, /\u202e|\u200b/);
  assert.match(table, /on this way/i);
  await desk.isAccessible(page);
});

test("without a person, with one fooled, and without Cofferdam are three answers", async () => {
  await open("tasks/asked.yaml");
  assert.deepEqual((await numbersOf("people who can be written to")).slice(0, 2), ["0", "any"]);
  await page.getByRole("button", { name: "people who can be written to" }).click();
  await page.getByText("Nobody gets there alone").waitFor();
  await page.getByRole("button", { name: "Without Cofferdam" }).click();
  const way = page.getByRole("region", { name: /^The shortest way/ });
  await way.getByText("without Cofferdam").first().waitFor();
  await desk.picture(page, "blast-without");
});

test("INV-196: a cut is tried before anything is written: what it makes smaller is shown beside what it was", async () => {
  await open();
  const cuts = page.getByRole("region", { name: "What would make it smaller" });
  await cuts.getByText("have a person asked again by rule 1 of news").waitFor();
  await cuts.getByRole("button", { name: /^Try it: have a person asked again/ }).click();
  await page.getByText("Tried, not saved").waitFor();
  const cell = page
    .getByRole("row", { name: "people who can be written to" })
    .locator("[data-change=better]");
  await cell.waitFor();
  assert.match(await cell.innerText(), /any\s*→\s*0/);
  await desk.picture(page, "blast-cut");
  await desk.isAccessible(page);
  await page.getByRole("button", { name: "Back to the file" }).click();
  await cell.waitFor({ state: "detached" });
});

test("what-if switches are solved anew, and one of them puts all back", async () => {
  await open("tasks/asked.yaml");
  const row = page.getByRole("row", { name: "people who can be written to" });
  await page.getByLabel("says yes to everything").check();
  await row.locator("[data-change=worse]").first().waitFor();
  await page.getByLabel("never says yes").check();
  await row.locator("[data-change=better]").first().waitFor();
  await page.getByRole("button", { name: "As it is" }).click();
  await row.locator("[data-change]").first().waitFor({ state: "detached" });
  await page.getByLabel("campaign.schedule of news").check();
  await row.locator("[data-change=worse]").first().waitFor();
  await page.getByLabel("news", { exact: true }).check();
  await row.locator("[data-change=better]").first().waitFor();
});

test("a fact of a way is asked away", async () => {
  await open();
  await page.getByRole("button", { name: "customer records readable" }).click();
  const way = page.getByRole("region", { name: /^The shortest way/ });
  const before = await page.getByRole("group", { name: "If it were not so" }).count();
  assert.equal(before, 0);
  const asks = way.getByRole("button", { name: /^what if not/ });
  if ((await asks.count()) === 0)
    await page.getByRole("button", { name: "Approver fooled" }).click();
  await page.getByLabel("news", { exact: true }).check();
  await asks.first().waitFor();
  await asks.first().click();
  await page.getByRole("group", { name: "If it were not so" }).waitFor();
});

test("two files beside one another", async () => {
  await open();
  await page.getByRole("button", { name: "Compare", exact: true }).click();
  await page.getByRole("combobox", { name: "Before" }).selectOption("tasks/asked.yaml");
  await page.getByRole("heading", { name: "Ways that are new" }).waitFor();
  const row = page.getByRole("row", { name: "people who can be written to" });
  assert.match(await row.innerText(), /0 → any/);
  await desk.isAccessible(page);
  await desk.picture(page, "blast-compare");
});

test("the picture by keys alone: into it, along the arrows, nearer and back", async () => {
  await open();
  await page.getByRole("tab", { name: "Picture" }).focus();
  await page.keyboard.press("Tab");
  const focused = () =>
    page.evaluate<string | null>(`document.activeElement.getAttribute("data-id")`);
  assert.equal(await focused(), "start");
  await page.keyboard.press("ArrowRight");
  const next = await focused();
  assert.ok(next !== null && next !== "start");
  const moving = page.locator("svg[role=group] > g");
  const before = await moving.getAttribute("transform");
  await page.keyboard.press("+");
  assert.notEqual(await moving.getAttribute("transform"), before);
  await page.keyboard.press("0");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await focused(), "start");
  await page.locator('[data-id="compute_usable"]').focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "The shortest way: hours of compute usable" }).waitFor();
});

test("dragging moves the picture, Ctrl and the wheel zoom at the pointer", async () => {
  await open();
  const moving = page.locator("svg[role=group] > g");
  const before = await moving.getAttribute("transform");
  const box = await page.locator("svg[role=group]").boundingBox();
  const { x = 0, y = 0 } = box ?? {};
  await page.mouse.move(x + 30, y + 30);
  await page.mouse.down();
  await page.mouse.move(x + 90, y + 60, { steps: 4 });
  await page.mouse.up();
  const moved = await moving.getAttribute("transform");
  assert.notEqual(moved, before);
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, 300);
  await page.keyboard.up("Control");
  while ((await moving.getAttribute("transform")) === moved) await page.waitForTimeout(20);
});

test("of many steps those alike stand together, until every one is asked for", async () => {
  const machines = Array.from(
    { length: 40 },
    (_, at) => `uses(g${at}, s${at}). may(g${at}, exec, execute, any). can(s${at}, exec, any).
principal(s${at}, ssh). login(s${at}, web${at}, deploy). host(web${at}). becomes(web${at}, deploy, root, "sudo -n").
readable(web${at}, root, file${at}). contains(file${at}, "key of web${at}").`,
  );
  writeFileSync(join(desk.home.state, "facts/many.facts"), machines.join("\n"));
  await open();
  await page.getByRole("button", { name: "machines that commands can be run on" }).click();
  const boxes = page.locator("[data-id]");
  await page.getByText("others alike").first().waitFor({ state: "attached" });
  const few = await boxes.count();
  assert.ok(few <= 60, `${few} boxes at a look`);
  assert.ok((await page.locator("[data-id][data-on]").count()) > 1, "the way is lit in it");
  await desk.picture(page, "blast-many");
  await page.getByLabel(/^every step by itself/).check();
  await boxes.nth(100).waitFor({ state: "attached" });
  await page.getByRole("button", { name: "The way" }).click();
  await desk.isAccessible(page);
  await desk.picture(page, "blast-all");
  rmSync(join(desk.home.state, "facts/many.facts"));
});

test("on a phone, and in the dark", async () => {
  const phone = await desk.alsoSignedIn(page, { phone: true, dark: true });
  await open("tasks/ops.yaml", phone);
  await phone.getByRole("region", { name: "Steps as a table" }).waitFor();
  const wide = await phone.evaluate<number>("document.documentElement.scrollWidth");
  assert.ok(wide <= 390, `${wide} pixels wide`);
  await desk.isAccessible(phone);
  await desk.picture(phone, "blast-phone");
  const dark = await desk.alsoSignedIn(page, { dark: true });
  await open("tasks/ops.yaml", dark);
  await desk.isAccessible(dark);
  await desk.picture(dark, "blast-dark");
});
