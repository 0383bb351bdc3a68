/**
 * What nvidia-smi prints, as NVIDIA documents it (nvidia-smi(1), drivers 361 to 610; MIG user guide; CUDA on WSL), and
 * as others show it. There is no such GPU here: programs that print the same stand for it.
 */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { parseApps, parseGpus, parsePmon, readNvidia } from "./nvidia-smi.ts";

const MIB = 2 ** 20;
const A = "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77";
const B = "GPU-c6d4f1ef-42e4-2de3-91c7-45d71c87eb3f";
const GPUS = `0, ${A}, 00000000:18:00.0, 97, 36537\n1, ${B}, 00000000:AF:00.0, 0, 4\n`;
const APPS = `${A}, 4711, 30212\n${A}, 4712, 6000\n`;
const HEAD = `# gpu         pid   type     sm    mem    enc    dec    jpg    ofa    command \n# Idx           #    C/G      %      %      %      %      %      %    name \n`;
const PMON = `${HEAD}    0       4711     C     90     40      -      -      -      -    python3        \n    0       4712     C      -      -      -      -      -      -    a b c          \n    1          -     -      -      -      -      -      -      -    -              \n`;
const OLD = `# gpu        pid  type    sm   mem   enc   dec   command\n# Idx          #   C/G     %     %     %     %   name\n    0       4711     C    55     3     0     0   train         \n`;
const refused = { code: "sandbox.gpu_use" };

const place = mkdtempSync(join(tmpdir(), "cofferdam-nvidia-"));
after(() => rmSync(place, { recursive: true }));
let programs = 0;
/** A program that answers as nvidia-smi does, each question by a line of sh. */
function program(answers: { gpus?: string; apps?: string; pmon?: string }): string {
  const path = join(place, `smi-${(programs += 1)}`);
  const say = (text: string) => `cat <<'END'\n${text.replace(/\n$/, "")}\nEND\n`;
  const { gpus = say(GPUS), apps = say(APPS), pmon = say(PMON) } = answers;
  writeFileSync(
    path,
    `#!/bin/sh\ncase "$1" in\n--query-gpu=*) ${gpus} ;;\n--query-compute-apps=*) ${apps} ;;\npmon) ${pmon} ;;\nesac\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

test("GPUs: numbers, what is not told, and parts of a GPU (MIG)", () => {
  assert.deepEqual(parseGpus(GPUS), [
    { index: 0, uuid: A, bus: "0000:18:00.0", busy: 0.97, memory: 36537 * MIB },
    { index: 1, uuid: B, bus: "0000:af:00.0", busy: 0, memory: 4 * MIB },
  ]);
  for (const word of ["[N/A]", "[Not Supported]", "[Insufficient Permissions]"]) {
    assert.deepEqual(parseGpus(`0, ${A}, 00000000:18:00.0, ${word}, ${word}\n`), [
      { index: 0, uuid: A, bus: "0000:18:00.0" },
    ]);
  }
});

test("processes: also of parts of a GPU, where the driver says which; not those that WSL hides", () => {
  const gpus = parseGpus(GPUS);
  assert.deepEqual(parseApps(`${A}, 4711, [N/A]\r\n`, gpus), [{ index: 0, pid: 4711 }]);
  assert.deepEqual(parseApps(`MIG-${B}/7/0, 12, 100\n`, gpus), [
    { index: 1, pid: 12, memory: 100 * MIB },
  ]);
  assert.deepEqual(parseApps("MIG-1f2e3d4c-aaaa-bbbb-cccc-0123456789ab, 12, 100\n", gpus), []);
  assert.deepEqual(parseApps(`${A}, [N/A], [N/A]\n`, gpus), []);
  assert.deepEqual(parseApps("", gpus), []);
});

test("pmon: of old and new drivers; a dash is not known, and no zero", () => {
  assert.deepEqual(parsePmon(PMON), [
    { index: 0, pid: 4711, busy: 0.9 },
    { index: 0, pid: 4712 },
  ]);
  assert.deepEqual(parsePmon(OLD), [{ index: 0, pid: 4711, busy: 0.55 }]);
  const both = `${HEAD}    0  9  C+G  3  1  -  -  -  -  /usr/bin/x --type=gpu\n`;
  assert.deepEqual(parsePmon(both), [{ index: 0, pid: 9, busy: 0.03 }]);
});

const row = "    0       4711     C     90     40      -      -      -      -    ";
const HOSTILE = [
  // parser, text, why
  [parseGpus, "", "no GPU"],
  [parseGpus, "No devices were found\n", "a sentence"],
  [parseGpus, `0, ${A}, 00000000:18:00.0, 97 %, 1\n`, "units"],
  [parseGpus, `0, ${A}, 00000000:18:00.0, 101, 1\n`, "more than all"],
  [parseGpus, `0, ${A}, 00000000:18:00.0, -1, 1\n`, "less than nothing"],
  [parseGpus, `0, ${A}, 00000000:18:00.0, 1, 1, 1\n`, "a column too many"],
  [parseGpus, `0, ${A}, 00000000:18:00.0\n`, "columns too few"],
  [parseGpus, `0, ${A}, 00000000:18:00.0, 1, 1\n`.repeat(2), "the same twice"],
  [parseGpus, `0, ${A}, 00000000:18:00.0, 1, 1\n`.repeat(5_000), "a huge answer"],
  [(text: string) => parseApps(text, []), `x, 1, 1\n`, "no identifier"],
  [(text: string) => parseApps(text, []), `${A}, 1e3, 1\n`, "a number in another form"],
  [parsePmon, "Not supported on the device(s)\n", "what it says of MIG and WSL"],
  [parsePmon, row, "no heading"],
  [parsePmon, `${HEAD}${row}x\n${row}x\n`, "one process twice"],
  [
    parsePmon,
    `${HEAD}${row}x\n    0       4711     C      0      0      -      -      -      -    y\n`,
    "INV-154: a name that makes a line of its own process",
  ],
  [parsePmon, `${HEAD}${row}x\nit is I\n`, "INV-154: a name with a line feed"],
  [parsePmon, `${HEAD}${row}x\n${HEAD}`, "a second heading"],
  [parsePmon, `${HEAD}    0  1  C  900  0  -  -  -  -  x\n`, "more than all"],
] as const;
for (const [parse, text, why] of HOSTILE) {
  test(`refused whole: ${why}`, () => assert.throws(() => parse(text), refused));
}

test("whatever it prints is read or refused, in time that grows with its length", () => {
  const piece = fc.oneof(
    fc.constantFrom(...HEAD.split("\n"), row, A, ", ", "\n", "[N/A]", "-", "   ", "4711"),
    fc.string({ maxLength: 20 }),
  );
  const property = fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
    for (const parse of [parseGpus, (text: string) => parseApps(text, []), parsePmon]) {
      try {
        parse(pieces.join(""));
      } catch (error) {
        assert.equal((error as { code?: string }).code, "sandbox.gpu_use");
      }
    }
  });
  fc.assert(property);
});

test("INV-154: a name that makes a line for another's process blames nobody", async () => {
  const forged = `${HEAD}${row}x\n    0         99     G     99      0      -      -      -      -    y\n`;
  const { processes } = await readNvidia([program({ pmon: `cat <<'END'\n${forged}END\n` })], place);
  assert.deepEqual(processes.at(-1), { index: 0, pid: 99 });
  const second = `${HEAD}${row}x\n    0       4712     G     99      0      -      -      -      -    y\n`;
  assert.throws(
    () =>
      parsePmon(`${second}    0       4712     C      0      0      -      -      -      -    z\n`),
    refused,
  );
});

test("the answers together, by the number of the device file", async () => {
  const driver = join(place, "gpus");
  for (const [bus, minor] of [
    ["0000:18:00.0", 1],
    ["0000:af:00.0", 0],
  ]) {
    mkdirSync(join(driver, `${bus}`), { recursive: true });
    const text = `Model: \t\t Tesla V100\nBus Location: \t ${bus}\nDevice Minor: \t ${minor}\n`;
    writeFileSync(join(driver, `${bus}`, "information"), text);
  }
  const use = await readNvidia([join(place, "absent"), program({})], driver);
  assert.equal(use.gpus.get(1)?.uuid, A, "its index is 0, its file /dev/nvidia1");
  assert.equal(use.gpus.get(0)?.uuid, B);
  assert.deepEqual(use.processes, [
    { index: 0, pid: 4711, busy: 0.9, memory: 30212 * MIB },
    { index: 0, pid: 4712, memory: 6000 * MIB },
  ]);
  assert.ok(use.tellsProcesses);
  const without = await readNvidia([program({ pmon: "echo Not supported; exit 255" })], place);
  assert.equal(without.gpus.get(0)?.uuid, A, "without the driver's files by index");
  assert.equal(without.tellsProcesses, false);
});

const FAILURES = [
  // what answers, message, why
  [["/nonexistent/nvidia-smi"], /there is no \/nonexistent/, "there is none"],
  [[program({ gpus: "exit 9" })], /it ends with 9/, "the driver is not loaded"],
  [[program({ apps: "kill -9 $$" })], /a signal/, "it is killed"],
  [[program({ gpus: "yes 0123456789" })], /too long/, "it prints without end"],
  [[program({ gpus: "echo 0, x" })], /not understood: "0, x"/, "another form"],
] as const;
for (const [paths, message, why] of FAILURES) {
  test(`INV-153: unreadable, and said: ${why}`, () =>
    assert.rejects(readNvidia(paths, place), { ...refused, message }));
}

test("INV-153: one that hangs is ended by its handle, also where a child of it keeps its output open", async () => {
  const pids = join(place, "pids");
  const hangs = program({ gpus: `echo $$ >> ${pids}; sleep 600 & echo $! >> ${pids}; wait` });
  await assert.rejects(readNvidia([hangs], place, 300), {
    ...refused,
    message: /no answer within 300 ms/,
  });
  const [own, child] = readFileSync(pids, "utf8").trim().split("\n").map(Number);
  process.kill(child ?? assert.fail(), "SIGKILL"); // Ours to end.
  while (existsSync(`/proc/${own}`)) await new Promise((resolve) => setTimeout(resolve, 5));
});
