/**
 * Drills from a shell: `node drills/main.ts NAME... [--json]`; `cofferdam drill` starts it the same way.
 *
 * Exit codes: 0 contained and shown; 1 not; 2 usage; 125 the test world could not be set up;
 * 128 and the signal's number where one stopped it.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeError, isFault } from "../src/base/index.ts";
import { CATALOGUE } from "./catalogue.ts";
import { DRILLS } from "./registry.ts";
import { runDrill } from "./run-drill.ts";

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      json: { type: "boolean" },
      bare: { type: "boolean" },
      list: { type: "boolean" },
      task: { type: "string" },
      agent: { type: "string" },
      "agent-bin": { type: "string" },
      careful: { type: "boolean" },
      live: { type: "boolean" },
      cofferdam: { type: "string" },
    },
    allowPositionals: true,
  });
  const json = values.json === true;
  if (values.list === true) {
    process.stdout.write(
      json ? `${JSON.stringify(CATALOGUE.map(withLack))}\n` : `${listDrills().join("\n")}\n`,
    );
    return 0;
  }
  if (positionals.length === 0) {
    process.stderr.write(
      "usage: node drills/main.ts NAME...|all [--json | --live] [--bare] [--task FILE] [--agent AGENT [--agent-bin FOLDER]] [--careful] | --list\n",
    );
    return 2;
  }
  const stopping = new AbortController();
  let stoppedBy = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      stoppedBy = constants.signals[signal];
      stopping.abort();
    });
  }
  process.stdout.on("error", () => stopping.abort()); // A reader that went away: `| head`.
  try {
    return await runDrill(positionals, {
      json,
      cofferdam: values.bare === true ? "-" : (values.cofferdam ?? commandLine()),
      ...(values.task === undefined ? {} : { task: resolve(values.task) }),
      ...(values.agent === undefined ? {} : { agent: values.agent }),
      ...(values["agent-bin"] === undefined ? {} : { agentFolder: resolve(values["agent-bin"]) }),
      careful: values.careful === true,
      live: values.live === true,
      out: process.stdout,
      err: process.stderr,
      environment: process.env,
      signal: stopping.signal,
    });
  } catch (error) {
    if (!isFault(error)) throw error;
    if (stoppedBy !== 0) return 128 + stoppedBy;
    const { code, hint } = error;
    process.stderr.write(
      json || values.live === true
        ? `${JSON.stringify({ error: { code, message: error.message, hint } })}\n`
        : `drill: ${describeError(error)}\n`,
    );
    return 125;
  }
}

/** With why it cannot be run here, where it cannot. */
function withLack(listed: (typeof CATALOGUE)[number]) {
  const lacks = DRILLS.find(({ name }) => name === listed.name)?.lacks?.();
  return lacks === undefined ? listed : { ...listed, lacks };
}

function listDrills(): readonly string[] {
  return CATALOGUE.flatMap(({ ids, name, incidents, story }) => [
    `${ids.join(", ").padEnd(16)}${name}  (${incidents})`,
    `${" ".repeat(16)}${story.title}`,
  ]);
}

/** `bin/cofferdam` of this checkout or package: above `drills/`, or above `dist/drills/`. */
function commandLine(): string {
  const near = fileURLToPath(new URL("../bin/cofferdam", import.meta.url));
  return existsSync(near) ? near : fileURLToPath(new URL("../../bin/cofferdam", import.meta.url));
}
