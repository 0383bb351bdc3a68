/**
 * What brokers cost: the same client at the same real server, from a run through its broker, and beside it without
 * Cofferdam.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../src/base/index.ts";
import { Cluster } from "../../test/postgres/cluster.ts";
import { REDIS_PASSWORD, startRedis } from "../../test/support/redis-server.ts";
import { Sshd } from "../../test/support/sshd.ts";
import { startDaemon, type Daemon } from "../daemon.ts";
import type { Part } from "../part.ts";
import { runProgram } from "../program.ts";
import { createRow, type Row } from "../row.ts";
import { inTurns } from "../statistics.ts";

const ROUNDS = 5;
const SECONDS = 2;
const CLIENTS = 8;
const SCALE = 1; // 100,000 rows.
const PASSWORD = "bench-password-0123456789";

export const brokers: Part = {
  name: "brokers",
  async measure({ scratch, profiles }) {
    await using daemon = await startDaemon(scratch, { profiles });
    return [
      ...(await measurePostgres(daemon)),
      ...(await measureRedis(daemon)),
      ...(await measureSsh(daemon)),
    ];
  },
};

async function addCredential(
  daemon: Daemon,
  scheme: string,
  port: number,
  how: { readonly kind: string } & Readonly<Record<string, string>>,
  value: string,
): Promise<void> {
  const binding = { scheme, hosts: [`${scheme}.test`], port };
  await daemon.client.call("credential.add", {
    spec: { name: scheme, binding, how },
    secret: { value },
  });
}

/** A task that grants `system` at SYSTEM.test. */
function taskOf(system: string, lines: string): string {
  return `task: bench
purpose: Measure what a broker costs.
grants:
  - system: ${system}
    name: ${system}
    hosts: [${system}.test]
    credential: ${system}
    tls: false
${lines}`;
}

async function measurePostgres(daemon: Daemon): Promise<readonly Row[]> {
  const pgbench = globSync("/usr/lib/postgresql/*/bin/pgbench").sort().at(-1);
  if (pgbench === undefined) {
    throw new Fault("bench.program", "there is no pgbench", { hint: "apt-get install postgresql" });
  }
  // Ahead of the cluster, which lets nothing else happen here for seconds: the daemon lets go of who is silent so long.
  await addCredential(daemon, "postgres", 5432, { kind: "login", user: "bench" }, PASSWORD);
  const cluster = await Cluster.start();
  try {
    cluster.sql(`create role bench login superuser password '${PASSWORD}'; create database bench`);
    const at = ["-h", cluster.folder, "-p", String(cluster.port), "-U", "postgres"];
    execFileSync(pgbench, [...at, "-i", "-q", "-s", String(SCALE), "bench"], { stdio: "ignore" });
    const task = taskOf(
      "postgres",
      `    dial: 127.0.0.1:${cluster.port}
    with: { database: bench, rows: 1000000 }
    allow:
      - { verbs: ["*"], on: ["public.*"], doing: [read] }
  - system: tcp # The way without a judgement: as long, and nothing is looked for inside.
    name: way
    hosts: [way.test]
    ports: [5432]
    dial: 127.0.0.1:${cluster.port}
    opaque: true
    protocols: [stratum]
`,
    );
    const words = (host: string, port: number, clients: number, protocol: string) => [
      // Where nobody else logs in for it, it does so itself.
      ...[
        "env",
        `PGPASSWORD=${PASSWORD}`,
        pgbench,
        "-h",
        host,
        "-p",
        String(port),
        "-U",
        "bench",
        "-S",
        "-n",
        "-M",
        protocol,
      ],
      ...["-c", String(clients), "-j", "2", "-T", String(SECONDS), "bench"],
    ];
    const direct = (clients: number, protocol: string) => async () =>
      perSecond(await runProgram(words("127.0.0.1", cluster.port, clients, protocol)));
    const through = (host: string) => (clients: number, protocol: string) => async () =>
      perSecond(await daemon.run(words(host, 5432, clients, protocol), { task }));
    const brokered = through("postgres.test");
    const copied = through("way.test");
    const taken = await inTurns(ROUNDS, {
      simple: brokered(CLIENTS, "simple"),
      simpleWay: copied(CLIENTS, "simple"),
      simpleDirect: direct(CLIENTS, "simple"),
      prepared: brokered(CLIENTS, "prepared"),
      preparedWay: copied(CLIENTS, "prepared"),
      preparedDirect: direct(CLIENTS, "prepared"),
      one: brokered(1, "simple"),
      oneWay: copied(1, "simple"),
      oneDirect: direct(1, "simple"),
    });
    const ms = (rates: readonly number[]) => rates.map((rate) => 1000 / rate);
    const added = (rates: readonly number[], than: readonly number[]) =>
      ms(rates).map((value, n) => value - (ms(than)[n] ?? Number.NaN));
    const way = "the same way, bytes only copied";
    const goal = { of: "ratio", must: ">=", be: 0.5 } as const;
    return [
      createRow({
        ...{ name: "brokers/postgres-simple-8", unit: "queries/s", values: taken.simple, goal },
        against: { name: "pgbench -S direct", values: taken.simpleDirect },
      }),
      createRow({
        ...{ name: "brokers/postgres-prepared-8", unit: "queries/s", values: taken.prepared, goal },
        against: { name: "pgbench -S -M prepared direct", values: taken.preparedDirect },
      }),
      createRow({
        ...{ name: "brokers/postgres-simple-8-judged", unit: "queries/s", values: taken.simple },
        against: { name: way, values: taken.simpleWay },
      }),
      createRow({
        ...{ name: "brokers/postgres-prepared-8-judged", unit: "queries/s" },
        values: taken.prepared,
        against: { name: way, values: taken.preparedWay },
      }),
      createRow({
        name: "brokers/postgres-added",
        unit: "ms",
        values: added(taken.one, taken.oneDirect),
        against: { name: "one query direct", values: ms(taken.oneDirect) },
        goal: { of: "value", must: "<", be: 0.1 },
      }),
      createRow({
        ...{ name: "brokers/way-added", unit: "ms", values: added(taken.oneWay, taken.oneDirect) },
        against: { name: "one query direct", values: ms(taken.oneDirect) },
      }),
    ];
  } finally {
    cluster.stop();
  }
}

/** Transactions a second, as pgbench says them. */
function perSecond(said: string): number {
  const [, tps] = /tps = ([\d.]+)/.exec(said) ?? [];
  if (tps === undefined) throw new Fault("bench.program", `pgbench measured nothing: ${said}`);
  return Number(tps);
}

async function measureRedis(daemon: Daemon): Promise<readonly Row[]> {
  const server = await startRedis();
  try {
    await addCredential(daemon, "redis", 6379, { kind: "login", user: "default" }, REDIS_PASSWORD);
    const task = taskOf(
      "redis",
      `    dial: 127.0.0.1:${server.port}
    allow:
      - { verbs: ["*"], on: ["key:*"] }
`,
    );
    const words = (host: string, port: number) => [
      ...["redis-benchmark", "-h", host, "-p", String(port), "-c", String(CLIENTS)],
      ...["-n", "20000", "-r", "1000", "-t", "get", "--csv"],
    ];
    const rate = (said: string): number => {
      const [, value] = /"GET","([\d.]+)"/.exec(said) ?? [];
      if (value === undefined) throw new Fault("bench.program", `redis-benchmark: ${said}`);
      return Number(value);
    };
    const { brokered, direct } = await inTurns(ROUNDS, {
      brokered: async () => rate(await daemon.run(words("redis.test", 6379), { task })),
      direct: async () =>
        rate(await runProgram([...words("127.0.0.1", server.port), "-a", REDIS_PASSWORD])),
    });
    return [
      createRow({
        ...{ name: "brokers/redis-get-8", unit: "commands/s", values: brokered },
        against: { name: "redis-benchmark direct", values: direct },
      }),
    ];
  } finally {
    await server.close();
  }
}

const SSH_TIMES = 10;

async function measureSsh(daemon: Daemon): Promise<readonly Row[]> {
  const sshd = await new Sshd().start();
  try {
    await addCredential(daemon, "ssh", 22, { kind: "ssh-key", user: sshd.user }, sshd.userKey);
    const task = taskOf(
      "ssh",
      `    dial: 127.0.0.1:${sshd.port}
    with: { host_key: "${sshd.hostKey}" }
    allow:
      - { verbs: [exec], on: ["uptime"] }
`,
    );
    // Timed by a shell around them, so that the start of a run is not in it.
    const timed = (ssh: string) =>
      `a=$(date +%s%N); n=0; while [ $n -lt ${SSH_TIMES} ]; do ${ssh} uptime >/dev/null || exit 1; n=$((n+1)); done; b=$(date +%s%N); echo $(((b-a)/${SSH_TIMES}))`;
    const plain = [
      ...["ssh", "-F", "none", "-p", String(sshd.port), "-i", join(sshd.root, "user_key")],
      ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
      ...["-o", "LogLevel=ERROR", "127.0.0.1"],
    ].join(" ");
    const { brokered, direct } = await inTurns(ROUNDS, {
      brokered: async () =>
        Number(await daemon.run(["sh", "-c", timed("ssh ssh.test")], { task })) / 1e6,
      direct: async () => Number(await runProgram(["sh", "-c", timed(plain)])) / 1e6,
    });
    return [
      createRow({
        ...{ name: "brokers/ssh-command", unit: "ms", values: brokered },
        against: { name: "ssh direct: connect, log in, one command", values: direct },
      }),
    ];
  } finally {
    await sshd.close();
  }
}
