/** The Python client: its types, the contract that they are made from, and all of it against a real daemon. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PYTHON_TYPES, pythonTypes } from "../scripts/python-types.ts";
import { BIN, TestHome } from "./support/home.ts";

const folder = join(import.meta.dirname, "..", "clients", "python");
const home = new TestHome();

before(async () => home.runs());
after(async () => home.close());

/** Runs a program to its end; one that is missing fails. */
async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PYTHONPATH: folder,
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONWARNINGS: "error::ResourceWarning",
      COFFERDAM_HOME: home.state,
      COFFERDAM_PROGRAM: BIN,
      COFFERDAM_WORKSPACE: home.workspace,
    },
  });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => said.push(data));
  }
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const text = Buffer.concat(said).toString();
  assert.equal(code, 0, text);
  return text;
}

test("INV-260: contract.py is what docs/reference/openapi.json says; `npm run docs` makes it", () => {
  assert.equal(readFileSync(PYTHON_TYPES, "utf8"), pythonTypes());
});

test("its types hold, tests and the example included", async () => {
  const cache = join(home.root, "mypy");
  const example = join("..", "..", "examples", "rollouts", "trainer.py");
  const text = await run("mypy", ["--strict", "--cache-dir", cache, "cofferdam", example]);
  assert.match(text, /no issues found in \d+ source files/);
});

/** Each class of clients/python/tests, with the invariants that it holds. */
const CLASSES = [
  ["Commands", "INV-259: commands, and that each is ended with whoever waits for it"],
  ["FilesOfARun", "files, of any length in constant memory"],
  ["Runs", "runs, snapshots, events, findings and reports"],
  ["Gym", "INV-258: the gym-like surface, whose steps are on all that follows from them"],
  ["Sockets", "INV-257: whom it speaks to"],
] as const;
for (const [name, what] of CLASSES) {
  test(what, async () => {
    const text = await run("python3", ["-m", "unittest", "-v", `tests.test_client.${name}`]);
    assert.match(text, /Ran [1-9]\d* tests? in .*\n\nOK\n$/);
  });
}
