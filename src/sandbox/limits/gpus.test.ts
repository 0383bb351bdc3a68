/** GPUs by device files. There is none here: nodes of harmless devices stand for them, in a folder of ours. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { TaskCompute } from "../../policy/index.ts";
import { hold, makePlace, runCommand } from "../sandbox.fixture.ts";
import { findGpus, hiddenGpus, type DeviceNode, type Gpu } from "./gpus.ts";
import { planLimits } from "./limits.ts";

const controllers = {
  cpu: "none",
  memory: "none",
  pids: "none",
  freezer: "none",
  kill: "none",
} as const;
const plan = (gpus: readonly Gpu[], gpu: TaskCompute["gpu"]) =>
  planLimits({ controllers, gpus }, { gpu }).devices.map(({ target }) => target);
const skip = process.geteuid?.() === 0 ? false : "only root makes device nodes";
const place = mkdtempSync(join(tmpdir(), "cofferdam-gpus-"));
chmodSync(place, 0o755);
after(() => rmSync(place, { recursive: true }));

/** A folder that stands for /dev, with nodes of /dev/null (by name) and /dev/zero (of nvidia0). */
function makeDev(name: string, nodes: readonly string[]): string {
  const folder = join(place, name);
  for (const path of nodes) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    execFileSync("mknod", [
      "-m",
      "0666",
      join(folder, path),
      "c",
      "1",
      path === "nvidia0" ? "5" : "3",
    ]);
  }
  return folder;
}
const NVIDIA = [
  "nvidia0",
  "nvidia1",
  "nvidiactl",
  "nvidia-uvm",
  "nvidia-uvm-tools",
  "nvidia-modeset",
];
const AMD = ["kfd", "dri/card0", "dri/renderD128", "dri/renderD129"];

const node = (target: string, open = true): DeviceNode => ({ source: target, target, open });
const TWO: readonly Gpu[] = [0, 1].map((number) => ({
  number,
  needs: [node(`/dev/nvidia${number}`), node("/dev/nvidiactl")],
  likes: [node("/dev/nvidia-uvm-tools", false)],
}));

const PLANS = [
  // wanted, devices, why
  ["none", [], "nothing is given unasked"],
  [[1], ["/dev/nvidia1", "/dev/nvidiactl"], "the one that is named, with what the driver needs"],
  ["all", ["/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia1"], "each node once"],
] as const;
for (const [wanted, devices, why] of PLANS) {
  test(`gpu ${JSON.stringify(wanted)}: ${why}`, () => assert.deepEqual(plan(TWO, wanted), devices));
}

const REFUSALS = [
  [[], "all", /no GPU on this host/],
  [TWO, [0, 2], /GPU 0, 1 on this host/],
  [
    [{ number: 0, needs: [node("/dev/dri/renderD128", false)], likes: [] }],
    [0],
    /renderD128.*chmod/,
  ],
] as const;
for (const [gpus, wanted, hint] of REFUSALS) {
  test(`INV-17: gpu ${JSON.stringify(wanted)} with ${gpus.length} GPUs is refused: ${hint}`, () =>
    assert.throws(() => plan(gpus, wanted), { code: "sandbox.limit", hint }));
}

test(
  "nodes are found by name and kind; what sets modes, and what is no device, is none",
  { skip },
  () => {
    const dev = makeDev("nvidia", [...NVIDIA, "nvidia-caps/nvidia-cap1", ...AMD]);
    writeFileSync(join(dev, "nvidia7"), "a file");
    symlinkSync("nvidia0", join(dev, "nvidia8"));
    chmodSync(join(dev, "nvidia-caps/nvidia-cap1"), 0o400);
    const gpus = findGpus(dev);
    assert.deepEqual(
      gpus.map(({ number }) => number),
      [0, 1],
    );
    const shared = ["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"];
    assert.deepEqual(plan(gpus, [1]), ["/dev/nvidia1", ...shared]);
    const others = findGpus(makeDev("amd", AMD));
    assert.deepEqual(plan(others, [1]), ["/dev/dri/renderD129", "/dev/kfd"]);
    assert.deepEqual(findGpus(join(place, "nowhere")), []);
  },
);

/** As the driver writes it: GPU 0 is in two parts, GPU 1 in one; making and watching parts stand first. */
const MIG = `config 1
monitor 2
gpu0/gi1/access 12
gpu0/gi1/ci0/access 13
gpu0/gi2/access 21
gpu0/gi2/ci0/access 22
gpu1/gi1/access 147
gpu1/gi1/ci0/access 148
`;
const CAPS = [1, 2, 12, 13, 21, 22, 147, 148].map((minor) => `nvidia-caps/nvidia-cap${minor}`);

test(
  "INV-253: a part of a GPU is its own two nodes, and never those that make or watch parts",
  { skip },
  () => {
    const dev = makeDev("mig", [...NVIDIA, ...CAPS]);
    const minors = join(place, "mig-minors");
    writeFileSync(minors, MIG);
    const gpus = findGpus(dev, minors);
    const cap = (minor: number) => `/dev/nvidia-caps/nvidia-cap${minor}`;
    const base = ["/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"];
    assert.deepEqual(plan(gpus, ["0/gi2/ci0"]), [...base, cap(21), cap(22)]);
    assert.deepEqual(plan(gpus, ["0/gi1/ci0", "0/gi2/ci0"]), [
      ...base,
      cap(12),
      cap(13),
      cap(21),
      cap(22),
    ]);
    const tools = "/dev/nvidia-uvm-tools";
    assert.deepEqual(
      plan(gpus, [0]),
      [...base, tools, cap(12), cap(13), cap(21), cap(22)],
      "a whole GPU",
    );
    const all = plan(gpus, "all");
    assert.ok(all.includes(cap(148)));
    for (const minor of [1, 2]) assert.ok(!all.includes(cap(minor)), "config and monitor");
  },
);

for (const part of ["0/gi3/ci0", "0/gi1/ci1", "7/gi1/ci0"]) {
  test(
    `INV-253: a part that is not there is refused, and names those that are: ${part}`,
    { skip },
    () => {
      const dev = makeDev(`mig-${part.replaceAll("/", "-")}`, [...NVIDIA, ...CAPS]);
      const minors = join(place, "mig-minors-too");
      writeFileSync(minors, MIG);
      assert.throws(() => plan(findGpus(dev, minors), [part]), {
        code: "sandbox.limit",
        hint: /GPU 0, 0\/gi1\/ci0, 0\/gi2\/ci0, 1, 1\/gi1\/ci0/,
      });
    },
  );
}

test("INV-239: GPU time is a limit of GPUs that are named", () => {
  const held = planLimits({ controllers, gpus: TWO }, { gpu: [0], gpuSeconds: 60 }).held;
  const row = held.find(({ limit }) => limit === "gpu_seconds");
  assert.deepEqual([row?.wanted, row?.how, row?.hard], ["60 s", "poll", false]);
  assert.throws(() => planLimits({ controllers, gpus: TWO }, { gpu: "none", gpuSeconds: 60 }), {
    code: "sandbox.limit",
    hint: /`gpu`/,
  });
});

test("INV-17: a node that is closed to a run's user is no GPU for it", { skip }, () => {
  const dev = makeDev("closed", ["dri/renderD128"]);
  chmodSync(join(dev, "dri/renderD128"), 0o660);
  assert.throws(() => plan(findGpus(dev), "all"), { code: "sandbox.limit", hint: /renderD128/ });
});

test(
  "INV-4: in a run the named GPU can be used, and no other exists, proved from inside",
  { skip },
  async () => {
    const dev = makeDev("inside", NVIDIA);
    const { devices } = planLimits({ controllers, gpus: findGpus(dev) }, { gpu: [0] });
    const files = await makePlace({
      binds: devices.map(({ source, target }) => ({ source, target, kind: "device", write: true })),
      canaries: hiddenGpus(devices, dev),
    });
    const held = await hold(files.spec);
    try {
      const script =
        "head -c 4 /dev/nvidia0 | wc -c; echo x > /dev/nvidiactl && echo wrote; ls /dev | grep nvidia; ls -d /dev/dri /dev/kfd";
      const { stdout } = await runCommand(held, ["/bin/sh", "-c", script]);
      const [read, wrote, ...seen] = stdout.trim().split("\n");
      assert.deepEqual([read, wrote], ["4", "wrote"]);
      assert.deepEqual(seen, ["nvidia-uvm", "nvidia-uvm-tools", "nvidia0", "nvidiactl"]);
    } finally {
      await held.end();
      await files.remove();
    }
  },
);

test(
  "INV-5: a GPU in a run that was not given one is unproved, and nothing starts",
  { skip },
  async () => {
    const dev = makeDev("leaked", ["nvidia0", "nvidiactl"]);
    const [given] = findGpus(dev);
    assert.ok(given !== undefined);
    const files = await makePlace({
      binds: given.needs.map(({ source, target }) => ({
        source,
        target,
        kind: "device",
        write: true,
      })),
      canaries: hiddenGpus([], dev),
    });
    try {
      await assert.rejects(hold(files.spec), { code: "sandbox.unproved" });
    } finally {
      await files.remove();
    }
  },
);
