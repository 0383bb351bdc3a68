/**
 * The composition root: everything one daemon owns, opened in order and closed in reverse.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "../api/index.ts";
import { createLog, requireOwnFolder, systemClock, type Clock, type Log } from "../base/index.ts";
import {
  AUTHORITY_FILE,
  openAuthority,
  trustBundle,
  trustStores,
  type CertificateAuthority,
} from "../gateway/index.ts";
import { openLedger, type Ledger } from "../ledger/index.ts";
import {
  closeCgroups,
  openCgroups,
  reapGroups,
  writeEtc,
  type CgroupHost,
} from "../sandbox/index.ts";
import type { Counts } from "../metrics/index.ts";
import { Recordings } from "../recording/index.ts";
import { RunDetections } from "./detection.ts";
import { createWatcher, type Watcher } from "../provenance/index.ts";
import { OwnSystems } from "../systems/index.ts";
import { Execs } from "./execs.ts";
import { EnquiryServer } from "../enquiry/index.ts";
import { readDeciders } from "../channel/index.ts";
import { Passkeys } from "../passkey/index.ts";
import { Consoles } from "./consoles.ts";
import { Channels } from "./channels.ts";
import { Desk } from "./desk.ts";
import { openCredentials, type Credentials } from "./credentials.ts";
import { requireFormats, settleFormats } from "./formats.ts";
import { lineageRulesOf } from "./lineage-of.ts";
import { Lineages } from "./lineages.ts";
import { McpServers } from "./mcp-servers.ts";
import { Minting } from "./minting.ts";
import { countingLog, countRecord } from "./metrics.ts";
import { recordPasskey } from "./passkeys.ts";
import { settleRestore } from "./restored.ts";
import { filesOf, loadInfo } from "./run-files.ts";
import { TaskCache } from "./task-cache.ts";
import { UnattendedStore } from "./unattended-store.ts";
import { PacketWatch } from "./refused-packets.ts";
import { UsageWatch } from "./usage-watch.ts";
import { version } from "./version.ts";
import { createWorkers, type Workers } from "../worker/index.ts";

/** What a daemon owns. */
export interface World {
  readonly home: Home;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly counts: Counts;
  readonly authority: CertificateAuthority;
  readonly watcher: Watcher;
  /** Where what runs and their servers say is parsed. */
  readonly workers: Workers;
  /** The /etc of every run. */
  readonly etc: string;
  readonly cgroups: CgroupHost;
  /** Runs whose changes are being applied or discarded: such a run stays as it is. */
  readonly inUse: Set<string>;
  readonly tasks: TaskCache;
  readonly desk: Desk;
  readonly unattended: UnattendedStore;
  /** What runs are one of. */
  readonly lineages: Lineages;
  /** What systems make for single runs. */
  readonly minting: Minting;
  /** What runs may ask about themselves. */
  readonly enquiries: EnquiryServer;
  /** Servers of MCP that runs bring along. */
  readonly servers: McpServers;
  /** The console of this home. */
  readonly consoles: Consoles;
  readonly passkeys: Passkeys;
  readonly channels: Channels;
  readonly credentials: Credentials;
  /** What terminals of runs showed. */
  readonly recordings: Recordings;
  readonly detections: RunDetections;
  /** Commands in runs that live. */
  readonly execs: Execs;
  /** What runs use. */
  readonly usage: UsageWatch;
  /** Puts on record what the networks of runs refused by themselves. */
  readonly packets: PacketWatch;
  close(): Promise<void>;
}

/**
 * Makes the folders of `home`, closed to everyone else: a run sets modes in its own home, also set-user-ID, and
 * other users of this machine must not reach what it made.
 *
 * @throws {Fault} `base.folder` where another user could write to it.
 */
function claimHome(home: Home): void {
  mkdirSync(home.root, { recursive: true, mode: 0o700 });
  requireOwnFolder(home.root, { isVisit: false });
  for (const folder of [home.keys, home.runs, home.homes, home.snapshots]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
  }
}

/**
 * Opens the world of `home`.
 *
 * @throws {Fault} `ledger.locked` where another daemon has it: one home, one writer (INV-23).
 */
export async function openWorld(home: Home, failed: (error: unknown) => void): Promise<World> {
  const clock = systemClock;
  const written = createLog((line) => void process.stderr.write(line));
  claimHome(home);
  requireFormats(home.root);
  const ledger = await openLedger({
    dir: home.ledger,
    keys: home.keys,
    clock,
    onFailure: failed,
  });
  settleFormats(home.root);
  const counts = countRecord(ledger);
  const log = countingLog(written, counts.logged);
  const authority = await openAuthority(home.keys);
  const credentials = await openCredentials({ home, clock, log, ledger });
  const workers = createWorkers({ log, canary: join(home.keys, AUTHORITY_FILE) });
  workers.warm();
  const etc = join(home.root, "etc");
  const bundle = await trustBundle(authority);
  await writeEtc(etc, bundle, trustStores(authority.certificatePem, bundle));
  // What a dead daemon left in its groups is nobody's run any more.
  const cgroups = openCgroups(createHash("sha256").update(home.root).digest("hex").slice(0, 12));
  await reapGroups(cgroups, new Set());
  const watcher = createWatcher({ onFailure: failed });
  const enquiries = new EnquiryServer({ log, version: version() });
  const servers = new McpServers();
  const consoles = new Consoles(home);
  const unattended = new UnattendedStore(join(home.root, "unattended.db"), clock.now().wallMs);
  const lineages = new Lineages({
    file: join(home.root, "lineages.db"),
    clock,
    log,
    ledger,
    rules: lineageRulesOf(home.root),
    everOf: (run) => loadInfo(filesOf(home.runs, run))?.lineage ?? [],
  });
  const desk = new Desk({
    file: join(home.root, "approvals.db"),
    watches: join(home.root, "watches.db"),
    clock,
    log,
    ledger,
    workers,
    authority,
    credentials,
    enquiries,
    servers,
    consoles,
    lineages,
    deciders: () => readDeciders(home.root),
  });
  lineages.onResumed = () => desk.lookAgain();
  await settleRestore({ home, ledger, clock }, desk.approvals);
  await desk.recover();
  const passkeys = new Passkeys({
    root: home.root,
    clock,
    origin: () => consoles.origin,
    record: async (change) => recordPasskey({ clock, ledger }, change),
  });
  const minting = new Minting({
    runs: home.runs,
    clock,
    log,
    ledger,
    workers,
    authority,
    credentials,
    consoles,
  });
  const detections = new RunDetections();
  // What a person decides is on record past the run's own way to it.
  ledger.subscribe(({ event }) => {
    if (event.type === "approval") detections.observe(event)?.();
  });
  const channels = new Channels({ root: home.root, approvals: desk.approvals, credentials, log });
  const usage = new UsageWatch(clock, log);
  return {
    home,
    clock,
    log,
    ledger,
    counts,
    authority,
    watcher,
    workers,
    etc,
    cgroups,
    inUse: new Set(),
    tasks: new TaskCache(new OwnSystems(home.catalog)),
    desk,
    unattended,
    lineages,
    minting,
    enquiries,
    servers,
    consoles,
    passkeys,
    channels,
    credentials,
    recordings: new Recordings({ runs: home.runs, clock, ledger }),
    detections,
    execs: new Execs(clock, log, (run) => usage.settle(run)),
    usage,
    packets: new PacketWatch(),
    async close() {
      await minting.close();
      await channels.close();
      await desk.close();
      unattended.close();
      lineages.close();
      await credentials.close();
      await workers.close();
      await watcher.close();
      closeCgroups(cgroups);
      await ledger.close();
    },
  };
}
