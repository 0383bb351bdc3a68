/**
 * In a worker's place: tries, while it loads and is not wholly sealed, to change what the daemon keeps of compiled code,
 * which every later process would execute. Tells what came of each.
 */
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { seal } from "./seal.ts";

const [canary = "", id = "", , compiled = ""] = process.argv.slice(2);
const out = new Socket({ fd: 3, readable: true, writable: true });
const [kept = ""] = readdirSync(compiled);

function attempt(act: () => unknown): string {
  try {
    act();
    return "it worked";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

const came = {
  "see what is kept": attempt(() => readdirSync(join(compiled, kept))),
  "plant a file": attempt(() => writeFileSync(join(compiled, kept, "planted"), "x")),
  "plant a folder": attempt(() => mkdirSync(join(compiled, "planted"))),
  "plant a link": attempt(() => symlinkSync("/tmp", join(compiled, "planted"))),
  "take it away": attempt(() => rmSync(join(compiled, kept), { recursive: true })),
};
out.write(`${JSON.stringify([{ sealed: await seal(canary, Number(id)) }])}\n`);
out.write(`${JSON.stringify([came])}\n`);
