/**
 * `approvals channels`: where approvers are asked besides this terminal, and whether that works.
 *
 * @module
 */
import { Fault, visibleLine, visibleLines } from "../../base/index.ts";
import { EXIT, type Context } from "../command.ts";
import { table } from "./runs.ts";

/** `channels`, or `channels test NAME`. */
export async function channels(
  context: Context,
  word: string,
  [name]: readonly string[],
): Promise<number> {
  if (word === "" && name === undefined) return show(context);
  if (word !== "test" || name === undefined) {
    throw new Fault("cli.usage", "approvals channels takes nothing, or test NAME");
  }
  const client = await context.daemon();
  const { places } = await client.call("approvals.test", { channel: name });
  const where = places.length === 1 ? "1 place" : `${places.length} places`;
  context.out(`${visibleLine(name)}: a test message went to ${where}\n`);
  return EXIT.ok;
}

async function show(context: Context): Promise<number> {
  const state = await (await context.daemon()).call("approvals.channels", {});
  const { file, problem, approvers, channels: all } = state;
  const code = problem === undefined ? EXIT.ok : EXIT.no;
  if (context.values["json"] === true) {
    context.out(`${JSON.stringify(state)}\n`);
    return code;
  }
  const who =
    file === undefined
      ? "nobody is listed: whoever may speak to the daemon decides, at the command line"
      : `${approvers.length} listed in ${file}: ${approvers.join(", ")}`;
  context.out(`${problem === undefined ? visibleLine(who) : visibleLines(problem)}\n`);
  const rows = all.map((one) => [
    one.name,
    one.state,
    String(one.strangers),
    visibleLine(one.error ?? ""),
  ]);
  if (rows.length > 0) context.out(table([["CHANNEL", "STATE", "STRANGERS", "WHY"], ...rows]));
  return code;
}
