/**
 * What a person answers with: a content changed in an editor, and leave for more of the same.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Takes } from "../api/index.ts";
import { Fault, parseDurationMs } from "../base/index.ts";

/** Limits of a leave, as a person writes them: `5`, `1h`, `3`, `20EUR`. */
export interface Leave {
  readonly count: string;
  readonly time: string;
  readonly recipients?: string | undefined;
  readonly amount?: string | undefined;
}

/** @throws {Fault} `cli.usage` */
export function allowanceOf({
  count,
  time,
  recipients,
  amount,
}: Leave): NonNullable<Takes<"approvals.approve">["allowance"]> {
  const money = /^(\d+(?:\.\d+)?)([A-Z]{3,5})$/.exec(amount ?? "");
  if (amount !== undefined && money === null) {
    throw new Fault("cli.usage", "--amount is a number and a currency: 20EUR");
  }
  return {
    count: Number(count),
    forMs: parseDurationMs(time),
    ...(recipients === undefined ? {} : { recipients: Number(recipients) }),
    ...(money === null ? {} : { amount: { value: money[1] ?? "", currency: money[2] ?? "" } }),
  };
}

/** What a person's editor made of `body`, in base64. JSON is laid out for reading, and back. */
export function edited(body: Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-edit-"));
  const file = join(folder, "body");
  try {
    const json = jsonOf(body.toString("utf8"));
    const before = json === undefined ? body : Buffer.from(JSON.stringify(json, undefined, 2));
    writeFileSync(file, before, { mode: 0o600 });
    const editor = process.env["VISUAL"] ?? process.env["EDITOR"] ?? "vi";
    const { status } = spawnSync("sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
    if (status !== 0)
      throw new Fault("cli.editor", `${editor} did not end well; nothing was changed`);
    const text = readFileSync(file);
    if (text.equals(before)) return body.toString("base64");
    const made = json === undefined ? undefined : jsonOf(text.toString("utf8"));
    if (json !== undefined && made === undefined) {
      throw new Fault("cli.editor", "what the editor left is no JSON; nothing was changed");
    }
    return (made === undefined ? text : Buffer.from(JSON.stringify(made))).toString("base64");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
