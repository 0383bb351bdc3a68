/** Whose step something is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Process } from "../action/index.ts";
import { createJoiner } from "./index.ts";

const INIT = { pid: 2, exe: "/init", argv: ["init"] };
const of = (pid: number, argv: readonly string[], ...above: number[]): Process => ({
  ...{ pid, exe: `/bin/${argv[0]}`, argv: [...argv], knownBy: "seccomp" as const },
  ancestors: [...above.map((one) => ({ pid: one, exe: "/x", argv: ["x"] })), INIT],
});

function kit() {
  const joiner = createJoiner();
  return {
    step: (step: number) =>
      joiner.observe({ type: "step", data: { trajectory: "t", episode: "e", step } }),
    starts: (process: Process) => joiner.observe({ type: "process.start", process })?.step?.step,
    opens: (process: Process, flow = "f") =>
      joiner.observe({ type: "flow.open", flow, target: "a:1", process })?.step?.step,
    sees: (event: Parameters<typeof joiner.observe>[0]) => joiner.observe(event)?.step?.step,
  };
}

test("INV-227: a process, and what descends from it, is of the step that it began in", () => {
  const it = kit();
  it.starts(of(10, ["agent"]));
  it.step(3);
  it.starts(of(20, ["python", "x.py"], 10));
  it.step(4);
  assert.equal(it.opens(of(20, ["python", "x.py"], 10)), 3);
  assert.equal(it.starts(of(21, ["curl"], 20, 10)), 3, "a child that begins later");
  assert.equal(it.opens(of(20, ["python", "x.py"])), 3, "its parent has ended");
  assert.equal(
    it.opens(of(10, ["agent"])),
    4,
    "what began before any step is of the one under way",
  );
  assert.equal(it.opens(of(21, ["nc"])), 3, "adopted by process 1");
  assert.equal(it.opens(of(20, ["other"], 77, 10)), 4, "a number that is used again");
});

test("INV-227: a session's commands are each of the step in which they begin", () => {
  const it = kit();
  it.step(1);
  it.step(2);
  it.starts(of(30, ["bash", "--norc"]));
  it.step(5);
  assert.equal(it.starts(of(31, ["curl"], 30)), 5);
  it.step(6);
  assert.equal(it.opens(of(31, ["curl"], 30)), 5);
  it.starts(of(40, ["bash", "-c", "sleep 9; curl"]));
  it.step(7);
  assert.equal(it.starts(of(41, ["curl"], 40)), 6, "a script is no session");
});

test("INV-227: what a command left behind uses is of its step, whatever command is under way; the other's own is the other's", () => {
  const it = kit();
  it.starts(of(10, ["server"]));
  const begins = (exec: string, pid: number, step: number) =>
    it.sees({ type: "exec", data: { exec, pid, step: { trajectory: "t", episode: "e", step } } });
  const uses = (process?: Process) =>
    it.sees({ type: "usage", data: { spanMs: 0 }, ...(process && { process }) });
  begins("x-1", 101, 1);
  it.sees({ type: "exec.end", data: { exec: "x-1" } });
  begins("x-2", 102, 2);
  assert.equal(uses(of(20, ["miner"], 101)), 1, "its keeper has ended, and is still in its line");
  assert.equal(uses(of(21, ["forked"], 20, 101)), 1, "what never executed anything");
  assert.equal(uses(of(30, ["train"], 102)), 2, "the benign twin: the command under way");
  assert.equal(uses(of(10, ["server"])), undefined, "what began before any step");
  assert.equal(uses(), 2, "where it is not known whose it is, the one command's that is under way");
  begins("x-3", 103, 3);
  assert.equal(uses(), undefined, "two are under way");
  assert.equal(uses(of(30, ["train"], 102)), 2);
  assert.equal(uses(of(40, ["train"], 103)), 3);
  for (const exec of ["x-2", "x-3"]) it.sees({ type: "exec.end", data: { exec } });
  assert.equal(uses(of(20, ["miner"], 101)), 1, "between two commands");
});

test("INV-227: an outcome, an approval and a close have the step of their action or flow", () => {
  const it = kit();
  const agent = of(10, ["agent"]);
  it.starts(agent);
  it.step(3);
  it.opens(agent);
  it.sees({ type: "action", action: "a", flow: "f", process: agent });
  it.step(4);
  for (const type of ["outcome", "approval", "denial", "finding"] as const)
    assert.equal(it.sees({ type, action: "a", process: agent }), 3, type);
  assert.equal(it.sees({ type: "flow.close", flow: "f", process: agent }), 3);
  assert.equal(it.sees({ type: "usage" }), 4);
});
