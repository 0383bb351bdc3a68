/**
 * The console's frame: it opens by a link that works once, shows who is signed in, and signs out.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/home.ts";
import { openDesk } from "./kit.ts";

test("a link signs in once, is gone from the address bar, and signing out ends it", async () => {
  await using desk = await openDesk();
  const context = await desk.context();
  const page = await context.newPage();
  const link = desk.takeLink();
  await page.goto(link);
  await page.getByRole("navigation", { name: "Screens" }).waitFor();
  assert.equal(page.url(), `${desk.origin}/`);
  await desk.isAccessible(page);
  await desk.picture(page, "shell");

  const other = await (await desk.context()).newPage();
  await other.goto(link);
  await other.getByText("this link was used already").waitFor();

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("Sign in with a link that works once").waitFor();
  await desk.isAccessible(page);
});

test("a screen that cannot be loaded leaves the menu; a console that is away, what was read", async () => {
  await using desk = await openDesk();
  const page = await desk.signedIn();
  await page.getByRole("heading", { name: "Nothing needs you" }).waitFor();
  await page.route("**/assets/doctor*.js", async (route) => route.abort());
  await page.getByRole("link", { name: "Doctor" }).click();
  await page.getByRole("heading", { name: "This screen cannot be shown" }).waitFor();
  assert.notEqual(desk.takeProblems().length, 0, "the browser complains of it");
  await desk.isAccessible(page);
  await page.getByRole("link", { name: "People" }).click();
  await page.getByRole("heading", { name: "Signed in" }).waitFor();
  await page.unroute("**/assets/doctor*.js");
  await page.getByRole("link", { name: "Doctor" }).click();
  await page.getByRole("heading", { name: "This screen cannot be shown" }).waitFor();
  desk.takeProblems();
  await page.getByRole("button", { name: "Load the page again" }).click();
  await page.getByText(/prerequisites/).waitFor();

  await page.getByRole("link", { name: "Runs" }).click();
  await page.getByRole("heading", { name: "No run yet" }).waitFor();
  let asked = 0;
  await page.route("**/api/**", async (route) => {
    asked += 1;
    await route.abort();
  });
  await eventually("it asks for the runs again and again", 15_000, () =>
    asked > 1 ? true : undefined,
  );
  await page.getByRole("heading", { name: "No run yet" }).waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
  await page.unroute("**/api/**");
  await desk.home.run(["true"]);
  await page.getByRole("table").getByText("true").waitFor();
});
