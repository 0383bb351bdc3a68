/**
 * Sockets, devices, setuid programs and capabilities that make an account another.
 *
 * @module
 */
import type { Fact } from "../../blast/index.ts";
import { isUserName, linesOf, type Answer } from "./answer-lines.ts";
import type { HostAccount } from "./host.ts";
import { wordOf } from "./sudo-facts.ts";

/** Setuid by design, and careful: those of Debian, RHEL and Alpine. */
const CAREFUL = new Set(
  `at bbsuid chage chfn chsh crontab cockpit-session dbus-daemon-launch-helper doas exim4 expiry fusermount fusermount3
  gpasswd grub2-set-bootflag kismet_capture ksu lxc-user-nic mount mount.cifs mount.ecryptfs_private mount.fuse mount.fuse3
  mount.nfs newgidmap newgrp newrole newuidmap ntfs-3g pam_timestamp_check passwd ping ping6 pkexec polkit-agent-helper-1
  pppd procmail sg snap-confine ssh-keysign staprun su sudo sudoedit suexec traceroute umount umount.nfs unix_chkpwd
  userhelper usernetctl utempter vmware-user-suid-wrapper Xorg.wrap chrome-sandbox chromium-sandbox`.split(
    /\s+/,
  ),
);
/** Capabilities of which each makes its program's user root, or as good as root (capabilities(7)). */
const RULING =
  /\bcap_(setuid|setgid|dac_override|dac_read_search|chown|fowner|sys_admin|sys_ptrace|sys_module|sys_rawio|setfcap|bpf)\b/;

/** Facts of the answer to `powers`, and in `notes` what was not told. */
export function powerFacts(account: HostAccount, answer: Answer, notes: string[]): readonly Fact[] {
  const { host, user, isRoot, told, untold } = account;
  const tell = told("powers");
  const root = (how: string) => tell("becomes", host, user, "root", how);
  const cloud = linesOf(answer, "metadata").length > 0 ? cloudFacts(account) : [];
  if (isRoot) return cloud;
  const facts = [
    ...linesOf(answer, "socket").map(([path = ""]) => root(`it may use ${path}`)),
    ...linesOf(answer, "device").map(([how, path = ""]) =>
      how === "write" ? root(`it may write ${path}`) : tell("reads_disk", host, user, path),
    ),
    ...setuidFacts(account, answer, notes),
    ...linesOf(answer, "cap").flatMap(([line = ""]) => capFacts(account, line)),
    ...cloud,
  ];
  if (answer.isWhole) return facts;
  const why = "which sockets, devices and setuid programs it has was not told in whole";
  notes.push(why);
  return [
    ...facts,
    untold(why)("becomes", host, user, "root", "what else makes it root was not told"),
  ];
}

function setuidFacts(account: HostAccount, answer: Answer, notes: string[]): readonly Fact[] {
  const { host, user, told, untold } = account;
  const mounts = linesOf(answer, "mount");
  return linesOf(answer, "setuid").flatMap(([owner = "", path = ""]) => {
    const word = wordOf(path);
    if (CAREFUL.has(word) || owner === user || isIgnoredAt(path, mounts)) return [];
    const target = isUserName(owner) ? owner : "root";
    const facts = [told("powers")("setuid", host, user, target, plainWord(word), path)];
    if (/^\/(usr\/)?(bin|sbin|lib|libexec)\//.test(path)) return facts;
    const why = `what ${path} does, which is ${target}'s and setuid, was not told`;
    notes.push(why);
    return [...facts, untold(why)("becomes", host, user, target, path)];
  });
}

/** Whether the longest mount point above `path` is one where setuid means nothing. */
function isIgnoredAt(path: string, mounts: readonly (readonly string[])[]): boolean {
  let best: readonly string[] = [];
  for (const mount of mounts) {
    const [point = ""] = mount;
    const isAbove = point === "/" || path === point || path.startsWith(`${point}/`);
    // Of two at one place the later is on top.
    if (isAbove && point.length >= (best[0] ?? "").length) best = mount;
  }
  return best[1] === "nosuid";
}

/** `/usr/bin/python3.11 cap_setuid=ep` */
function capFacts({ host, user, told }: HostAccount, line: string): readonly Fact[] {
  const [, path = "", caps = ""] = /^(\/\S+)(?: =)? (.*)$/.exec(line) ?? [];
  if (path === "" || !RULING.test(caps) || !/[=+][a-z]*p/.test(caps)) return [];
  const how = `${path} has ${caps}`.slice(0, 200);
  return [told("powers")("may_run_as", host, user, "root", plainWord(wordOf(path)), how)];
}

/** `python3.11` is python3. */
function plainWord(word: string): string {
  return word.replace(/^(python\d|python|perl|php|ruby|lua|tclsh|node|gdb|vim)[\d.]+$/, "$1");
}

/** Whoever asks the cloud's own address is the machine. */
function cloudFacts({ host, user, told, untold }: HostAccount): readonly Fact[] {
  const object = `${host}: metadata of its cloud`;
  const assume = untold("what the cloud lets this machine do was not told");
  return [
    told("powers")("reaches", host, "169.254.169.254:80"),
    assume("readable", host, user, object),
    assume("stored_on", object, host),
    assume("contains", object, `the cloud's credentials of ${host}`),
  ];
}
