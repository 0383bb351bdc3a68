/**
 * For the tests of this folder: approvals in a folder of their own, with a clock, and a process that dies.
 *
 * @module
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openApprovals } from "./approvals.fixture.ts";
import type { ApprovalsOptions } from "./approvals.ts";

export const A = "aaaaaa000001";
export const B = "bbbbbb000001";

export function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-approvals-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Approvals over a clock that the test sets. */
export function open(t: TestContext, more: Partial<ApprovalsOptions> = {}) {
  const file = join(folderOf(t), "approvals.db");
  const time = { wallMs: 1_000_000, monoMs: 0 };
  const clock = { now: () => ({ ...time }) };
  const approvals = openApprovals(file, { clock, ...more });
  t.after(() => approvals.close());
  return { approvals, time, file };
}

/** Runs the fixture as a program until it has said so many bytes more, and kills it there. */
export async function killed(file: string, sent: string, bytes: number, how = ""): Promise<void> {
  appendFileSync(sent, "");
  const before = statSync(sent).size;
  const program = join(import.meta.dirname, "approvals.fixture.ts");
  const child = spawn(process.execPath, [program, file, sent, how], { stdio: "inherit" });
  const ended = once(child, "exit");
  while (statSync(sent).size < before + bytes) {
    assert.equal(child.exitCode, null);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  child.kill("SIGKILL");
  await ended;
}

/** What the fixture said behind a word, line by line. */
export function linesOf(sent: string): (word: string) => readonly string[] {
  const lines = readFileSync(sent, "utf8").trim().split("\n");
  return (word) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
}

export const answer = { status: 201, headers: ["a", "b"], body: Buffer.from("done"), isCut: false };
