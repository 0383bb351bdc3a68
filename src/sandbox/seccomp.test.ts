/** The filter as the kernel would run it: a table of calls for both architectures, by a small interpreter. */
import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import fc from "fast-check";
import * as bpf from "./bpf.ts";
import { buildFilter, encodeFilter, NOTIFIED, REFUSED } from "./seccomp.ts";
import { callNumber, CALLS, HIGHEST_CALL, type Architecture, type CallName } from "./syscalls.ts";

const ARCHITECTURES = ["x64", "arm64"] as const;
const AUDIT = { x64: 0xc000_003e, arm64: 0xc000_00b7 } as const;
const { EPERM, ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT, EOPNOTSUPP } = constants.errno;

interface Call {
  readonly arch: number;
  readonly number: number;
  readonly args: readonly bigint[];
}

/** Runs a filter as the kernel does (linux/filter.h); every jump must stay inside and go forward. */
function run(program: readonly bpf.Instruction[], call: Call): number {
  const data = Buffer.alloc(64); // struct seccomp_data
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.arch >>> 0, 4);
  call.args.forEach((argument, n) =>
    data.writeBigUInt64LE(BigInt.asUintN(64, argument), 16 + 8 * n),
  );
  let a = 0;
  for (let at = 0; ; at += 1) {
    const step = program[at];
    assert.ok(step !== undefined, "a path leads out of the program");
    const branch = (condition: boolean) => (condition ? step.jt : step.jf);
    if (step.code === bpf.RETURN) return step.k >>> 0;
    else if (step.code === bpf.LOAD_WORD) a = data.readUInt32LE(step.k);
    else if (step.code === bpf.AND) a = (a & step.k) >>> 0;
    else if (step.code === bpf.JUMP_EQUAL) at += branch(a === step.k >>> 0);
    else if (step.code === bpf.JUMP_GREATER) at += branch(a > step.k >>> 0);
    else if (step.code === bpf.JUMP_NOT_LESS) at += branch(a >= step.k >>> 0);
    else if (step.code === bpf.JUMP_BITS) at += branch((a & step.k) !== 0);
    else assert.fail(`no such instruction: ${step.code}`);
  }
}

const ALLOW = "allow";
const NOTIFY = "notify";
const KILL = "kill";
type Answer = typeof ALLOW | typeof NOTIFY | typeof KILL | number;

function answer(value: number): Answer {
  if (value === bpf.ALLOW) return ALLOW;
  if (value === bpf.USER_NOTIFY) return NOTIFY;
  if (value === bpf.KILL_PROCESS) return KILL;
  assert.equal((value & 0xffff_0000) >>> 0, bpf.ERRNO);
  return value & 0xffff;
}

function ask(architecture: Architecture, number: number, args: readonly bigint[]): Answer {
  return answer(run(buildFilter(architecture), { arch: AUDIT[architecture], number, args }));
}

const CLONE_VM = 0x100n;
const THREAD = 0x3d_0f00n; // What pthread_create asks for.
const CLONE_NEWTIME = 0x80n;
const NEW = [
  ["NEWNS", 0x2_0000n],
  ["NEWCGROUP", 0x200_0000n],
  ["NEWUTS", 0x400_0000n],
  ["NEWIPC", 0x800_0000n],
  ["NEWUSER", 0x1000_0000n],
  ["NEWPID", 0x2000_0000n],
  ["NEWNET", 0x4000_0000n],
] as const;
const SOCK_CLOEXEC = 0x8_0000n;
const HIGH = 1n << 32n;
const MSG_FASTOPEN = 0x2000_0000n;
const MSG_NOSIGNAL = 0x4000n;

// call, arguments, answer, why
const ROWS: readonly (readonly [CallName, readonly bigint[], Answer, string])[] = [
  ...NEW.flatMap(([name, bit]): [CallName, readonly bigint[], Answer, string][] => [
    ["clone", [bit | 17n], EPERM, `CLONE_${name}`],
    ["clone", [bit | THREAD | HIGH], EPERM, `CLONE_${name} among others, with a high half`],
    ["unshare", [bit], EPERM, `CLONE_${name}`],
  ]),
  ["clone", [17n], ALLOW, "fork"],
  ["clone", [THREAD], ALLOW, "a thread"],
  ["clone", [CLONE_VM | 0x4000n | 17n], ALLOW, "vfork, and posix_spawn"],
  ["unshare", [CLONE_NEWTIME], EPERM, "a time namespace"],
  ["unshare", [0x200n], ALLOW, "unshare(CLONE_FS) makes no namespace"],
  ["ioctl", [0n, 0x5412n], EPERM, "TIOCSTI"],
  ["ioctl", [0n, 0x5412n | HIGH], EPERM, "TIOCSTI: the kernel drops the high half"],
  ["ioctl", [0n, 0x5412n | (0xffff_ffffn << 32n)], EPERM, "TIOCSTI, sign-extended"],
  ["ioctl", [0n, 0x541cn], EPERM, "TIOCLINUX"],
  ["ioctl", [0n, 0x5413n], ALLOW, "TIOCGWINSZ"],
  ["ioctl", [0x5412n, 0x5401n], ALLOW, "a descriptor is no request"],
  ["personality", [0n], ALLOW, "PER_LINUX"],
  ["personality", [0xffff_ffffn], ALLOW, "asking which it is"],
  ["personality", [0x40_0000n], EPERM, "READ_IMPLIES_EXEC"],
  ["personality", [0x4_0000n], EPERM, "ADDR_NO_RANDOMIZE is refused in containers too"],
  ["socket", [1n, 1n, 0n], ALLOW, "unix stream"],
  ["socket", [1n, 5n | SOCK_CLOEXEC, 0n], ALLOW, "unix packets"],
  ["socket", [2n, 1n | SOCK_CLOEXEC, 6n], ALLOW, "TCP by name"],
  ["socket", [10n, 1n, 0n], ALLOW, "TCP over IPv6 by default"],
  ["socket", [2n, 2n, 17n], ALLOW, "UDP by name"],
  ["socket", [10n, 2n | SOCK_CLOEXEC, 0n], ALLOW, "UDP over IPv6 by default"],
  ["socket", [2n | HIGH, 3n, 0n], NOTIFY, "raw, with a high half"],
  ["socket", [2n, 3n | SOCK_CLOEXEC, 1n], NOTIFY, "raw ICMP"],
  ["socket", [10n, 3n, 58n], NOTIFY, "raw ICMPv6"],
  ["socket", [2n, 2n, 1n], NOTIFY, "ICMP by datagram, as ping does"],
  ["socket", [10n, 2n, 58n], NOTIFY, "ICMPv6 by datagram"],
  ["socket", [2n, 1n, 262n], EPROTONOSUPPORT, "MPTCP: callers fall back to TCP on this errno"],
  ["socket", [2n, 1n, 132n], EPROTONOSUPPORT, "SCTP"],
  ["socket", [2n, 2n, 136n], NOTIFY, "UDP-Lite passes the redirect of port 53"],
  ["socket", [2n, 5n, 132n], NOTIFY, "SCTP by packets"],
  ["socket", [2n, 6n, 33n], NOTIFY, "DCCP"],
  ["socket", [2n, 10n, 0n], NOTIFY, "SOCK_PACKET"],
  ["socket", [16n, 3n, 0n], ALLOW, "route netlink"],
  ["socket", [16n, 3n, 12n], EPROTONOSUPPORT, "netfilter netlink"],
  ["socket", [16n, 3n, 4n], EPROTONOSUPPORT, "socket diagnosis"],
  ["socket", [17n, 3n, 0n], NOTIFY, "frames"],
  ["socket", [38n, 5n, 0n], EAFNOSUPPORT, "AF_ALG"],
  ["socket", [40n, 1n, 0n], EAFNOSUPPORT, "vsock"],
  ["socket", [44n, 3n, 0n], EAFNOSUPPORT, "XDP"],
  ["socket", [0n, 1n, 0n], EAFNOSUPPORT, "no family"],
  ["socketpair", [1n, 1n, 0n], ALLOW, "unix"],
  ["socketpair", [30n, 5n, 0n], EAFNOSUPPORT, "TIPC"],
  ["sendto", [3n, 0n, 1n, MSG_NOSIGNAL, 0n, 0n], ALLOW, "send on a connected socket"],
  ["sendto", [3n, 0n, 1n, MSG_NOSIGNAL, 0x7fff_0000n, 16n], NOTIFY, "to an address"],
  ["sendto", [3n, 0n, 1n, 0n, 0x7fn << 32n, 16n], NOTIFY, "to an address whose low half is zero"],
  ["sendto", [3n, 0n, 1n, MSG_FASTOPEN | MSG_NOSIGNAL, 0x7fff_0000n, 16n], EOPNOTSUPP, "fast open"],
  ["sendto", [3n, 0n, 1n, MSG_FASTOPEN | HIGH, 0n, 0n], EOPNOTSUPP, "fast open, with a high half"],
  ["sendmsg", [3n, 0n, MSG_FASTOPEN], EOPNOTSUPP, "fast open"],
  ["sendmsg", [3n, 0n, MSG_NOSIGNAL], ALLOW, "a message"],
  ["sendmmsg", [3n, 0n, 1n, MSG_FASTOPEN], EOPNOTSUPP, "fast open"],
  ["sendmmsg", [3n, 0n, MSG_FASTOPEN, 0n], ALLOW, "a count is no flag"],
  ["setsockopt", [3n, 6n, 30n], EOPNOTSUPP, "TCP_FASTOPEN_CONNECT"],
  ["setsockopt", [3n, 6n | HIGH, 30n | HIGH], EOPNOTSUPP, "TCP_FASTOPEN_CONNECT, high halves"],
  ["setsockopt", [3n, 6n, 1n], ALLOW, "TCP_NODELAY"],
  ["setrlimit", [4n, 0x7fffn], 0, "the core limit stays, and the caller is told that it went"],
  ["setrlimit", [4n | HIGH, 0x7fffn], 0, "the core limit, with a high half"],
  ["setrlimit", [7n, 0x7fffn], ALLOW, "other limits are the run's to lower"],
  ["prlimit64", [0n, 4n, 0x7fffn, 0n], 0, "the core limit stays"],
  ["prlimit64", [0n, 4n, 0x7fn << 32n, 0n], 0, "a pointer whose low half is zero"],
  ["prlimit64", [0n, 4n, 0n, 0x7fffn], ALLOW, "the core limit is read"],
  ["prlimit64", [0n, 7n, 0x7fffn, 0n], ALLOW, "other limits"],
  ["setsockopt", [3n, 1n, 30n], ALLOW, "30 of another level is another option"],
];

for (const architecture of ARCHITECTURES) {
  for (const [name, args, wanted, why] of ROWS) {
    const number = callNumber(name, architecture);
    if (number === undefined) continue;
    test(`${architecture} ${name}(${args.map((n) => n.toString(16)).join(", ")}): ${why}`, () =>
      assert.equal(ask(architecture, number, args), wanted));
  }

  for (const [name, errno] of REFUSED) {
    const number = callNumber(name, architecture);
    if (number === undefined) continue;
    test(`INV-19: ${architecture} ${name} is refused whatever it is given`, () => {
      for (const argument of [0n, 1n, (1n << 64n) - 1n]) {
        assert.equal(ask(architecture, number, Array<bigint>(6).fill(argument)), errno);
      }
    });
  }

  test(`${architecture}: connect and execve wait for the daemon's answer`, () => {
    for (const name of NOTIFIED) {
      assert.equal(ask(architecture, callNumber(name, architecture) ?? -1, []), NOTIFY);
    }
  });

  test(`INV-19: ${architecture}: another machine's calls end the process`, () => {
    const others = [0x4000_0003, 0x4000_0028, AUDIT[architecture === "x64" ? "arm64" : "x64"], 0];
    for (const arch of others) {
      const program = buildFilter(architecture);
      assert.equal(answer(run(program, { arch, number: 0, args: [] })), KILL);
    }
  });

  test(`${architecture}: calls that are newer than the list do not exist, whatever they will do`, () => {
    assert.equal(ask(architecture, HIGHEST_CALL + 1, []), ENOSYS);
    assert.equal(ask(architecture, 0x3fff_ffff, []), ENOSYS);
    assert.equal(ask(architecture, HIGHEST_CALL, []), ALLOW);
  });

  test(`${architecture}: calls that no rule names are allowed, and nothing else is`, () => {
    const named = new Set(
      Object.keys(CALLS).map((name) => callNumber(name as CallName, architecture)),
    );
    const property = fc.property(
      fc.nat(HIGHEST_CALL),
      fc.array(fc.bigInt(0n, (1n << 64n) - 1n), { minLength: 6, maxLength: 6 }),
      (number, args) => {
        const came = ask(architecture, number, args);
        if (!named.has(number)) assert.equal(came, ALLOW);
      },
    );
    fc.assert(property);
  });

  test(`${architecture}: the bytes are the instructions`, () => {
    const program = buildFilter(architecture);
    const bytes = encodeFilter(architecture);
    assert.equal(bytes.length, 8 * program.length);
    const read = program.map((_, n) => ({
      code: bytes.readUInt16LE(8 * n),
      jt: bytes.readUInt8(8 * n + 2),
      jf: bytes.readUInt8(8 * n + 3),
      k: bytes.readUInt32LE(8 * n + 4),
    }));
    assert.deepEqual(
      read,
      program.map((step) => ({ ...step, k: step.k >>> 0 })),
    );
  });
}

test("INV-19: x64: the x32 ABI ends the process, under any number", () => {
  for (const number of [0x4000_0000, 0x4000_0029, 0xffff_ffff])
    assert.equal(ask("x64", number, []), KILL);
});

test("both architectures name the same calls but for those that one never had", () => {
  for (const [name, [x64, arm64]] of Object.entries(CALLS)) {
    assert.ok(x64 !== undefined, name);
    if (x64 >= 424) assert.equal(x64, arm64, `${name}: one number everywhere since Linux 5.1`);
  }
});
