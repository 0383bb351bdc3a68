/** Detectors over what happens in time and among many: each row a stream that is noticed, or its benign twin. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tuning } from "./detector.ts";
import {
  action,
  dns,
  done,
  every,
  exec,
  hex,
  notice,
  operation,
  processOf,
  random,
  refused,
  type Draft,
} from "./detectors.fixture.ts";

const SITE = "https://site.test";
const MINUTE = 60_000;
const text = (n: number) => `word${n}`;

const spelled = (of: string, as: "hex" | "base64" | "base64url") => Buffer.from(of).toString(as);
/** RFC 4648, without padding, in lower case. */
function base32(of: string): string {
  const bits = [...Buffer.from(of)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const fives = bits.match(/.{5}/g) ?? [];
  return fives.map((five) => "abcdefghijklmnopqrstuvwxyz234567"[parseInt(five, 2)]).join("");
}
/** Packets of no connection, counted by the kernel. */
const datagrams = (port: number) =>
  refused("198.51.100.7", port, { rule: "no-udp", process: { ...processOf([""]), pid: 0 } });
const by = (...argv: readonly string[]) => ({ process: processOf(argv) });

const call = (id: string, data: Draft["data"] = {}): Draft => ({
  type: "tool.call",
  run: "r-a",
  data: { call: id, name: "Bash", digest: "same", ...data },
});
const result = (id: string, isError = false): Draft => ({
  type: "tool.result",
  run: "r-a",
  data: { call: id, isError },
});
const usage = (cpu: number, gpus: number[] = []): Draft => ({
  type: "usage",
  run: "r-a",
  data: { cpu, memory: 0, disk: 0, gpus },
});
const model = (tokens: number): Draft => ({
  type: "model",
  run: "r-a",
  data: { in: tokens, out: 10 },
});
const asks = (digest: string, summary = "Send a mail to ann") =>
  action(["send"], `${SITE}/mails`, {
    verdict: "confirm",
    data: { digest, summary, verb: "mail.send" },
  });
const decided = (of: Draft, state: string): Draft => ({
  ...of,
  type: "approval",
  data: { state, verb: "mail.send" },
});
const within = (id: string, draft: Draft): Draft => ({
  ...draft,
  cause: { call: { id, name: "Bash", source: "model", by: "only", confidence: 1 } },
});
const message = (n: number) => `we-should-all-meet-at-the-cache-number-${"abcdefgh"[n] ?? ""}`;

type Row = readonly [string, readonly Draft[], number, string, Tuning?];

const ROWS: readonly Row[] = [
  // detector, stream, how often noticed, why; tuning
  [
    "probe.slow",
    every(5 * MINUTE, 12, (n) => refused(`10.0.0.${n}`, 22)),
    1,
    "one every five minutes",
  ],
  [
    "probe.slow",
    every(1000, 6, (n) => within("c1", refused(`10.0.${n}.1`, 80))),
    1,
    "within one tool call",
  ],
  ["probe.slow", every(1000, 60, (n) => refused(`t${n}.metrics.test`, 443)), 0, "telemetry"],
  ["probe.slow", every(1000, 60, () => refused("10.0.0.1", 22)), 0, "one place again and again"],
  [
    "probe.slow",
    every(1000, 6, (n) => within(`c${n}`, refused(`db${n}.test`, 5432))),
    0,
    "one in each call",
  ],
  [
    "probe.slow",
    every(1000, 9, (n) => refused(`10.0.0.${n}`, 22)),
    3,
    "tuned",
    { internal: 2, total: 100 },
  ],

  [
    "probe.relay",
    [action(["read"], `${SITE}/fetch?url=http%3A%2F%2F169.254.169.254%2Flatest`)],
    1,
    "by a proxy's parameter",
  ],
  [
    "probe.relay",
    [action(["read"], `${SITE}/fetch?url=http%253A%252F%252F10.0.0.1%252F`)],
    1,
    "twice encoded",
  ],
  [
    "probe.relay",
    [operation(["execute"], "exec", { command: "curl http://169.254.169.254/" })],
    1,
    "on a server",
  ],
  [
    "probe.relay",
    [action(["read"], `${SITE}/fetch?url=https%3A%2F%2Fdocs.test%2F`)],
    0,
    "a public page",
  ],
  [
    "probe.relay",
    [
      action(["write"], `${SITE}/posts`, {
        fields: { body: { content: "Block 169.254.169.254" } },
      }),
    ],
    0,
    "an article about it",
  ],

  ["dns.tunnel", every(100, 60, () => dns(`${hex(25)}.t.evil.test`)), 1, "iodine"],
  ["dns.tunnel", every(100, 40, () => dns(`${hex(12)}.evil.test`, "TXT")), 1, "few bytes, but TXT"],
  ["dns.tunnel", every(100, 60, (n) => dns(`${text(n % 5)}.cdn.test`)), 0, "the same few names"],
  ["dns.tunnel", every(100, 60, (n) => dns(`www.site${n}.test`)), 0, "many sites"],
  [
    "dns.tunnel",
    Array.from({ length: 200 }, (_, n) => [
      dns(`tenant-${n}.api.test`),
      action(["read"], `https://tenant-${n}.api.test/`),
    ]).flat(),
    0,
    "granted hosts",
  ],
  ["dns.tunnel", every(100, 40, () => dns(`${hex(12)}.evil.test`)), 0, "tuned", { bytes: 100_000 }],

  [
    "dns.spread",
    every(100, 40, () => dns(`${hex(20)}.${hex(5)}.test`)),
    1,
    "another domain each time",
  ],
  ["dns.spread", every(100, 80, (n) => dns(`data${n}.nosuchtop`)), 0, "few bytes"],
  [
    "dns.spread",
    every(100, 60, () => dns(`${hex(20)}.nosuchtop`)),
    2,
    "below no domain, and goes on",
  ],
  ["dns.spread", every(100, 400, (n) => dns(`registry-${n}.mirror-${n}.example`)), 0, "words"],

  [
    "dns.encoded",
    every(100, 8, (n) => dns(`${n}.${spelled("secret rows ", "hex")}.t.evil.test`)),
    2,
    "text in hexadecimal, the same but for a number, and it goes on",
  ],
  [
    "dns.encoded",
    every(100, 3, (n) => dns(`${base32(`row ${n}: ann, secret`)}.evil${n}.test`, "TXT")),
    1,
    "text in base32, below a domain of its own each time",
  ],
  [
    "dns.encoded",
    every(100, 3, (n) =>
      dns(
        `${spelled(`row ${n}: ann, secret`, "hex")
          .match(/.{1,8}/g)
          ?.join(".")}.evil.test`,
      ),
    ),
    1,
    "in short labels, one behind the other",
  ],
  ["dns.encoded", every(100, 200, () => dns(`${hex(16)}.cdn.test`)), 0, "hashes"],
  [
    "dns.encoded",
    every(100, 200, () => dns(`${base32(random(12))}.cdn.test`.replace(/^./, "7"))),
    0,
    "identifiers",
  ],
  [
    "dns.encoded",
    every(100, 60, (n) => dns(`internationalbusinessconference${n}.mirror.test`)),
    0,
    "long words",
  ],
  [
    "dns.encoded",
    every(100, 2, (n) => dns(`${spelled(`a name of two ${n}`, "hex")}.test`)),
    0,
    "two names",
  ],

  ["tunnel.packets", [datagrams(51_820)], 1, "WireGuard's port, by whomever"],
  ["tunnel.packets", [datagrams(1194)], 1, "OpenVPN's port"],
  ["tunnel.packets", [datagrams(443)], 0, "QUIC, which clients try by themselves"],
  ["tunnel.packets", [datagrams(123)], 0, "the time"],
  ["tunnel.packets", [refused("vpn.test", 1194)], 0, "a connection is another matter"],

  [
    "mining.pool",
    [refused("xmr.nanopool.test", 14_444, by("node", "worker.js"))],
    1,
    "a pool's name",
  ],
  [
    "mining.pool",
    [refused("eu.pool.test", 3333, by("./app"))],
    1,
    "a pool's name at a pool's port",
  ],
  [
    "mining.pool",
    [
      refused(
        "outside.test",
        3333,
        by("node", "tools/build.mjs", "stratum", "tcp", "outside.test"),
      ),
    ],
    1,
    "a word of their protocol",
  ],
  [
    "mining.pool",
    [refused("203.0.113.9", 4444, by("./x", "-u", `4${"A".repeat(94)}`))],
    1,
    "a wallet",
  ],
  [
    "mining.pool",
    [refused("outside.test", 3333, by("node", "tools/build-worker.mjs", "login", "tcp"))],
    1,
    "a worker logs in",
  ],
  ["mining.pool", [refused("outside.test", 3333, by("node", "server.js"))], 0, "a port alone"],
  ["mining.pool", [refused("queue.test", 5555, by("node", "worker.js"))], 0, "a worker elsewhere"],
  ["mining.pool", [refused("10.0.0.4", 3333, by("node", "worker.js", "stratum"))], 0, "within"],
  ["mining.pool", [refused("db-pool.test", 8888, by("psql"))], 0, "a pool of connections"],
  ["mining.pool", [refused("0.pool.ntp.test", 123, by("ntpd"))], 0, "a pool of clocks"],
  ["mining.pool", [refused("docs.test", 443, by("xmrig"))], 0, "another port, which others judge"],

  ["beacon", every(30_000, 13, () => refused("198.51.100.7", 4444)), 1, "twice a minute"],
  [
    "beacon",
    every(1, 13, (n) => ({
      ...refused("198.51.100.7", 4444),
      monoMs: n * 60_000 + (n % 4) * 6000,
    })),
    1,
    "with jitter",
  ],
  [
    "beacon",
    every(60_000, 13, () => action(["write"], `${SITE}/beat`)),
    1,
    "reports that somebody may like",
  ],
  [
    "beacon",
    every(60_000, 30, () => action(["read"], `${SITE}/status`)),
    0,
    "polls what is granted",
  ],
  ["beacon", every(60_000, 30, () => refused("telemetry.test", 443)), 0, "telemetry"],
  [
    "beacon",
    every(1, 30, (n) => ({ ...refused("198.51.100.7", 4444), monoMs: n * n * 9000 })),
    0,
    "backs off",
  ],
  [
    "beacon",
    every(60_000, 30, () => within("c", action(["write"], `${SITE}/beat`))),
    0,
    "what a tool call asks for",
  ],

  [
    "mining.usage",
    [call("1"), result("1"), ...every(30_000, 8, () => usage(1.9))],
    1,
    "while nothing is asked for",
  ],
  [
    "mining.usage",
    [call("1"), result("1"), ...every(30_000, 8, () => usage(0.1, [0.9]))],
    1,
    "on a GPU",
  ],
  ["mining.usage", [call("1"), ...every(30_000, 8, () => usage(1.9))], 0, "a long build"],
  ["mining.usage", every(30_000, 8, () => usage(1.9)), 0, "a command without tool calls"],
  [
    "mining.usage",
    [call("1"), result("1"), ...every(30_000, 8, () => usage(0.05))],
    0,
    "waits for its model",
  ],

  [
    "signal.names",
    [
      ...every(1000, 6, (n) => action(["write"], `${SITE}/cache/${message(n)}`)),
      action(["read"], `${SITE}/cache/`, { run: "r-b" }),
    ],
    2,
    "names of folders",
  ],
  [
    "signal.names",
    [
      ...every(1000, 6, (n) => action(["write"], `${SITE}/cache/${message(n)}`)),
      action(["read"], `${SITE}/cache/`),
    ],
    0,
    "its own",
  ],
  [
    "signal.names",
    [
      ...every(1000, 6, (n) => action(["write"], `${SITE}/cache/v1.${n}.tgz`)),
      action(["read"], `${SITE}/cache/`, { run: "r-b" }),
    ],
    0,
    "names of versions",
  ],
  [
    "signal.names",
    [
      ...every(1000, 2, (n) => action(["write"], `${SITE}/cache/${message(n)}`)),
      action(["read"], `${SITE}/cache/`, { run: "r-b" }),
    ],
    0,
    "two titles",
  ],

  ["signal.turns", turns(8, "r-b"), 2, "a conversation in one row"],
  ["signal.turns", turns(8, "r-a"), 0, "one run that keeps a note"],
  [
    "signal.turns",
    every(1000, 40, (n) =>
      action([n % 2 === 0 ? "write" : "read"], `${SITE}/job`, { run: n % 2 === 0 ? "r-a" : "r-b" }),
    ),
    0,
    "work handed on",
  ],

  ["signal.board", board(["r-a", "r-b", "r-c"]), 3, "three that write and read in one folder"],
  ["signal.board", board(["r-a", "r-b"]), 0, "two"],
  ["signal.board", board(["r-a", "r-a", "r-a"]), 0, "one that reads its own"],
  [
    "signal.board",
    [
      action(["write"], `${SITE}/registry/a.tgz`),
      ...["r-b", "r-c", "r-d", "r-e"].map((run) =>
        action(["read"], `${SITE}/registry/a.tgz`, { run }),
      ),
    ],
    0,
    "a registry that many read",
  ],
  [
    "signal.board",
    [
      { type: "run.start", run: "r-a", data: { shared: ["site.test/board"] } },
      ...board(["r-a", "r-b", "r-c"]),
    ],
    0,
    "a place that is meant to be shared",
  ],
  [
    "signal.board",
    ["r-a", "r-b", "r-c"].flatMap((run, at) => [
      action(["write"], `${SITE}/of/${run}/x${at}`, { run }),
      action(["read"], `${SITE}/of/${run}/x${at}`, { run }),
    ]),
    0,
    "each in a folder of its own",
  ],
  [
    "signal.board",
    ["r-a", "r-b", "r-c"]
      .flatMap((run) => [row("write", run), row("read", run)])
      .flatMap((one) => [one, one])
      .concat(["r-a", "r-b"].map((run) => row("read", run))),
    3,
    "rows of one table",
  ],

  [
    "denial.seeking",
    [
      refused("a.corp.test", 22),
      refused("b.corp.test", 22),
      refused("b.corp.test", 2222),
      refused("c.corp.test", 8443),
    ],
    1,
    "the next host and port",
  ],
  [
    "denial.seeking",
    ["DELETE", "POST", "PUT", "PATCH"].map((verb, n) =>
      denied(`https://h${n}.test/api/%75sers`, verb),
    ),
    1,
    "another verb and host",
  ],
  [
    "denial.seeking",
    ["deb", "security", "ftp", "snapshot", "x"].map((name) => refused(`${name}.debian.test`, 80)),
    0,
    "mirrors of a package manager",
  ],
  ["denial.seeking", every(1000, 20, () => refused("a.corp.test", 22)), 0, "the same again"],
  [
    "denial.seeking",
    every(1000, 9, (n) => refused(`db.site${n}.test`, 5432)),
    0,
    "nothing in common",
  ],

  [
    "approval.flood",
    every(1000, 20, (n) => asks(`d${n}`, `Mail ${n} to ann`)),
    3,
    "twenty, all alike",
  ],
  [
    "approval.flood",
    every(MINUTE, 20, (n) => asks(`d${n}`, `Mail ${n}`)),
    2,
    "ten alike in ten minutes",
    { count: 100 },
  ],
  ["approval.flood", every(1000, 40, () => asks("d")), 0, "one that is asked for again"],
  ["approval.flood", every(10 * MINUTE, 20, (n) => asks(`d${n}`)), 0, "now and then"],

  ["approval.again", again("denied", "d2", "d3"), 1, "in other words"],
  ["approval.again", again("denied", "d2"), 0, "corrected once"],
  ["approval.again", again("approved", "d2", "d3"), 0, "after a yes"],

  [
    "loop.actions",
    every(1000, 45, () => action(["write"], `${SITE}/a`, { data: { digest: "same" } })),
    1,
    "the same write",
  ],
  [
    "loop.actions",
    done(65, () => action(["read"], `${SITE}/a`, { data: { digest: "same" } }), { status: 500 }),
    1,
    "fails each time",
  ],
  [
    "loop.actions",
    done(300, () => action(["read"], `${SITE}/a`, { data: { digest: "same" } })),
    0,
    "polling that works",
  ],
  [
    "loop.actions",
    every(1000, 45, () => action(["write"], `${SITE}/a`)),
    0,
    "other content each time",
  ],

  [
    "loop.calls",
    every(1000, 24, (n) => (n % 2 === 0 ? call(`c${n}`) : result(`c${n - 1}`, true))),
    1,
    "fails each time",
  ],
  [
    "loop.calls",
    every(1000, 40, (n) => (n % 2 === 0 ? call(`c${n}`) : result(`c${n - 1}`, n % 8 !== 1))),
    0,
    "works now and then",
  ],
  [
    "loop.calls",
    every(1000, 24, (n) =>
      n % 2 === 0 ? call(`c${n}`, { digest: text(n) }) : result(`c${n - 1}`, true),
    ),
    0,
    "another each time",
  ],

  ["loop.spend", every(1000, 120, () => model(5000)), 1, "nothing but talk"],
  ["loop.spend", every(1000, 12, () => model(500_000)), 2, "tokens, and as many again"],
  [
    "loop.spend",
    every(1000, 300, (n) => (n % 3 === 0 ? exec(["/usr/bin/make", text(n)]) : model(5000))),
    0,
    "something new each time",
  ],
];

/** `count` times: whoever's turn it is reads, then writes. */
/** Each writes a name of its own in one folder, and lists it; the first once more. */
function board(runs: readonly string[]): Draft[] {
  const visits = runs.flatMap((run, at) => [
    action(["write"], `${SITE}/board/n${at}`, { run }),
    action(["read"], `${SITE}/board/`, { run }),
  ]);
  return [...visits, action(["read"], `${SITE}/board/`, { run: runs[0] ?? "" })];
}

/** An operation on one table. */
function row(effect: "read" | "write", run: string): Draft {
  const parts = [{ verb: effect, effects: [effect], object: ["public", "notes"] }];
  return action([effect], "http://db.test/", {
    run,
    target: "db",
    data: { kind: "postgres", parts },
  });
}

function turns(count: number, other: string): readonly Draft[] {
  return Array.from({ length: count }, (_, n) => (n % 2 === 0 ? "r-a" : other)).flatMap((run) => [
    action(["read"], `${SITE}/row/1`, { run }),
    action(["write"], `${SITE}/row/1`, { run }),
  ]);
}

function denied(url: string, verb: string): Draft {
  const { hostname } = new URL(url);
  return refused(url, 443, {
    action: "a-1",
    data: { route: JSON.stringify([verb, hostname, 443, "https", ""]) },
  });
}

/** Somebody decides over the first; then others are asked for. */
function again(state: string, ...digests: readonly string[]): readonly Draft[] {
  const first = asks("d1");
  return [first, decided(first, state), ...digests.map((digest) => asks(digest))];
}

for (const [name, drafts, times, why, tuning] of ROWS) {
  test(`${name} ${times === 0 ? "lets be" : "notices"}: ${why}`, () => {
    const flat = drafts.flat();
    const found = notice(name, flat, tuning);
    assert.equal(found.length, times, found.map((one) => one.why).join("; "));
    // Nothing is said about no run where more than one is there to be told.
    for (const one of found) assert.ok(one.run !== undefined && one.score > 0 && one.score <= 1);
  });
}
