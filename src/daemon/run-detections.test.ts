/** Who is told of what is noticed: each run as its task has it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../action/index.ts";
import type { Task } from "../policy/index.ts";
import { RunDetections } from "./detection.ts";

function watch(settings: Readonly<Record<string, Task["detect"]>>) {
  const detections = new RunDetections();
  const told: string[] = [];
  const again: string[] = [];
  for (const [run, detect] of Object.entries(settings)) {
    detections.add(
      run,
      { detect },
      {
        tell: ({ detector, score }) => told.push(`${run} ${detector} ${score}`),
        again: ({ detector, action }) => again.push(`${run} ${detector} ${action ?? ""}`),
      },
    );
  }
  return { detections, told, again };
}

const ssh = (run: string): Event => {
  const process = {
    pid: 2,
    exe: "/usr/bin/ssh",
    argv: ["ssh", "-R", "80:a:80", "h"],
    knownBy: "seccomp" as const,
    ancestors: [],
  };
  return { type: "process.start", run, at: "", monoMs: 0, process, target: "/usr/bin/ssh" };
};
const dns = (run: string, n: number): Event => {
  const name = `${"x".repeat(40)}${n}.t.evil.test`;
  return { type: "dns", run, at: "", monoMs: n, target: name, data: { name, type: "A" } };
};
const turn = (n: number): Event => {
  const [run, effects] = [["a", "b"][(n >> 1) % 2] ?? "", [n % 2 === 0 ? "read" : "write"]];
  return {
    type: "action",
    run,
    at: "",
    monoMs: n,
    verdict: "allow",
    target: "db x",
    data: { effects },
  };
};

test("what is found is told behind the event, to its run; not where its task has it off", () => {
  const { detections, told } = watch({ a: {}, b: { "tunnel.command": "off" } });
  const tell = detections.observe(ssh("a"));
  assert.deepEqual(told, []);
  tell?.();
  detections.observe(ssh("b"))?.();
  detections.observe(ssh("c"))?.(); // Of no run here.
  assert.deepEqual(told, ["a tunnel.command 0.9"]);
});

test("INV-165: what is found again is not told again, and yet named to who withholds it", () => {
  const { detections, told, again } = watch({ a: {}, b: { "exfil.secret": "off" } });
  const carries = [{ what: "AWS access key", where: "the query", digest: "d" }];
  const data = { effects: ["read"], carries };
  for (const action of ["a-1", "a-2"]) {
    for (const run of ["a", "b"]) {
      const event: Event = {
        type: "action",
        run,
        at: "",
        monoMs: 0,
        verdict: "allow",
        action,
        data,
      };
      detections.observe(event)?.();
    }
  }
  assert.deepEqual([told, again], [["a exfil.secret 0.8"], ["a exfil.secret a-2"]]);
});

test("a task's threshold holds for its run alone", () => {
  const { detections, told } = watch({ a: {}, b: { "dns.tunnel": { bytes: 100_000 } } });
  for (let n = 0; n < 60; n += 1) {
    detections.observe(dns("a", n))?.();
    detections.observe(dns("b", n))?.();
  }
  assert.ok(
    told.includes("a dns.tunnel 0.9") && !told.some((one) => one.startsWith("b dns.tunnel")),
  );
});

test("what is noticed over several runs is told to each that it is about, unless it is off there or over", () => {
  const names = (settings: Parameters<typeof watch>[0], ended?: string) => {
    const { detections, told } = watch(settings);
    for (let n = 0; n < 40; n += 1) {
      if (n === 10 && ended !== undefined) detections.remove(ended);
      detections.observe(turn(n))?.();
    }
    return told.map((one) => one.split(" ", 2).join(" ")).sort();
  };
  assert.deepEqual(names({ a: {}, b: {} }), ["a signal.turns", "b signal.turns"]);
  assert.deepEqual(names({ a: {}, b: { "signal.turns": "off" } }), ["a signal.turns"]);
  assert.deepEqual(names({ a: {}, b: {} }, "b"), []);
});
