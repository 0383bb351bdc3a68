/**
 * Tasks of a sample home: who does what, and by which rule it may.
 *
 * @module
 */
import type { Effect, Verdict } from "../../../src/action/index.ts";

/** One kind of thing that a task's agent asks for. */
export interface SampleDeed {
  readonly verb: string;
  readonly effects: readonly Effect[];
  readonly verdict: Verdict;
  readonly rule: string;
  readonly target: string;
  readonly summary: string;
  /** How often, beside the others. */
  readonly weight: number;
}

export interface SampleTask {
  readonly task: string;
  readonly purpose: string;
  readonly command: readonly string[];
  readonly profile?: string;
  readonly workspace: string;
  readonly system: string;
  readonly kind: string;
  readonly host: string;
  readonly port: number;
  readonly model: string;
  readonly lifetimeMs: number;
  readonly compute: Readonly<Record<string, number | readonly number[]>>;
  readonly source: string;
  readonly deeds: readonly SampleDeed[];
  /** What its tool calls look like. */
  readonly tools: readonly (readonly [name: string, command: string])[];
}

const HOUR = 3_600_000;
const GIB = 2 ** 30;

function sourceOf(task: string, purpose: string, grants: string): string {
  return `task: ${task}\npurpose: ${purpose}\nlifetime: 4h\ncompute: { cpus: 2, memory: 4GiB }\ngrants:\n${grants}`;
}

function deed(
  verb: string,
  effects: readonly Effect[],
  verdict: Verdict,
  rest: readonly [rule: string, target: string, summary: string, weight: number],
): SampleDeed {
  const [rule, target, summary, weight] = rest;
  return { verb, effects, verdict, rule, target, summary, weight };
}

export const SAMPLE_TASKS: readonly SampleTask[] = [
  {
    task: "weekly-post",
    purpose: "Write the weekly engineering post and put it on the blog",
    command: ["claude", "-p", "Write this week's post from the merged pull requests"],
    profile: "claude-code",
    workspace: "/home/dev/blog",
    system: "blog",
    kind: "wordpress",
    host: "blog.example.com",
    port: 443,
    model: "claude-opus-4-1",
    lifetimeMs: 2 * HOUR,
    compute: { cpus: 2, memoryBytes: 4 * GIB, pids: 512, gpu: [] },
    source: sourceOf(
      "weekly-post",
      "Write the weekly engineering post and put it on the blog",
      `  - system: wordpress
    name: blog
    hosts: [blog.example.com]
    credential: blog
    allow:
      - verbs: [post.list, post.get, media.list]
      - verbs: [media.upload]
        unattended: { count: 20, reason: "pictures of the post", expires: 2027-06-01 }
      - verbs: [post.publish]
`,
    ),
    deeds: [
      deed("post.list", ["read"], "allow", [
        "grants[0].allow[0]",
        "https://blog.example.com/wp-json/wp/v2/posts",
        "List posts",
        8,
      ]),
      deed("media.upload", ["write"], "allow", [
        "grants[0].allow[1]",
        "https://blog.example.com/wp-json/wp/v2/media",
        "Upload a picture",
        3,
      ]),
      deed("post.publish", ["publish"], "confirm", [
        "grants[0].allow[2]",
        "https://blog.example.com/wp-json/wp/v2/posts",
        "Publish “What we shipped in week 48”",
        0.4,
      ]),
      deed("user.create", ["administer"], "deny", [
        "no-rule",
        "https://blog.example.com/wp-json/wp/v2/users",
        "Create the user “helper”",
        0.15,
      ]),
    ],
    tools: [
      ["Bash", "git log --since='1 week' --oneline"],
      ["Read", "drafts/week-48.md"],
      ["Bash", "node tools/publish.mjs --draft"],
    ],
  },
  {
    task: "issue-triage",
    purpose: "Label new issues and close duplicates",
    command: ["codex", "exec", "triage the open issues"],
    profile: "codex",
    workspace: "/home/dev/shop",
    system: "github",
    kind: "github",
    host: "api.github.com",
    port: 443,
    model: "gpt-5.2-codex",
    lifetimeMs: 4 * HOUR,
    compute: { cpus: 2, memoryBytes: 2 * GIB, pids: 256, gpu: [] },
    source: sourceOf(
      "issue-triage",
      "Label new issues and close duplicates",
      `  - system: github
    name: github
    credential: triage-bot
    allow:
      - verbs: [issue.list, issue.get]
      - verbs: [issue.label, issue.comment]
        unattended: { count: 200, per: 1d, reason: "labels are undone by a click", expires: 2027-03-01 }
`,
    ),
    deeds: [
      deed("issue.list", ["read-private"], "allow", [
        "grants[0].allow[0]",
        "https://api.github.com/repos/acme/shop/issues",
        "List issues of acme/shop",
        10,
      ]),
      deed("issue.label", ["write"], "allow", [
        "grants[0].allow[1]",
        "https://api.github.com/repos/acme/shop/issues/812/labels",
        "Label acme/shop#812 “needs-repro”",
        5,
      ]),
      deed("issue.comment", ["publish"], "allow", [
        "grants[0].allow[1]",
        "https://api.github.com/repos/acme/shop/issues/790/comments",
        "Comment on acme/shop#790",
        2,
      ]),
      deed("repo.delete", ["delete", "administer"], "deny", [
        "no-rule",
        "https://api.github.com/repos/acme/shop-old",
        "Delete the repository acme/shop-old",
        0.05,
      ]),
    ],
    tools: [
      ["shell", "gh issue list --label '' --json number,title"],
      ["shell", "rg -n 'checkout timeout' src"],
    ],
  },
  {
    task: "orders-report",
    purpose: "Work out why orders of last week were late",
    command: ["claude"],
    profile: "claude-code",
    workspace: "/home/dev/reports",
    system: "warehouse",
    kind: "postgres",
    host: "warehouse.internal",
    port: 5432,
    model: "claude-sonnet-4-5",
    lifetimeMs: 3 * HOUR,
    compute: { cpus: 4, memoryBytes: 8 * GIB, pids: 512, gpu: [] },
    source: sourceOf(
      "orders-report",
      "Work out why orders of last week were late",
      `  - system: postgres
    name: warehouse
    hosts: [warehouse.internal]
    credential: warehouse-ro
    allow:
      - verbs: [select]
      - verbs: [update]
        on: [public.order_notes]
`,
    ),
    deeds: [
      deed("select", ["read-private"], "allow", [
        "grants[0].allow[0]",
        "postgres://warehouse.internal/shop public.orders",
        "SELECT count(*), date(shipped_at) FROM orders GROUP BY 2",
        14,
      ]),
      deed("update", ["write"], "confirm", [
        "grants[0].allow[1]",
        "postgres://warehouse.internal/shop public.order_notes",
        "UPDATE order_notes SET reason = 'carrier' WHERE week = 47",
        0.5,
      ]),
      deed("drop", ["delete"], "deny", [
        "no-rule",
        "postgres://warehouse.internal/shop public.orders_tmp",
        "DROP TABLE orders_tmp",
        0.2,
      ]),
    ],
    tools: [
      ["Bash", "psql -c 'select count(*) from orders where late'"],
      ["Bash", "python3 chart.py late.csv"],
      ["Write", "report/late-orders.md"],
    ],
  },
  {
    task: "support-mail",
    purpose: "Answer support mail that has a known answer",
    command: ["node", "agent.mjs", "--inbox", "support"],
    workspace: "/home/dev/support",
    system: "mail",
    kind: "smtp",
    host: "smtp.example.com",
    port: 465,
    model: "claude-haiku-4-5",
    lifetimeMs: 8 * HOUR,
    compute: { cpus: 1, memoryBytes: GIB, pids: 128, gpu: [] },
    source: sourceOf(
      "support-mail",
      "Answer support mail that has a known answer",
      `  - system: smtp
    name: mail
    hosts: [smtp.example.com]
    credential: support
    allow:
      - verbs: [mail.send]
`,
    ),
    deeds: [
      deed("mail.send", ["send"], "confirm", [
        "grants[0].allow[0]",
        "ana.ruiz@customer.example",
        "Mail to ana.ruiz@customer.example: “Re: invoice 4711”",
        1,
      ]),
      deed("session", ["read"], "allow", [
        "session",
        "smtp.example.com:465",
        "Keep the session",
        3,
      ]),
    ],
    tools: [
      ["search_kb", "refund within 30 days"],
      ["draft_reply", "Re: invoice 4711"],
    ],
  },
  {
    task: "ppo-gym",
    purpose: "Train the coding policy on the repair gym, step 3 of 9",
    command: ["python3", "train.py", "--config", "repair-gym.toml"],
    workspace: "/srv/gym",
    system: "pypi",
    kind: "http",
    host: "pypi.org",
    port: 443,
    model: "policy-0447",
    lifetimeMs: 12 * HOUR,
    compute: { cpus: 16, memoryBytes: 64 * GIB, pids: 4096, gpu: [0, 1] },
    source: sourceOf(
      "ppo-gym",
      "Train the coding policy on the repair gym",
      `  - system: http
    name: pypi
    hosts: [pypi.org, files.pythonhosted.org]
    allow:
      - { methods: [GET], paths: ["/**"] }
`,
    ),
    deeds: [
      deed("GET", ["read"], "allow", [
        "grants[0].allow[0]",
        "https://pypi.org/simple/numpy/",
        "GET https://pypi.org/simple/numpy/",
        12,
      ]),
      deed("POST", ["write"], "deny", [
        "no-rule",
        "https://pypi.org/legacy/",
        "POST https://pypi.org/legacy/",
        0.1,
      ]),
    ],
    tools: [
      ["bash", "pytest -x tests/test_repair.py"],
      ["bash", "pip download numpy==2.3.1"],
    ],
  },
  {
    task: "web-01-care",
    purpose: "Keep nginx on web-01 patched and its certificates fresh",
    command: ["opencode", "run", "check web-01"],
    profile: "opencode",
    workspace: "/home/dev/ops",
    system: "web-01",
    kind: "ssh",
    host: "web-01.internal",
    port: 22,
    model: "claude-sonnet-4-5",
    lifetimeMs: HOUR,
    compute: { cpus: 1, memoryBytes: GIB, pids: 128, gpu: [] },
    source: sourceOf(
      "web-01-care",
      "Keep nginx on web-01 patched and its certificates fresh",
      `  - system: ssh
    name: web-01
    hosts: [web-01.internal]
    credential: ops
    allow:
      - verbs: [exec]
        on: ["systemctl status *", "nginx -t", "apt list --upgradable"]
      - verbs: [exec]
        on: ["systemctl reload nginx"]
`,
    ),
    deeds: [
      deed("exec", ["execute"], "allow", [
        "grants[0].allow[0]",
        "web-01.internal: systemctl status nginx",
        "systemctl status nginx",
        6,
      ]),
      deed("exec", ["execute"], "confirm", [
        "grants[0].allow[1]",
        "web-01.internal: systemctl reload nginx",
        "systemctl reload nginx",
        0.5,
      ]),
      deed("exec", ["execute"], "deny", [
        "no-rule",
        "web-01.internal: crontab -e",
        "crontab -e",
        0.2,
      ]),
    ],
    tools: [
      ["bash", "ssh web-01 systemctl status nginx"],
      ["bash", "ssh web-01 apt list --upgradable"],
    ],
  },
];
