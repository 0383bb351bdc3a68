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
    arrange: card("post.publish"),
  },
  { name: "approval-mail", path: "/approvals", arrange: card("mail") },
  { name: "approval-sql", path: "/approvals", arrange: card("delete") },
  { name: "approval-push", path: "/approvals", arrange: card("push.update") },
  { name: "approval-workflow", path: "/approvals", arrange: card("workflow.activate") },
  { name: "approval-command", path: "/approvals", arrange: card("exec") },
  { name: "run", path: "/runs", arrange: run("rollout-17") },
  { name: "run-week", path: "/runs", arrange: run("ops-week") },
  { name: "blast", path: "/blast" },
  { name: "tasks", path: "/tasks" },
  { name: "credentials", path: "/credentials" },
  { name: "ledger", path: "/ledger" },
  { name: "incidents", path: "/incidents" },
  { name: "drills", path: "/drills" },
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

/** Opens the run of that task. */
function run(task: string): (page: Page, sample: Sample) => Promise<void> {
  return async (page, { home }) => {
    const runs = await home.runs({ all: true });
    const found = runs.find((one) => one.task === task);
    await page.goto(`${new URL(page.url()).origin}/runs/${found?.run ?? ""}`);
    await page.getByRole("tablist").first().waitFor();
  };
}
