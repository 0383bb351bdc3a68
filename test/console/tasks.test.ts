/**
 * The screen on task files, in a real browser: what is typed is read, explained and weighed while it is typed; what is saved
 * was seen; and nothing is lost on the way.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { HEAD, NEWS, SHOP } from "../support/blast-world.ts";
import { openDesk, type Desk } from "./kit.ts";

let desk: Desk;
let page: Page;
const ASKED = `${HEAD}${NEWS.replace(/ +unattended.*\n/, "")}`;
const file = (name: string) => join(desk.home.state, "tasks", name);

before(async () => {
  desk = await openDesk();
  page = await desk.signedIn();
  mkdirSync(join(desk.home.state, "tasks"), { mode: 0o700 });
  writeFileSync(file("ops.yaml"), ASKED);
  writeFileSync(file("other.yaml"), `${ASKED}${SHOP}`);
});
after(() => desk.close());

const editor = (on: Page = page) => on.getByRole("textbox", { name: "Task file" });
const open = async (place: string, on: Page = page) => {
  await on.goto(`${desk.origin}/tasks?place=${place}`);
  await editor(on).waitFor();
  await on.getByRole("region", { name: "Blast radius" }).getByRole("table").waitFor();
};
/** Puts the cursor to the end, and types. */
const type = async (text: string) => {
  await editor().press("Control+End");
  await page.keyboard.insertText(text);
};
const replaceBy = async (text: string) => {
  await editor().press("Control+a");
  // The browser's own editing would dress what takes the place of a selection, which the content policy refuses, aloud.
  await editor().press("Delete");
  await page.keyboard.insertText(text);
};
const mailable = () =>
  page
    .getByRole("region", { name: "Blast radius" })
    .getByRole("row", { name: "people who can be written to" });

test("the list: one's own, what runs used, what ships; each opens", async () => {
  await page.goto(`${desk.origin}/tasks`);
  const own = page.getByRole("region", { name: "Your own" });
  await own.getByRole("button", { name: /ops\.yaml/ }).waitFor();
  await page
    .getByRole("region", { name: "Profiles" })
    .getByRole("button", { name: /shell/ })
    .first()
    .waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "tasks");
  await own.getByRole("button", { name: /ops\.yaml/ }).click();
  await editor().waitFor();
  assert.match(await editor().innerText(), /task: ops/);
  await page.getByText("it may ask for campaign.read and campaign.schedule").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "task");
});

test("what is typed widens a number beside it, which says what it was", async () => {
  await open("tasks/ops.yaml");
  assert.match(await mailable().innerText(), /0\s+any/);
  await type(
    `        unattended: { count: 20, reason: "the calendar is planned", expires: "2027-06-01" }\n`,
  );
  const cell = mailable().locator("[data-change=worse]").first();
  await cell.waitFor();
  assert.match(await cell.innerText(), /0\s*→\s*any/);
  await page.getByText("not saved", { exact: true }).waitFor();
  await page.getByText("without asking anybody, 20 times a run").waitFor();
  await desk.picture(page, "task-typed");
  await page.getByRole("button", { name: "Undo all" }).click();
  await cell.waitFor({ state: "detached" });
});

test("a fault is told with its place and its fix, and holds a save back; numbers stay", async () => {
  await open("tasks/ops.yaml");
  await replaceBy(ASKED.replace("purpose:", "purpos:"));
  const faults = page.getByRole("list", { name: "Faults" });
  await faults.getByText('did you mean "purpose"?').waitFor();
  assert.ok(await page.getByRole("button", { name: "Save…" }).isDisabled());
  await page.getByText("of the text before its faults").waitFor();
  assert.equal(await mailable().count(), 1);
  await faults.getByRole("button", { name: "line 3" }).first().click();
  await page.locator('[aria-label="Task file"]:focus').waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "task-fault");
  await page.getByRole("button", { name: "Undo all" }).click();
});

test("options come from the schema and the catalog, help from both", async () => {
  await open("tasks/ops.yaml");
  await type("  - system: word");
  await editor().press("Control+Space");
  await page.getByRole("option", { name: /^wordpress/ }).click();
  assert.match(await editor().innerText(), /system: wordpress/);
  await type("\n    allow:\n      - verbs: [post.l");
  await editor().press("Control+Space");
  await page.getByRole("option", { name: /^post\.list/ }).waitFor();
  await desk.picture(page, "task-options");
  await page.keyboard.press("Escape");
  await page.getByText("purpose", { exact: true }).first().hover();
  await page.getByText("What the task is for, in one sentence").waitFor();
  await page.getByRole("button", { name: "Undo all" }).click();
});

test("what changes is seen before it is saved, and then the file has it", async () => {
  await open("tasks/ops.yaml");
  await replaceBy(ASKED.replace("campaign.read, campaign.schedule", "campaign.read"));
  await page.getByRole("button", { name: "Save…" }).click();
  const dialog = page.getByRole("dialog", { name: "Save ops.yaml" });
  await dialog.getByText("people who can be written to, with an approver fooled").waitFor();
  await dialog.getByText("campaign.schedule").first().waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "task-save");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("saved", { exact: true }).waitFor();
  assert.match(readFileSync(file("ops.yaml"), "utf8"), /verbs: \[campaign\.read\]/);
  writeFileSync(file("ops.yaml"), ASKED);
});

test("where somebody else saved meanwhile both texts are shown, and each way on loses nothing unsaid", async () => {
  await open("tasks/other.yaml");
  await type("# mine\n");
  writeFileSync(file("other.yaml"), `${ASKED}${SHOP}# theirs\n`);
  await page.getByRole("button", { name: "Save…" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const conflict = page.getByRole("dialog", { name: "Somebody else saved this file" });
  await conflict.getByText("# theirs").waitFor();
  await conflict.getByText("# mine").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "task-conflict");
  await conflict.getByRole("button", { name: "Write on over theirs" }).click();
  assert.match(readFileSync(file("other.yaml"), "utf8"), /# theirs/);
  await page.getByRole("button", { name: "Save…" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("saved", { exact: true }).waitFor();
  assert.match(readFileSync(file("other.yaml"), "utf8"), /# mine\n$/);
});

test("what is not saved is kept while one looks elsewhere, and asked for before the page goes", async () => {
  await open("tasks/ops.yaml");
  await type("# not yet\n");
  await page.getByText("not saved", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Doctor" }).click();
  await page.getByRole("link", { name: "Tasks" }).click();
  await page
    .getByRole("button", { name: /ops\.yaml.*|.*not saved/ })
    .first()
    .waitFor();
  await page.getByText("not saved").waitFor();
  await page
    .getByRole("region", { name: "Your own" })
    .getByRole("button", { name: /tasks\/ops\.yaml/ })
    .click();
  await editor().waitFor();
  assert.match(await editor().innerText(), /# not yet/);
  const asked = page.waitForEvent("dialog");
  const leaving = page.goto(`${desk.origin}/`).catch(() => {});
  const dialog = await asked;
  assert.equal(dialog.type(), "beforeunload");
  await dialog.accept();
  await leaving;
});

test("a new file and a copy of a profile, by keys alone where one likes", async () => {
  await page.goto(`${desk.origin}/tasks`);
  await page.getByRole("button", { name: "New task" }).click();
  const name = page.getByRole("textbox", { name: "File name" });
  await name.fill("../evil.yaml");
  await page.getByText("letters, digits, - and _").waitFor();
  await name.fill("fresh.yaml");
  await name.press("Enter");
  await editor().waitFor();
  await page.getByText("not saved", { exact: true }).waitFor();
  await editor().press("Control+s");
  await page.getByRole("dialog", { name: "Make fresh.yaml" }).waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).press("Enter");
  await page.getByText("saved", { exact: true }).waitFor();
  assert.match(readFileSync(file("fresh.yaml"), "utf8"), /^task: my-task/);

  await page.goto(`${desk.origin}/tasks?place=profile/shell`);
  await page.getByText("ships with Cofferdam, read only").waitFor();
  await page.getByRole("button", { name: "Copy to edit" }).click();
  await name.fill("my-shell.yaml");
  await name.press("Enter");
  await page.getByRole("heading", { name: "my-shell.yaml" }).waitFor();
  await page.getByRole("button", { name: "Throw away" }).click();
  await page.getByRole("heading", { name: "Your own" }).waitFor();
});

test("INV-196: what a run never used is proposed, put into the editor at one's word, and saved only after that", async () => {
  desk.home.write(
    "quiet.yaml",
    "task: quiet\npurpose: Reach nothing.\nlifetime: 1h\nenvironment: [LANG, LC_ALL]\ncompute: { memory: 1GiB }\n",
  );
  writeFileSync(file("quiet.yaml"), readFileSync(join(desk.home.workspace, "quiet.yaml")));
  const ran = await desk.home.run(["true"], ["--task", file("quiet.yaml")]);
  assert.equal(ran.code, 0, ran.stderr);
  await open("tasks/quiet.yaml");
  await page.getByRole("tab", { name: "Proposals" }).click();
  const tighten = page.getByRole("region", { name: "Tighten", exact: true });
  await tighten.getByText("1 run of quiet on record").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "task-proposals");
  await tighten.getByRole("button", { name: "Apply to the editor: Tighten" }).click();
  await page.getByText("not saved", { exact: true }).waitFor();
  assert.match(await editor().innerText(), /lifetime: 5m/);
  assert.match(
    readFileSync(file("quiet.yaml"), "utf8"),
    /lifetime: 1h/,
    "nothing is written by it",
  );
  await page.getByRole("button", { name: "Undo all" }).click();
  await page.getByRole("tab", { name: "History" }).click();
  await page.getByText("1 run", { exact: false }).first().waitFor();
});

test("INV-196: from the blast radius: a cut taken into the editor, and the line of a rule", async () => {
  writeFileSync(file("ops.yaml"), `${HEAD}${NEWS}`);
  await page.goto(`${desk.origin}/blast?place=tasks/ops.yaml`);
  await page.getByRole("button", { name: /^Try it: have a person asked again/ }).click();
  await page.getByRole("button", { name: "Take into the editor" }).click();
  await editor().waitFor();
  assert.doesNotMatch(await editor().innerText(), /unattended/);
  await page.getByText("not saved", { exact: true }).waitFor();
  assert.match(readFileSync(file("ops.yaml"), "utf8"), /unattended/);
});

test("hostile text in a task file is text, and seen", async () => {
  const hostile = `task: ops\npurpose: "<img src=x onerror=alert(1)> \u200b\u202e"\ngrants: []\n`;
  writeFileSync(file("hostile.yaml"), hostile);
  await page.goto(`${desk.origin}/tasks?place=tasks/hostile.yaml`);
  await page.getByText("turns the direction of text").first().waitFor();
  assert.equal(await page.locator("main img:not(.cm-widgetBuffer)").count(), 0);
  await page.goto(`${desk.origin}/tasks`);
  await page.getByText("has faults").waitFor();
});

test("on a phone, and in the dark", async () => {
  const phone = await desk.alsoSignedIn(page, { phone: true, dark: true });
  await open("tasks/other.yaml", phone);
  const wide = await phone.evaluate("document.documentElement.scrollWidth");
  assert.ok(Number(wide) <= 390, `${String(wide)} pixels wide`);
  await desk.isAccessible(phone);
  await desk.picture(phone, "task-phone");
  const dark = await desk.alsoSignedIn(page, { dark: true });
  await open("tasks/other.yaml", dark);
  await desk.isAccessible(dark);
  await desk.picture(dark, "task-dark");
});
