/** `detect` as a person and a script use it. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { framesOf, pcapngOf, pcapOf } from "./support/capture-kit.ts";
import { BENIGN } from "./support/benign-flows.ts";
import { POSITIVE } from "./support/flow-cases.ts";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
after(() => home.close());

interface Report {
  readonly flows: number;
  readonly findings: readonly {
    readonly flow: string;
    readonly detector: string;
    readonly score: number;
    readonly why: string;
  }[];
  readonly damage?: string;
}

function fileOf(name: string, bytes: Buffer): string {
  const path = join(home.root, name);
  writeFileSync(path, bytes);
  return path;
}

// Each case from a port of its own, which tells it in the answer.
const ALL = [...POSITIVE, ...BENIGN].filter(({ protocol }) => protocol === "tcp");
const CAPTURE = ALL.flatMap((it, n) => framesOf({ ...it, clientPort: 20_000 + n }));

test("cofferdam detect names every flow of misuse, and no other", async () => {
  const path = fileOf("all.pcapng.gz", gzipSync(pcapngOf(CAPTURE)));
  const { code, stdout, stderr } = await home.call(["detect", "--pcap", path, "--json"]);
  assert.equal(code, 0, stderr);
  const { flows, findings } = JSON.parse(stdout) as Report;
  assert.equal(flows, ALL.length);
  for (const [n, { name, expect }] of ALL.entries()) {
    const own = findings.filter(({ flow }) => flow.includes(`:${20_000 + n} > `));
    const names = own.map(({ detector }) => detector);
    if (expect === undefined) assert.deepEqual(names, [], name);
    else assert.ok(names.includes(expect), `${name}: ${names.join(", ") || "nothing"}`);
  }
});

test("cofferdam detect says in words what it found, and what of a damaged capture it could read", async () => {
  const whole = pcapOf(CAPTURE.slice(0, 40));
  const path = fileOf("cut.pcap", whole.subarray(0, -5));
  const { code, stdout, stderr } = await home.call(["detect", "--pcap", path]);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /mining\.monero +1\.00 {2}tcp 10\.1\.0\.2:20000 > 192\.0\.2\.7:50443\n {4}JSON-RPC login/,
  );
  assert.match(stdout, /\d+ flows, \d+ findings\n$/);
  assert.match(stderr, /damaged: it ends within a record; what stands before was read/);
  const cut = fileOf("cut.pcap.gz", gzipSync(whole).subarray(0, -300));
  const answer = await home.call(["detect", "--pcap", cut, "--json"]);
  assert.equal(answer.code, 1);
  assert.match((JSON.parse(answer.stdout) as Report).damage ?? "", /within a record|compressed/);
});

test("detect.file, wire.capture: what cannot be read, and what is no capture, is refused with the fix", async () => {
  mkdirSync(join(home.root, "folder"));
  const cases = [
    [["--pcap", join(home.root, "none.pcap")], "detect.file"],
    [["--pcap", join(home.root, "folder")], "detect.file"],
    [[], "detect.file"],
    [
      ["--pcap", fileOf("text.pcap", Buffer.from("this is no capture, but a text"))],
      "wire.capture",
    ],
    [["--pcap", fileOf("empty.pcap", Buffer.alloc(0))], "wire.capture"],
    [["--pcap", fileOf("text.gz", gzipSync("this is no capture, but a text"))], "wire.capture"],
  ] as const;
  for (const [line, fault] of cases) {
    const { code, stderr } = await home.call(["detect", ...line, "--json"]);
    assert.equal(code, 125);
    const { error } = JSON.parse(stderr) as { error: { code: string; hint: string } };
    assert.equal(error.code, fault);
    assert.ok(error.hint.length > 10);
  }
});
