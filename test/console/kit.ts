/**
 * A console of a test's own in a real browser: a home with its daemon, `cofferdam console`, and Chromium.
 *
 * ```ts
 * await using desk = await openDesk();
 * const page = await desk.signedIn();
 * await page.goto(`${desk.origin}/ledger`);
 * await desk.isAccessible(page);
 * ```
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { TestHome } from "../support/home.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) =>
  existsSync(path),
);
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A phone's page, in CSS pixels. */
export const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1360, height: 860 };

export class Desk {
  readonly home: TestHome;
  readonly browser: Browser;
  readonly origin: string;
  readonly #console: ChildProcess;
  readonly #isOurs: boolean;
  #link: string;
  readonly #problems: string[] = [];

  constructor(parts: {
    home: TestHome;
    isOurs: boolean;
    browser: Browser;
    console: ChildProcess;
    origin: string;
    link: string;
  }) {
    this.home = parts.home;
    this.#isOurs = parts.isOurs;
    this.browser = parts.browser;
    this.origin = parts.origin;
    this.#console = parts.console;
    this.#link = parts.link;
  }

  /** The console's process. */
  get pid(): number {
    return this.#console.pid ?? 0;
  }

  /** The one-time link that the console printed; whoever takes it uses it up. */
  takeLink(): string {
    const link = this.#link;
    this.#link = "";
    assert.notEqual(link, "", "the link was taken already");
    return link;
  }

  /** A new browser profile. What its pages complain about fails the test at its end. */
  async context(
    options: { phone?: boolean; dark?: boolean; like?: Page } = {},
  ): Promise<BrowserContext> {
    const context = await this.browser.newContext({
      // Cookies, and what the origin keeps: a session needs both.
      ...(options.like && { storageState: await options.like.context().storageState() }),
      viewport: options.phone === true ? PHONE : DESKTOP,
      colorScheme: options.dark === true ? "dark" : "light",
      reducedMotion: "reduce",
      acceptDownloads: true,
    });
    context.on("console", (message) => {
      // A refusal that a page shows is also a line of the browser's own.
      if (message.type() !== "error" || message.text().startsWith("Failed to load resource"))
        return;
      this.#problems.push(message.text());
    });
    context.on("weberror", (error) => this.#problems.push(String(error.error())));
    return context;
  }

  /** A page that is signed in by the link, with all roles. */
  async signedIn(options: { phone?: boolean; dark?: boolean } = {}): Promise<Page> {
    const context = await this.context(options);
    const page = await context.newPage();
    await page.goto(this.takeLink());
    await page.getByRole("navigation", { name: "Screens" }).waitFor();
    return page;
  }

  /** A second page of the same person, as a phone or in the dark. */
  async alsoSignedIn(page: Page, options: { phone?: boolean; dark?: boolean }): Promise<Page> {
    const context = await this.context({ ...options, like: page });
    return context.newPage();
  }

  /** What the page's own requests carry, for a test that sends some itself. */
  async passOf(page: Page): Promise<Record<string, string>> {
    const cookies = await page.context().cookies();
    return {
      cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; "),
      "x-cofferdam-key": String(await page.evaluate("localStorage.getItem('cofferdam.key')")),
      origin: this.origin,
      "sec-fetch-site": "same-origin",
      "sec-fetch-mode": "cors",
    };
  }

  /** Complaints of pages so far (errors, refusals of the content policy); the list is then empty. */
  takeProblems(): readonly string[] {
    return this.#problems.splice(0);
  }

  /** Fails with each rule of axe that the page breaks (WCAG 2.2 A and AA). */
  async isAccessible(page: Page): Promise<void> {
    // By the debugger, which the page's content policy does not hold.
    await page.evaluate(AXE);
    const broken = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: {
          run(options: unknown): Promise<{
            violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
          }>;
        };
      };
      const options = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] };
      const { violations } = await axe.run(options);
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary}`),
      );
    });
    assert.deepEqual(broken, []);
  }

  /** Writes a picture where COFFERDAM_PICTURES names a folder; to look at, not to compare. */
  async picture(page: Page, name: string): Promise<void> {
    const folder = process.env["COFFERDAM_PICTURES"];
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`) });
  }

  async close(): Promise<void> {
    await this.browser.close();
    if (this.#console.exitCode === null) {
      this.#console.kill("SIGTERM");
      await once(this.#console, "exit");
    }
    if (this.#isOurs) await this.home.close();
    assert.deepEqual(this.#problems, [], "complaints of the browser");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Opens a console over `home`, a new one where none is given, in a real browser. */
export async function openDesk(
  options: {
    readonly home?: TestHome;
    readonly args?: readonly string[];
    /** The home is another's to end. */
    readonly keepHome?: boolean;
  } = {},
): Promise<Desk> {
  const home = options.home ?? new TestHome();
  const child = home.spawn(["console", ...(options.args ?? [])]);
  const { origin, link } = await told(child);
  const browser = await launchBrowser();
  const isOurs = options.keepHome !== true;
  return new Desk({ home, isOurs, browser, console: child, origin, link });
}

/** A real Chromium. */
export async function launchBrowser(args: readonly string[] = []): Promise<Browser> {
  assert.ok(CHROMIUM !== undefined, "no Chromium: `scripts/setup --console` installs it");
  return chromium.launch({
    executablePath: CHROMIUM,
    // It is the tests' own pages that it opens, and in a container nobody may make its sandbox.
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      ...args,
    ],
  });
}

/** What the console prints when it is open. */
async function told(child: ChildProcess): Promise<{ origin: string; link: string }> {
  let [out, err] = ["", ""];
  child.stderr?.on("data", (data: Buffer) => (err += data.toString()));
  const found = Promise.withResolvers<{ origin: string; link: string }>();
  child.stdout?.on("data", (data: Buffer) => {
    out += data.toString();
    const origin = /^console: (\S+)$/m.exec(out)?.[1];
    const link = /^sign in: (\S+)$/m.exec(out)?.[1];
    if (origin !== undefined && link !== undefined) found.resolve({ origin, link });
  });
  child.once("exit", (code) =>
    found.reject(new Error(`cofferdam console ended with ${code}: ${out}${err}`)),
  );
  return found.promise;
}
