/**
 * Credentials in a real browser: added, tested, rotated and revoked, seen where they went; never seen themselves.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { openTroubledHome, SECRET, type TroubledHome } from "../support/troubled.ts";
import { openDesk, type Desk } from "./kit.ts";

let of: TroubledHome;
let desk: Desk;
let page: Page;
/** All that the console answered. */
let said = "";
before(async () => {
  of = await openTroubledHome();
  desk = await openDesk({ home: of.home });
  page = await desk.signedIn();
  page.on("response", (response) => {
    response.text().then(
      (text) => (said += text),
      () => {}, // A stream that was left has none.
    );
  });
});
after(async () => {
  await desk.close();
});

const NEW = "new-secret-0f3a";
const isSecret = async () => {
  const html = await page.content();
  for (const text of [SECRET, NEW]) {
    assert.ok(!html.includes(text), "the page holds a secret");
    assert.ok(!said.includes(text), "an answer holds a secret");
  }
};

test("a credential shows where it may go, which run was lent it, and what it sent; not what it is", async () => {
  await page.goto(`${desk.origin}/credentials`);
  await page.getByRole("link", { name: "open-key" }).click();
  const shown = page.getByRole("region", { name: "open-key" });
  await shown.getByText("http://open.test:80").waitFor();
  await shown.getByText("by grant open · 2 requests").waitFor();
  await shown.getByRole("link", { name: "http://open.test/b" }).waitFor();
  await shown.getByText("added open-key").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "credentials");
  await isSecret();
});

test("one is added by its kind's own fields; a mistake is said in the server's words and empties the secret", async () => {
  await page.goto(`${desk.origin}/credentials`);
  await page.getByRole("button", { name: "Add…" }).click();
  await page.getByLabel("Name", { exact: true }).fill("db");
  await page.getByLabel("Kind").selectOption("login");
  assert.equal(await page.getByLabel("Port").inputValue(), "5432");
  await page.getByLabel("Hosts").fill("not a host!");
  await page.getByLabel("User").fill("reporter");
  await page.getByLabel("Password").fill(NEW);
  assert.equal(await page.getByLabel("Password").getAttribute("type"), "password");
  await desk.isAccessible(page);
  await desk.picture(page, "credentials-add");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByLabel("Password").inputValue(), "", "it is typed anew");
  await page.getByLabel("Hosts").fill("db.example.com");
  await page.getByLabel("Password").fill(NEW);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page
    .getByRole("region", { name: "db" })
    .getByText("postgres://db.example.com:5432")
    .waitFor();
  const [entry] = await of.home.ask("credential.list", {});
  assert.ok(entry !== undefined);
  await isSecret();
});

test("it is rotated, and revoked after its live runs were named", async () => {
  await page.goto(`${desk.origin}/credentials/open-key`);
  const before_ = (await of.home.ask("credential.show", { name: "open-key" })).fingerprint;
  await page.getByRole("button", { name: "Rotate…" }).click();
  await page.getByLabel("New token").fill(NEW);
  await page.getByRole("button", { name: "Rotate", exact: true }).click();
  await page.getByText("rotated open-key").waitFor();
  assert.notEqual(
    (await of.home.ask("credential.show", { name: "open-key" })).fingerprint,
    before_,
  );
  await page.getByRole("button", { name: "Revoke…" }).click();
  await page.getByText("No live run has it.").waitFor();
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByRole("link", { name: "open-key" }).waitFor({ state: "detached" });
  const names = (await of.home.ask("credential.list", {})).map(({ name }) => name);
  assert.deepEqual(names, ["db"]);
  await isSecret();
});

test("at a phone's width, in the dark, it is usable and accessible; an empty vault teaches", async () => {
  await of.home.ask("credential.revoke", { name: "db" });
  const phone = await desk.alsoSignedIn(page, { phone: true, dark: true });
  await phone.goto(`${desk.origin}/credentials`);
  await phone.getByRole("heading", { name: "The vault is empty" }).waitFor();
  await desk.isAccessible(phone);
  await desk.picture(phone, "credentials-phone-empty");
  await phone.getByRole("button", { name: "Add…" }).click();
  await phone.getByLabel("Kind").selectOption("ssh-key");
  await phone.getByLabel("Private key").fill("-----BEGIN\nlines\n");
  await desk.isAccessible(phone);
  await desk.picture(phone, "credentials-phone-add");
});
