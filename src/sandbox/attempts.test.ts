/**
 * What a run tries and must not get, beside what it must get: in a real sandbox, started by root and by
 * an ordinary user. Each row fails where its control is taken away.
 */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import { RUN_UID } from "./launch-plan.ts";

interface Result {
  readonly uid: number;
  readonly lines: readonly string[];
  readonly canary: string;
  readonly execPath: string;
  readonly privateFile: string;
  readonly processes: readonly {
    readonly pid: number;
    readonly ids: string;
    readonly groups: string;
  }[];
  readonly exit: { readonly code: number };
  readonly lower: string;
  readonly lowerOwner: number;
  readonly upper: string;
  readonly upperOwner: number;
}

// attempt, what must come back, why. A twin stands beside: the same thing where it is harmless.
const ROWS: readonly (readonly [string, string, string])[] = [
  ["core_pattern.write", "EACCES", "it names a program that the host's kernel runs as root"],
  ["core_pattern.read", "ok", "reading it tells nothing"],
  ["init.mem", "EACCES", "process 1 holds the stream to the daemon"],
  ["init.environ", "EACCES", "process 1 is closed to the run"],
  ["init.fd", "EACCES", "its descriptors could be opened again"],
  ["self.mem", "ok", "a process looks at itself"],
  ["self.environ", "ok", "a process looks at itself"],
  ["ptrace.init", "EPERM", "a tracer could speak on the control stream"],
  ["ptrace.child", "ok", "debuggers and leak checkers work"],
  ["kill.init", "ok", "the signal is sent and process 1 takes none from inside: the run goes on"],
  ["io_uring", "ENOSYS", "its connects and opens are not seen by seccomp"],
  ["userns.unshare", "EPERM", "capabilities in a new namespace open most kernel bugs"],
  ["userns.clone", "EPERM", "the same by another call"],
  ["fork.clone", "ok", "an ordinary fork"],
  ["clone3", "ENOSYS", "its flags lie in memory, where the filter cannot look"],
  ["mount", "EPERM", "the view stays as it was made"],
  ["keyring.keyctl", "EPERM", "keys of the same host user"],
  ["keyring.add_key", "EPERM", "keys of the same host user"],
  ["keyring.request_key", "EPERM", "it can start a helper on the host"],
  ["proc.keys", "EACCES", "names of keys are hidden too"],
  ["tty.sti", "EPERM", "it types into the terminal for the person"],
  ["tty.sti.high", "EPERM", "the kernel looks at 32 bits of a request only, and so must we"],
  ["tty.linux", "EPERM", "it pastes on a console"],
  ["tty.size", "ok", "the terminal's own requests work"],
  ["socket.raw", "EPERM", "raw packets pass no redirect"],
  ["socket.ping", "EPERM", "ICMP passes no redirect"],
  ["socket.packet", "EPERM", "frames pass no redirect"],
  [
    "socket.vsock",
    "EAFNOSUPPORT",
    "it reaches the machine's hypervisor, past every network namespace",
  ],
  ["socket.alg", "EAFNOSUPPORT", "kernel attack surface"],
  ["socket.netlink.audit", "EPROTONOSUPPORT", "only routes are of use"],
  ["socket.netlink.route", "ok", "getaddrinfo reads addresses by it"],
  ["socket.udp", "ok", "names are resolved by it"],
  ["abstract.host", "ECONNREFUSED", "a socket without a path is of the host's network namespace"],
  ["abstract.own", "ok", "the run's own is not"],
  ["fastopen.sendto", "EOPNOTSUPP", "it connects with no connect"],
  ["fastopen.sendmsg", "EOPNOTSUPP", "the same by another call"],
  ["fastopen.sendmmsg", "EOPNOTSUPP", "the same by another call"],
  ["fastopen.option", "EOPNOTSUPP", "it puts a connect off until data is sent"],
  ["fastopen.other-option", "ok", "other options of TCP work"],
  ["fastopen.connect", "ok", "an ordinary connect to the run's own loopback"],
  ["fastopen.send", "ok", "and data on it"],
  ["write.workspace", "ok", "the workspace is the run's to edit"],
  ["write.home", "ok", "so is its home"],
  ["write.tmp", "ok", "and its scratch"],
  ["write.root", "EROFS", "nothing else is"],
  ["write.usr", "EROFS", "nothing else is"],
  ["write.etc", "EROFS", "nothing else is"],
  ["write.public", "EROFS", "the daemon's word is not the run's"],
  ["write.comm", "EACCES", "Landlock alone refuses this: mount and mode would allow it"],
  ["abi.native", "ok", "calls of the machine's own ABI"],
  ["descriptors", "0 1 2", "nothing of the daemon's is open in the agent"],
];
const ROWS_X64: typeof ROWS = [
  ["abi.i386", "SYS|SEGV", "another ABI has other numbers; some machines know none at all"],
  ["abi.x32", "SYS", "another ABI has other numbers"],
];

const folder = mkdtempSync(join(tmpdir(), "cofferdam-attempts-"));
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true }));
const here = dirname(fileURLToPath(import.meta.url));
const binary = join(folder, "attempts");
execFileSync("gcc", ["-static", "-O1", "-o", binary, join(here, "testdata/attempts.c")]);

const isRoot = process.geteuid?.() === 0;
const OTHER_UID = 4_242; // Any ordinary one; it needs no account.

/** Runs the attempts as `user`, and returns what came of them. */
async function attempt(user: "root" | "ordinary"): Promise<Result> {
  const argv = [process.execPath, join(here, "testdata/attempts.child.ts"), binary];
  const drop = [`--reuid=${OTHER_UID}`, `--regid=${OTHER_UID}`, "--clear-groups"];
  const [command = "", ...rest] =
    user === "ordinary" && isRoot ? ["setpriv", ...drop, ...argv] : argv;
  const { stdout } = await promisify(execFile)(command, rest, {
    env: { PATH: process.env["PATH"] },
  });
  return JSON.parse(stdout) as Result;
}

for (const user of isRoot ? (["root", "ordinary"] as const) : (["ordinary"] as const)) {
  describe(`a run that ${user === "root" ? "root" : "an ordinary user"} started`, async () => {
    const result = await attempt(user);
    const came = new Map(
      result.lines.map((line) => [line.split(" ", 1)[0] ?? "", line.slice(line.indexOf(" ") + 1)]),
    );

    for (const [name, wanted, why] of [...ROWS, ...(process.arch === "x64" ? ROWS_X64 : [])]) {
      test(`${name} ${wanted === "ok" ? "works" : `comes back as ${wanted}`}: ${why}`, () =>
        assert.ok(wanted.split("|").includes(came.get(name) ?? ""), came.get(name)));
    }

    test("INV-2: files of the host do not exist inside, whatever their mode", () => {
      for (const path of [result.canary, result.execPath, "/etc/shadow"]) {
        assert.equal(came.get(path), "ENOENT", path);
      }
    });

    test("a private file of the workspace's owner is read and edited, and stays as it was outside", () => {
      assert.equal(came.get(result.privateFile), "ok");
      assert.deepEqual([result.lower, result.upper], ["before\n", "before\nafter\n"]);
      assert.equal(result.lowerOwner, result.uid);
    });

    test("no process of the run has an id or a group of root's, bubblewrap's own included", () => {
      assert.ok(result.processes.length >= 3, "bubblewrap, process 1, the shell");
      const id = user === "root" ? RUN_UID : result.uid;
      for (const { ids, groups } of result.processes) {
        assert.deepEqual(
          ids.split(/\s+/).map(Number),
          Array.from({ length: 8 }, () => id),
        );
        if (isRoot) assert.equal(groups.trim(), "");
      }
      assert.equal(result.upperOwner, id);
    });

    test("inside, the agent is an ordinary account", () => {
      assert.ok(result.lines.includes("uid\t1000\t1000\t1000\t1000"));
      assert.ok(result.lines.includes("gid\t1000\t1000\t1000\t1000"));
    });

    test("the environment is what was given, and what a shell adds", () => {
      const variables = result.lines.filter((line) => /^[A-Z_]+=/.test(line));
      const names = variables.map((line) => line.split("=")[0]);
      assert.deepEqual(new Set(names), new Set(["GIVEN", "PATH", "PWD"]));
    });

    test("the run ends as its command did", () => assert.deepEqual(result.exit, { code: 0 }));
  });
}
