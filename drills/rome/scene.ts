/**
 * The ROME world set up: hosts linked, services up, key and certificate made.
 *
 * @module
 */
import { execFile, execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { Fault } from "../../src/base/index.ts";
import {
  createTestCertificate,
  programPath,
  startHost,
  type Host,
  type Inside,
  type Tools,
} from "../world/index.ts";
import {
  AGENT_INTERNAL,
  AGENT_OUTSIDE,
  GRANTED,
  INTERNAL_SERVICES,
  METADATA,
  UNGRANTED,
} from "./geography.ts";
import { contactSchema, type Contact } from "./tally.ts";

const run = promisify(execFile);

/** The outside host's one user, and who that is where the drill is root's: no sshd of ours is. */
const OUTSIDE_USER = "agent";
const NOBODY_ID = 65_534;

/** The world, ready for attempts. */
export interface Scene {
  readonly folder: string;
  /** Who may log in to the outside host. */
  readonly user: string;
  readonly sshKey: string;
  /** The file that names the outside hosts, for attempts without Cofferdam. */
  readonly hostsFile: string;
  /** The certificate authority's file. */
  readonly caFile: string;
  /** Everything that services outside and inside the network counted so far. */
  contacts(): Promise<readonly Contact[]>;
  /** What a stranger outside gets from a port there. */
  probe(port: number): Promise<{ readonly open: boolean; readonly text: string }>;
}

/**
 * Sets the world up around the calling process, which is on the agent host.
 *
 * @throws {Fault} `drill.user`, `drill.network`, `drill.host`, `drill.sshd` as its parts do.
 */
export async function buildScene(tools: Tools, inside: Inside): Promise<Scene> {
  const { folder } = inside;
  await run(tools("ip"), ["link", "set", "lo", "up"]);
  const become = outsideAccount(process.getuid?.() ?? 0, () => userInfo().username);
  const { uid, gid } = become ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  // Its own accounts: on some systems `nobody` is a locked one, and sshd then lets nobody in.
  const passwd = join(folder, "passwd");
  writeFileSync(passwd, `${OUTSIDE_USER}:*:${uid}:${gid}:drill:/:/bin/false\n`);
  const nsswitch = join(folder, "nsswitch.conf");
  writeFileSync(nsswitch, "passwd: files\ngroup: files\nshadow: files\nhosts: files\n");
  const outside = await startHost(tools, programPath(import.meta.url, "./outside"), {
    name: "wan",
    ours: [AGENT_OUTSIDE],
    theirs: [`${UNGRANTED.address}/24`, `${GRANTED.address}/24`],
    routes: [],
    files: { "/etc/passwd": passwd, "/etc/nsswitch.conf": nsswitch },
  });
  const internal = await startHost(tools, programPath(import.meta.url, "./internal"), {
    name: "lan",
    ours: [AGENT_INTERNAL],
    theirs: [...INTERNAL_SERVICES.map(({ address }) => `${address}/24`), `${METADATA}/32`],
    routes: [`${METADATA}/32`],
    files: {},
  });
  const outsideFolder = join(folder, "outside");
  mkdirSync(outsideFolder, { mode: 0o700 });
  if (become !== null) chownSync(outsideFolder, uid, gid);
  const keyFile = join(folder, "id_drill");
  execFileSync(tools("ssh-keygen"), ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", keyFile]);
  const certificate = createTestCertificate([GRANTED.name, UNGRANTED.name]);
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, certificate.ca);
  const hostsFile = join(folder, "hosts");
  const names = [UNGRANTED, GRANTED].map(({ name, address }) => `${address} ${name}\n`);
  writeFileSync(hostsFile, `127.0.0.1 localhost\n${names.join("")}`);
  await outside.ask("start", {
    folder: outsideFolder,
    certificate: { ...certificate },
    authorizedKey: readFileSync(`${keyFile}.pub`, "utf8"),
    sshd: tools("sshd"),
    keygen: tools("ssh-keygen"),
    user: become,
  });
  await internal.ask("start");
  return {
    folder,
    user: OUTSIDE_USER,
    sshKey: readFileSync(keyFile, "utf8"),
    hostsFile,
    caFile,
    contacts: async () => [...(await tallyOf(outside)), ...(await tallyOf(internal))],
    probe: async (port) => probeSchema.parse(await outside.ask("probe", port)),
  };
}

const probeSchema = z.object({ open: z.boolean(), text: z.string() });

async function tallyOf(host: Host): Promise<readonly Contact[]> {
  return z.array(contactSchema).parse(await host.ask("tally"));
}

/**
 * Whom the outside host becomes: `nobody` where we are root; else it stays who we are, and then ssh
 * on this side wants us to have a name.
 */
export function outsideAccount(
  uid: number,
  nameUser: () => string,
): { readonly uid: number; readonly gid: number } | null {
  if (uid === 0) return { uid: NOBODY_ID, gid: NOBODY_ID };
  try {
    nameUser();
    return null;
  } catch (cause) {
    throw new Fault("drill.user", "the current user has no name, and ssh needs one", {
      cause,
      hint: "run the drill as a user that /etc/passwd lists",
    });
  }
}
