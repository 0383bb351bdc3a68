import assert from "node:assert/strict";
import { test } from "node:test";
import { planLaunch, RUN_UID, type PlanInput } from "./launch-plan.ts";

const INPUT: PlanInput = {
  bwrap: "/usr/bin/bwrap",
  launcher: "/opt/cofferdam/launcher",
  hostName: "cofferdam",
  view: {
    links: [["/bin", "usr/bin"]],
    folders: ["/var"],
    binds: [
      { source: "/data/tool/deep", target: "/data/tool/deep", kind: "directory", write: false },
      { source: "/usr", target: "/usr", kind: "directory", write: false },
      { source: "/state/home", target: "/home/agent", kind: "directory", write: true },
    ],
    scratch: [{ target: "/tmp", bytes: 4096, mode: "1777" }],
    masked: [
      { path: "/proc/keys", kind: "file" },
      { path: "/data/tool/deep/.ssh", kind: "directory" },
    ],
  },
  overlay: {
    lower: "/srv/site",
    layer: "/state/layer",
    target: "/srv/site",
    write: true,
    copied: false,
    mountPoint: "/state/layer/merged",
  },
};
const OWNED: PlanInput = {
  ...INPUT,
  overlay: { ...INPUT.overlay, owner: { uid: 1000, gid: 100 } } as NonNullable<
    PlanInput["overlay"]
  >,
  stageOn: "/run/stage",
};

/** Whether `words` stand in `plan` one after another. */
function has(plan: readonly (string | number)[], ...words: readonly (string | number)[]): boolean {
  return plan.some((_, at) => words.every((word, n) => plan[at + n] === word));
}

const { outer } = planLaunch(INPUT);
const { outer: rooted } = planLaunch(OWNED);

// words, whether they are there, why
const ROWS: readonly (readonly [readonly (string | number)[], boolean, string])[] = [
  [["--unshare-all", "--share-net"], true, "every namespace; the network's was made before"],
  [["--uid", "1000", "--gid", "1000"], true, "an ordinary account inside"],
  [["--as-pid-1"], true, "no reaper of bubblewrap's between process 1 and the run"],
  [["--die-with-parent"], true, "a dead daemon takes its runs along"],
  [["--clearenv"], true, "no variable of the daemon's"],
  [["--remount-ro", "/"], true, "the root is bubblewrap's own tmpfs, else writable"],
  [["--ro-bind", "/usr", "/usr"], true, "the system is read"],
  [["--bind", "/state/home", "/home/agent"], true, "the home is written"],
  [["--symlink", "usr/bin", "/bin"], true, "links as the host has them"],
  [["--perms", "1777", "--size", "4096", "--tmpfs", "/tmp"], true, "every tmpfs is sized"],
  [
    ["--ro-bind", "/dev/null", "/proc/keys"],
    true,
    "a file is masked by a device that cannot be opened",
  ],
  [
    ["--perms", "0555", "--size", "4096", "--tmpfs", "/data/tool/deep/.ssh"],
    true,
    "a folder, by an empty one",
  ],
  [
    ["overlay", "/srv/site", "/state/layer/upper", "/state/layer/work", "/state/layer/merged"],
    true,
    "the overlay comes before bubblewrap",
  ],
  [["--bind", "/state/layer/merged", "/srv/site"], true, "and is seen at the workspace's own path"],
  [["--cap-add"], false, "no capability is ever added"],
  [["--dev-bind"], false, "no device but bubblewrap's few"],
  [["drop"], false, "an ordinary user has nothing to drop"],
];
for (const [words, there, why] of ROWS) {
  test(`a plan has ${there ? "" : "not "}${words.join(" ")}: ${why}`, () =>
    assert.equal(has(outer, ...words), there));
}

test("a copied workspace is bound as it is, and as root by its staged clone, without a map of owners", () => {
  const copied = (input: PlanInput): readonly (string | number)[] =>
    planLaunch({
      ...input,
      overlay: { ...INPUT.overlay, copied: true } as PlanInput["overlay"] & {},
    }).outer;
  const plain = copied(INPUT);
  assert.ok(has(plain, "--bind", "/state/layer/upper", "/srv/site"));
  assert.ok(!plain.includes("overlay") && !plain.includes("/state/layer/work"));
  const root = copied(OWNED);
  const at = root.indexOf("/state/layer/upper");
  const [, name, kind, uid, gid] = root.slice(at);
  assert.deepEqual([kind, uid, gid], ["directory", -1, -1]);
  assert.ok(has(root, "--bind", `/run/stage/${String(name)}`, "/srv/site"));
});

test("an unsized tmpfs never stands in a plan", () => {
  outer.forEach((word, at) => {
    if (word === "--tmpfs") assert.equal(outer[at - 2], "--size");
  });
});

test("mounts go from the root down, or one would hide another", () => {
  const at = (target: string) => outer.indexOf(target);
  assert.ok(at("/usr") < at("/home/agent") && at("/home/agent") < at("/data/tool/deep"));
  assert.ok(at("/data/tool/deep") < at("/data/tool/deep/.ssh"));
});

test("INV-3: as root, the id is dropped before anything else but staging, and is no one's", () => {
  assert.deepEqual(rooted.slice(0, 4), ["drop", RUN_UID, RUN_UID, "stage-on"]);
  const taken: readonly (readonly [number, number, string])[] = [
    [0, 60_000, "login.defs: system and ordinary accounts"],
    [60_001, 65_535, "systemd: homed, dynamic users, nobody"],
    [100_000, 100_000 + 65_536 * 1_000, "subuid of a thousand accounts"],
    [524_288, 1_879_048_191, "systemd: containers"],
    [200_000, 2_000_200_000, "SSSD: identity maps"],
    [2_147_352_576, 2_147_418_111, "systemd: foreign images"],
    [2_147_483_648, 4_294_967_295, "numbers that some programs take for negative"],
  ];
  for (const [low, high, whose] of taken) assert.ok(RUN_UID < low || RUN_UID > high, whose);
});

test("as root, everything is staged, so that nothing below a private home must be reached later", () => {
  const bwrap = rooted.slice(rooted.indexOf("bwrap"));
  bwrap.forEach((word, at) => {
    if (word !== "--bind" && word !== "--ro-bind") return;
    const source = String(bwrap[at + 1]);
    assert.ok(source.startsWith("/run/stage/") || source === "/dev/null", source);
  });
  assert.ok(
    has(rooted, "/srv/site", "s3", "directory", 1000, 100),
    "the lower, with its owner mapped",
  );
  assert.ok(
    has(rooted, "/state/layer", "s4", "directory", -1, -1),
    "the layer is the run's own already",
  );
  assert.ok(
    has(rooted, "/opt/cofferdam/launcher", "s6", "file", -1, -1),
    "files are staged as files",
  );
});
