/**
 * What each picture shows: where it is, and what is done there before it is taken.
 *
 * @module
 */
import type { Page } from "playwright-core";
import type { Sample } from "./sample.ts";

export interface Shot {
  readonly name: string;
  readonly path: string;
  /** Also in the dark; also at phone width. */
  readonly isDark?: boolean;
  readonly isPhone?: boolean;
  readonly arrange?: (page: Page, sample: Sample) => Promise<void>;
}

export const SHOTS: readonly Shot[] = [
  { name: "now", path: "/", isDark: true, isPhone: true },
  {
    name: "approvals",
    path: "/approvals",
    isDark: true,
    isPhone: true,
    arrange: card("blog · post.publish"),
  },
  { name: "approval-mail", path: "/approvals", arrange: card("mail · send") },
  { name: "approval-sql", path: "/approvals", arrange: card("db · delete") },
  { name: "approval-push", path: "/approvals", arrange: card("git · push.update") },
  { name: "approval-workflow", path: "/approvals", arrange: card("n8n · workflow.activate") },
  { name: "approval-command", path: "/approvals", arrange: card("web · exec") },
  { name: "run", path: "/runs", arrange: of("rollout-17", "/runs/") },
  { name: "run-week", path: "/runs", arrange: of("ops-week", "/runs/") },
  { name: "blast", path: "/blast", isDark: true, arrange: chooseTask },
  { name: "tasks", path: "/tasks", arrange: openTask },
  { name: "credentials", path: "/credentials/blog" },
  { name: "ledger", path: "/ledger?q=type:finding", arrange: openEntry },
  { name: "incidents", path: "/incidents", arrange: openReport },
  { name: "drills", path: "/drills/d09-destructive-sql", arrange: playDrill },
  { name: "doctor", path: "/doctor" },
  { name: "people", path: "/people" },
];

/** Opens the card of what is called so in the list. */
function card(name: string): (page: Page) => Promise<void> {
  return async (page) => {
    await page.getByText(name).first().click();
    await page
      .getByRole("button", { name: /approve/i })
      .first()
      .waitFor();
  };
}

/** Opens what there is of the run of that task. */
function of(task: string, path: string): (page: Page, sample: Sample) => Promise<void> {
  return async (page, { home }) => {
    const runs = await home.runs({ all: true });
    const found = runs.find((one) => one.task === task);
    await page.goto(`${new URL(page.url()).origin}${path}${found?.run ?? ""}`);
    await page.getByText(task).first().waitFor();
  };
}

async function chooseTask(page: Page): Promise<void> {
  const tasks = page.getByLabel("Task");
  const option = tasks.getByRole("option", { name: /^ops-week/ }).first();
  await tasks.selectOption((await option.getAttribute("value")) ?? "");
  await page.getByText("As a table").waitFor();
}

async function openTask(page: Page): Promise<void> {
  await page
    .getByRole("button", { name: /^ops-week/ })
    .first()
    .click();
  const radius = page.getByRole("region", { name: "Blast radius" });
  await radius.getByRole("table").waitFor();
  await page.getByRole("tabpanel", { name: "What it means" }).getByRole("region").first().waitFor();
}

async function openEntry(page: Page): Promise<void> {
  const rows = page.getByRole("table", { name: "Entries, newest first" });
  await rows.getByText("tunnel").first().waitFor();
  await rows.getByRole("row").filter({ hasText: "tunnel" }).getByRole("link").first().click();
  await page.getByRole("complementary").getByText("Download as JSON").waitFor();
}

async function openReport(page: Page, sample: Sample): Promise<void> {
  await of("rollout-17", "/incidents/")(page, sample);
  await page.getByRole("heading", { name: "What held" }).waitFor();
}

const DRILL_MS = 180_000;

async function playDrill(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Run this drill" }).click();
  await page.getByText("Contained, and shown to be.").waitFor({ timeout: DRILL_MS });
}
