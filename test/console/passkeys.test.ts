/** Passkeys in a real browser with a virtual authenticator: made, signed in by, decided by, and removed. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CDPSession, Page } from "playwright-core";
import { TestHome } from "../support/home.ts";
import { ask, post } from "./approval-cases.ts";
import { openDesk, type Desk } from "./kit.ts";

let desk: Desk;
let page: Page;
let device: CDPSession;
let authenticatorId = "";
let ids: readonly string[] = [];
before(async () => {
  const home = new TestHome();
  const needsTwo = { needsTwo: true };
  ids = await ask(home, [
    { ...post("<p>one</p>"), limits: needsTwo },
    { ...post("<p>two</p>"), limits: needsTwo },
  ]);
  desk = await openDesk({ home });
  page = await desk.signedIn();
  device = await page.context().newCDPSession(page);
  await device.send("WebAuthn.enable");
  ({ authenticatorId } = await device.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  }));
});
after(async () => {
  await desk?.close();
});

const signOut = async () => {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in with a passkey" }).waitFor();
};
const signIn = async () => {
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
};

test("the owner adds a person's first passkey", async () => {
  await page.goto(`${desk.origin}/people`);
  await page.getByText("No passkey yet").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "people-empty");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByLabel("Person").fill("ada");
  await page.getByLabel("Label").fill("laptop");
  await page.getByLabel(/^operator/).uncheck();
  await desk.isAccessible(page);
  await desk.picture(page, "people-add");
  await page.getByRole("button", { name: "Make the passkey" }).click();
  await page.getByRole("rowheader", { name: "ada" }).waitFor();
  await page.getByText("viewer").first().waitFor();
  const [kept] = await desk.home.ask("passkey.list", {});
  assert.deepEqual(
    [kept?.person, kept?.label, kept?.roles, kept?.rpId],
    ["ada", "laptop", ["approver", "viewer"], "localhost"],
  );
  await desk.isAccessible(page);
  await desk.picture(page, "people");
  // The same device, once more: the browser says that it has one.
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByLabel("Person").fill("ada");
  await page.getByLabel("Label").fill("again");
  await page.getByRole("button", { name: "Make the passkey" }).click();
  await page.getByText("this device has a passkey of yours already").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
});

test("a passkey signs in, as its person with its roles", async () => {
  await signOut();
  await desk.isAccessible(page);
  await desk.picture(page, "signin");
  await signIn();
  await page.getByRole("navigation", { name: "Screens" }).waitFor();
  await page.getByText("approver, viewer").first().waitFor();
  const who = await call("session.show", {});
  assert.deepEqual(
    [who.body["person"], who.body["identity"], who.body["roles"]],
    ["ada", "passkey:ada", ["approver", "viewer"]],
  );
});

test("INV-210: who signed in by a passkey gives no role, is nobody else, and decides by a signature", async () => {
  const [id = ""] = ids;
  const more = { roles: ["viewer", "operator"] };
  assert.equal((await call("passkeys.offer", more)).body["code"], "console.role");
  assert.equal((await call("passkeys.offer", { person: "bob" })).body["code"], "console.role");
  for (const [name, asks] of [
    ["passkey.enrol", { person: "bob", roles: ["viewer"] }],
    ["passkey.challenge", {}],
    ["passkey.remove", { id: "k-000000000000" }],
    ["run.kill", { run: "r-0000000000001" }],
  ] as const) {
    assert.equal((await call(name, asks)).body["code"], "console.role", name);
  }
  const code = await desk.home.codeOf(id);
  for (const [name, asks] of [
    ["approvals.approve", { id, code }],
    ["approvals.deny", { id, reason: "" }],
    ["approvals.undo", { id }],
    ["approvals.edit", { id, body: "" }],
  ] as const) {
    assert.equal((await call(name, asks)).body["code"], "console.proof", name);
  }
  assert.deepEqual((await desk.home.ask("approvals.show", { id })).by, []);
  // Nobody's own: a passkey of theirs, and nothing without one.
  assert.equal((await call("passkeys.offer", {})).status, 200);
});

test("INV-208: a yes in the page is signed, and on record as its person's", async () => {
  const [id = ""] = ids;
  await page.goto(`${desk.origin}/approvals/${id}`);
  await page.getByRole("article", { name: `Approval ${id}` }).waitFor();
  await page.keyboard.press("a");
  const yes = page.getByRole("button", { name: /^Approve: / });
  await yes.waitFor();
  await page.waitForTimeout(500);
  await yes.click();
  await page.getByText("passkey:ada").first().waitFor();
  const shown = await desk.home.ask("approvals.show", { id });
  assert.deepEqual(shown.by, ["passkey:ada"]);
  const entries = (await desk.home.log()).filter(({ type }) => type === "approval");
  assert.ok(entries.some(({ data }) => data?.["by"] === "passkey:ada"));
  await desk.picture(page, "approved");

  await page.getByRole("button", { name: "Take my yes back" }).click();
  await page.getByText("Two persons have to say yes.").waitFor();
  assert.deepEqual((await desk.home.ask("approvals.show", { id })).by, []);
});

test("where nobody is known at the device, nothing is decided", async () => {
  const [, id = ""] = ids;
  await device.send("WebAuthn.setUserVerified", {
    authenticatorId,
    isUserVerified: false,
  });
  await page.goto(`${desk.origin}/approvals/${id}`);
  await page.getByRole("article", { name: `Approval ${id}` }).waitFor();
  await page.keyboard.press("d");
  await page.getByRole("button", { name: "Not now" }).click();
  await page.getByRole("button", { name: "Deny", exact: true }).click();
  await page.getByText("no passkey was used").waitFor();
  assert.equal((await desk.home.ask("approvals.show", { id })).state, "shown");
});

test("a removed passkey ends its sessions, and signs nobody in", async () => {
  const [{ id } = { id: "" }] = await desk.home.ask("passkey.list", {});
  const owner = await (await desk.context({ phone: true, dark: true })).newPage();
  const printed = (await desk.home.call(["console", "--link"])).stdout;
  await owner.goto(/http:\S+#link=\S+/.exec(printed)?.[0] ?? "");
  await owner.getByRole("navigation", { name: "Screens" }).waitFor();
  await owner.goto(`${desk.origin}/people`);
  await owner.getByRole("button", { name: "Remove laptop of ada" }).waitFor();
  await desk.isAccessible(owner);
  await desk.picture(owner, "people-phone");
  assert.equal((await call("session.show", {})).status, 200);
  await owner.getByRole("button", { name: "Remove laptop of ada" }).click();
  await desk.picture(owner, "people-remove");
  await owner.getByRole("button", { name: "Remove passkey" }).click();
  await owner.getByText("No passkey yet").waitFor();
  assert.equal((await call("session.show", {})).status, 401);
  assert.deepEqual(await desk.home.ask("passkey.list", {}), []);
  const removed = (await desk.home.log()).find(({ data }) => data?.["action"] === "removed");
  const uid = process.getuid?.() ?? -1;
  assert.deepEqual([removed?.data?.["fingerprint"], removed?.data?.["by"]], [id, `cli:${uid}`]);
  await page.reload();
  await device.send("WebAuthn.setUserVerified", {
    authenticatorId,
    isUserVerified: true,
  });
  const response = { clientDataJSON: "e30", authenticatorData: "e30", signature: "e30" };
  const forged = { proof: { nonce: "e30", assertion: { id: "e30", response } } };
  const refused = await send("/session/passkey", forged);
  assert.deepEqual([refused.status, refused.body["code"]], [401, "console.passkey"]);
  await signIn();
  await page.getByText("this passkey is nobody's here, or was removed").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "signin-refused");
});

/** Asks as the page would, past what it offers. */
const call = async (name: string, asks: unknown) => send(`/api/${name}`, asks);

async function send(path: string, asks: unknown) {
  return page.evaluate(
    async ([to, body]) => {
      const response = await fetch(to, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-cofferdam-key": localStorage.getItem("cofferdam.key") ?? "",
        },
        body,
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    [path, JSON.stringify(asks)] as const,
  );
}
