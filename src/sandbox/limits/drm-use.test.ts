/** Open GPUs of processes as the kernel documents them (drm-usage-stats.rst; amdgpu, i915, xe), in a folder of ours. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { deviceBusy, DrmMeter, parseFdinfo } from "./drm-use.ts";
import { GpuReader } from "./gpu-use.ts";
import type { Gpu } from "./gpus.ts";
import type { NvidiaUse } from "./nvidia-smi.ts";

const place = mkdtempSync(join(tmpdir(), "cofferdam-drm-"));
after(() => rmSync(place, { recursive: true }));
let folders = 0;

const AMD = (id: number, ns: number) => `pos:\t0
flags:\t02100002
drm-driver:\tamdgpu
drm-client-id:\t${id}
drm-pdev:\t0000:03:00.0
drm-memory-vram:\t1048576 KiB
drm-memory-gtt: \t2048 KiB
drm-engine-gfx:\t${ns} ns
drm-engine-compute:\t0 ns
`;
const XE = (cycles: number, of: number) => `drm-driver:\txe
drm-client-id:\t7
drm-pdev:\t0000:00:02.0
drm-total-vram0:\t23992 KiB
drm-resident-vram0:\t4 MiB
drm-resident-system:\t0
drm-cycles-vcs:\t${cycles}
drm-total-cycles-vcs:\t${of}
drm-engine-capacity-vcs:\t2
`;

/** A folder that stands for /proc, in which descriptors can be written. */
function makeProc() {
  const proc = join(place, `proc-${(folders += 1)}`);
  const put = (pid: number, fd: number, link: string, text: string) => {
    for (const folder of ["fd", "fdinfo"])
      mkdirSync(join(proc, `${pid}`, folder), { recursive: true });
    rmSync(join(proc, `${pid}`, "fd", `${fd}`), { force: true });
    symlinkSync(link, join(proc, `${pid}`, "fd", `${fd}`));
    writeFileSync(join(proc, `${pid}`, "fdinfo", `${fd}`), text);
  };
  return { proc, put };
}
const NODE = "renderD128";
const FILE = `/dev/dri/${NODE}`;

test("a client: engines, units, and the most exact name of a region's memory", () => {
  const amd = parseFdinfo(AMD(42, 123456));
  assert.deepEqual(amd?.engines.get("gfx"), { busy: 123456, capacity: 1 });
  assert.equal(amd?.memory, 1048576 * 1024 + 2048 * 1024);
  const xe = parseFdinfo(XE(10, 100));
  assert.deepEqual([...(xe?.engines ?? [])], [["vcs", { busy: 10, of: 100, capacity: 2 }]]);
  assert.equal(xe?.memory, 4 * 2 ** 20);
});

for (const [text, why] of [
  ["pos:\t0\nflags:\t02\n", "an ordinary file"],
  ["drm-driver:\tamdgpu\ndrm-engine-gfx:\t5 ns\n", "nobody to count it for"],
  ["drm-client-id:\tx\n", "no number"],
  ["", "ended"],
] as const) {
  test(`no client: ${why}`, () => assert.equal(parseFdinfo(text), undefined));
}

test("what is cut, odd or without end is left out, and never throws", () => {
  const cut = parseFdinfo("drm-client-id:\t1\ndrm-engine-gfx:\t5 ns\ndrm-engine-compute:\t99");
  assert.deepEqual([...(cut?.engines.keys() ?? [])], ["gfx"]);
  const odd = parseFdinfo(
    "drm-client-id:\t1\ndrm-engine-a:\t5 parsecs\ndrm-engine-b:\t-5 ns\ndrm-cycles-c:\t5\ndrm-memory-x:\t1 PiB\n",
  );
  assert.deepEqual([odd?.engines.size, odd?.memory], [0, 0]);
  fc.assert(fc.property(fc.string(), (text) => void parseFdinfo(`drm-client-id:\t1\n${text}\n`)));
});

test("two looks give how busy; duplicates count once, other files and other GPUs not at all", () => {
  const { proc, put } = makeProc();
  const at = (ns: number) => {
    put(5, 3, FILE, AMD(42, ns));
    put(5, 4, FILE, AMD(42, ns)); // dup(2)
    put(6, 3, FILE, AMD(42, ns)); // inherited
    put(7, 3, "/dev/dri/renderD129", AMD(43, ns * 9));
    put(7, 4, "/tmp/x", AMD(44, ns * 9));
  };
  const meter = new DrmMeter([NODE], proc);
  at(1e9);
  const first = meter.look([5, 6, 7, 8], 0).nodes.get(NODE);
  assert.deepEqual([first?.busy, first?.pids], [undefined, [5, 6]]);
  at(1e9 + 0.3e9);
  assert.equal(meter.look([5, 6, 7, 8], 1000).nodes.get(NODE)?.busy, 0.3);
  at(1e9); // It fell back, as the documentation allows.
  assert.equal(meter.look([5, 6, 7, 8], 2000).nodes.get(NODE)?.busy, 0);
  at(1e9 + 0.8e9);
  assert.equal(meter.look([5, 6, 7, 8], 3000).nodes.get(NODE)?.busy, 0.5, "from where it was");
});

test("clients add up to a whole GPU at most; one that is new began since; ticks and capacity", () => {
  const { proc, put } = makeProc();
  const meter = new DrmMeter([NODE], proc);
  put(5, 3, FILE, AMD(1, 0));
  meter.look([5], 0);
  put(5, 3, FILE, AMD(1, 0.2e9));
  put(5, 4, FILE, AMD(2, 0.3e9));
  assert.equal(meter.look([5], 1000).nodes.get(NODE)?.busy, 0.5);
  put(5, 4, FILE, AMD(2, 9e9));
  assert.equal(meter.look([5], 2000).nodes.get(NODE)?.busy, 1);
  const xe = makeProc();
  const other = new DrmMeter([NODE], xe.proc);
  xe.put(5, 3, FILE, XE(0, 1000));
  other.look([5], 0);
  xe.put(5, 3, FILE, XE(100, 1100));
  assert.equal(other.look([5], 1000).nodes.get(NODE)?.busy, 0.5, "one of two engines");
});

// What both kinds come to.

const gpu = (number: number, target: string): Gpu => ({
  number,
  needs: [{ source: target, target, open: true }],
  likes: [],
});
const MIB = 2 ** 20;
const nvidia = (use: Partial<NvidiaUse> & { busy?: number }): NvidiaUse => ({
  gpus: new Map([
    [
      0,
      { index: 3, uuid: "GPU-a", bus: "", ...(use.busy === undefined ? {} : { busy: use.busy }) },
    ],
  ]),
  processes: [],
  tellsProcesses: true,
  ...use,
});
const one = (pid: number, busy?: number, memory?: number) => ({
  index: 3,
  pid,
  ...(busy === undefined ? {} : { busy }),
  ...(memory === undefined ? {} : { memory }),
});

const CASES = [
  // what the driver says, busy, whose, pids, why
  [nvidia({ busy: 0.9, processes: [one(5, 0.5, MIB), one(6, 0.2), one(9, 0.2)] }), 0.7, undefined, [5, 6], "the sum of its own processes"],
  [nvidia({ busy: 0.9, processes: [one(9, 0.9)] }), 0, undefined, [], "others' work is not its own"],
  [nvidia({ busy: 0.9, processes: [one(5), one(9, 0.6)] }), 0.3, "device", [5], "what is left, where its own share is not told"],
  [nvidia({ busy: 0.9, processes: [one(5)], tellsProcesses: false }), 0.9, "device", [5], "all of it, where no share is told"],
  [nvidia({ busy: 0.9, processes: [], tellsProcesses: false }), 0.9, "device", [], "under WSL nobody is listed: it may be anyone"],
  [nvidia({ busy: 0, processes: [] }), 0, undefined, [], "nobody uses it"],
] as const; // prettier-ignore
for (const [use, busy, of, pids, why] of CASES) {
  test(`busy ${busy}: ${why}`, async () => {
    const reader = new GpuReader(async () => use);
    await reader.look();
    const [found] = reader.meter([gpu(0, "/dev/nvidia0")]).use([5, 6], 0);
    assert.deepEqual([found?.busy, found?.of, found?.pids], [busy, of, pids]);
    assert.equal(found?.unread, undefined);
  });
}

const UNREAD = [
  [
    async () => nvidia({ processes: [one(5, undefined, MIB)], tellsProcesses: false }),
    /does not tell how busy/,
    "MIG",
  ],
  [async () => nvidia({ gpus: new Map() }), /does not list it/, "another GPU than was given"],
  [() => Promise.reject(new Error("no nvidia-smi")), /no nvidia-smi/, "it cannot be asked"],
] as const;
for (const [read, unread, why] of UNREAD) {
  test(`INV-153: what is not known of a GPU is said, and no zero: ${why}`, async () => {
    const reader = new GpuReader(read);
    await reader.look();
    const [found] = reader.meter([gpu(0, "/dev/nvidia0")]).use([5], 0);
    assert.equal(found?.busy, undefined);
    assert.match(found?.unread ?? "", unread);
  });
}

test("INV-153: what AMD's GPUs compute through /dev/kfd shows in the whole GPU, or is said not to", () => {
  const { proc, put } = makeProc();
  const sys = join(place, "sys");
  put(5, 3, FILE, AMD(1, 0));
  put(6, 3, "/dev/kfd", "");
  const reader = new GpuReader(undefined, proc, sys);
  assert.equal(GpuReader.asks([gpu(0, FILE)]), false);
  const use = () => reader.meter([gpu(0, FILE)]).use([5, 6], 0)[0];
  assert.match(use()?.unread ?? "", /kfd is not told/);
  mkdirSync(join(sys, NODE, "device"), { recursive: true });
  for (const [text, busy] of [
    ["87\n", 0.87],
    ["", undefined],
    ["x\n", undefined],
  ] as const) {
    writeFileSync(join(sys, NODE, "device/gpu_busy_percent"), text);
    assert.equal(deviceBusy(NODE, sys), busy);
  }
  writeFileSync(join(sys, NODE, "device/gpu_busy_percent"), "87\n");
  const { busy, of, pids } = use() ?? assert.fail();
  assert.deepEqual([busy, of, pids], [0.87, "device", [5, 6]]);
});

test("INV-153: a run that hides a GPU among very many open files is said to", () => {
  const { proc, put } = makeProc();
  put(5, 3, FILE, AMD(1, 0));
  const many = join(proc, "5", "fd");
  for (let fd = 10; fd < 16_400; fd += 1) writeFileSync(join(many, `${fd}`), "");
  const [use] = new GpuReader(undefined, proc).meter([gpu(0, FILE)]).use([5], 0);
  assert.match(use?.unread ?? "", /not all open files/);
});
