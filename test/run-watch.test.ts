/** A task file that grows out of what its agent asks for, at a real terminal. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseTaskFile } from "../src/policy/index.ts";
import { taskSystems } from "../src/systems/index.ts";
import { TestHome } from "./support/home.ts";
import { atTerminal } from "./support/terminal.ts";

const home = new TestHome();
after(() => home.close());
const ENV = { COFFERDAM_HOME: home.state };

/** Asks three times; the last says what an agent would like a person to have said. */
const SCRIPT =
  "curl -s -o /dev/null http://docs.test/; curl -sk -o /dev/null https://api.github.com/x; echo '  > r'; echo y";

test("INV-186: what was refused is added by a person, after the run, and the next run has it", async () => {
  const file = join(home.workspace, "new.yaml");
  const screen = await atTerminal(
    ["run", "--watch", "--task", file, "--", "sh", "-c", SCRIPT],
    [
      { wait: "2 things were refused" },
      { wait: "docs\\.test port 80.*asked by .*curl.*r  read there.*  > ", type: "r\r" },
      { wait: "api\\.github\\.com port 443.*read there, as github.*  > ", type: "n\r" },
      { wait: "Run it again", type: "y\r" },
      { wait: "1 thing was refused" },
      { wait: "api\\.github\\.com.*  > ", type: "q\r" },
    ],
    ENV,
  );
  assert.equal(screen.code, 0, screen.shown);
  const task = parseTaskFile(readFileSync(file, "utf8"), file, Date.now(), taskSystems());
  assert.deepEqual(
    task.grants.map(({ system, hosts }) => [system, ...hosts]),
    [["http", "docs.test"]],
  );
  assert.deepEqual(task.grants[0]?.allow[0]?.methods, ["GET", "HEAD"]);
});

test("INV-186: without a terminal nobody is asked (cli.watch), and no file is made", async () => {
  const { code, stderr } = await home.call(["run", "--watch", "--task", "none.yaml", "--", "true"]);
  assert.equal(code, 125);
  assert.match(stderr, /no terminal/);
  assert.throws(() => readFileSync(join(home.workspace, "none.yaml")));
});

test("a session's port is named with what a grant for it needs", async () => {
  const file = join(home.workspace, "db.yaml");
  const script = "curl -s --max-time 2 telnet://db.test:5432 </dev/null; true";
  const screen = await atTerminal(
    ["run", "--watch", "--task", file, "--", "sh", "-c", script],
    [{ wait: "db\\.test port 5432.*grant-template postgres" }],
    ENV,
  );
  assert.equal(screen.code, 0, screen.shown);
});
