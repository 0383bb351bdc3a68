/**
 * Cofferdam as a service of systemd: its units, as text. Each directive is there since a real run works under it
 * (test/ops/service.test.ts), and what is usual and missing says why in the unit itself.
 *
 * @module
 */

export interface UnitOptions {
  /** The user's own manager (`systemctl --user`) or the machine's. */
  readonly isUser: boolean;
  /** Whose service it is; the machine's manager only. */
  readonly account: string;
  /** Absolute; of a user's unit only where it is not the usual one. */
  readonly home: string | undefined;
  /** Command line of the program, without what follows: Node, its flags, the entry. */
  readonly program: readonly string[];
  /** Folders beside the home that may be written to: workspaces. */
  readonly writable: readonly string[];
}

/** Sandboxes are made of these; the rest is nobody's business here, and refused to runs by their own filter as well. */
const REFUSED_CALLS = "@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap";

/** Works in a user's manager as well: no file system of its own, no privilege. */
const FOR_BOTH = `\
# bubblewrap and the launcher need no set-user-ID: sandboxes are made in user namespaces.
NoNewPrivileges=yes
UMask=0077
KeyringMode=private
LockPersonality=yes
RestrictRealtime=yes
SystemCallArchitectures=native
# Runs inherit it. None of these calls is one that a run's attempt at is put on record, so no finding is lost.
SystemCallFilter=~${REFUSED_CALLS}
SystemCallErrorNumber=EPERM
# AF_PACKET though nobody here opens one: the daemon refuses it to a run itself, and puts the attempt on record.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET
# No core of a process that holds keys. 1 and not 0: a handler in core_pattern gets a core of limit 0 (core(5)).
LimitCORE=1
LimitNOFILE=524288
TasksMax=infinity
`;

const FOR_SYSTEM = `\
# A user namespace gives its maker all capabilities in it; outside of it nobody here needs one.
CapabilityBoundingSet=
AmbientCapabilities=
# Workspaces that runs may change by \`cofferdam apply\` stand in ReadWritePaths; all else is read only.
ProtectSystem=strict
PrivateTmp=yes
PrivateIPC=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectProc=invisible
`;

const LEFT_OUT_ALWAYS = `\
# Left out, and why:
#   RestrictNamespaces, SystemCallFilter=~@mount   sandboxes are made of namespaces and mounts
#   MemoryDenyWriteExecute                          V8 compiles, and so do programs in runs
#   RestrictSUIDSGID                                runs inherit it: unpacking an archive in one would fail
#   PrivateNetwork, IPAddressDeny                   the daemon is the way out of every run
#   ProtectControlGroups                            limits of runs are groups beneath the service's own
`;

const LEFT_OUT_OF_SYSTEM = `\
#   ProtectKernelTunables, ProcSubset               a sandbox is closed for more namespaces by /proc/sys/user, and shares the rest by it
#   ProtectHostname                                 bubblewrap gives each sandbox a name of its own
#   PrivateUsers                                    who calls at the control socket could not be told any more
#   PrivateDevices, ProtectClock, DevicePolicy      they take away the GPUs that tasks grant
#   ProtectHome                                     workspaces and the tools of runs may lie there; it is read only by ProtectSystem
`;

const LEFT_OUT_OF_USER = `\
#   ProtectSystem, PrivateTmp and their like        a user's manager makes them by a user namespace, in which callers could not be told
#   CapabilityBoundingSet                           a user's manager has none to give
`;

/** The daemon's unit. */
export function daemonUnit(options: UnitOptions): string {
  const { isUser, account, home, program, writable } = options;
  const paths = writable.length === 0 ? "" : `ReadWritePaths=${writable.map(quoted).join(" ")}\n`;
  const state = isUser ? "" : `User=${account}\n${stateOf(home)}`;
  const place = home === undefined ? "" : `Environment=${quoted(`COFFERDAM_HOME=${home}`)}\n`;
  return `\
# Made by \`cofferdam service print\`.
[Unit]
Description=Cofferdam: contains AI agents${isUser ? "" : `, for ${account}`}
Documentation=man:systemd.exec(5)
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart=${[...program, "serve"].map(quoted).join(" ")}
${state}${place}WorkingDirectory=/
# Whatever ends the daemon ends its runs at once; the record says of each that it was killed.
Restart=on-failure
RestartSec=2
# It says that it lives from a turn of its event loop, after the record was written to and is on the disk.
WatchdogSec=60
# A large record is checked first.
TimeoutStartSec=600
TimeoutStopSec=60
# The daemon ends its runs in order; what is left then is killed.
KillMode=mixed
# Limits of runs are groups beneath the service's own; a run out of memory ends itself, not the service.
Delegate=yes
OOMPolicy=continue

${FOR_BOTH}${isUser ? "" : `${FOR_SYSTEM}${paths}`}
${LEFT_OUT_ALWAYS}${isUser ? LEFT_OUT_OF_USER : LEFT_OUT_OF_SYSTEM}
[Install]
WantedBy=${isUser ? "default.target" : "multi-user.target"}
`;
}

/** Made by the manager, closed to others, where it is the usual place. */
function stateOf(home: string | undefined): string {
  const name = /^\/var\/lib\/([\w.-]+)$/.exec(home ?? "")?.[1];
  if (name !== undefined) return `StateDirectory=${name}\nStateDirectoryMode=0700\n`;
  return home === undefined ? "" : `ReadWritePaths=${quoted(home)}\n`;
}

/** The unit of \`cofferdam metrics --listen\`, which only reads: it speaks to the daemon, and a scraper to it. */
export function metricsUnit(options: UnitOptions, listen: string): string {
  const { isUser, account, home, program } = options;
  const place = home === undefined ? "" : `Environment=${quoted(`COFFERDAM_HOME=${home}`)}\n`;
  const system = isUser
    ? ""
    : `CapabilityBoundingSet=
ProtectSystem=strict
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
PrivateTmp=yes
PrivateDevices=yes
`;
  return `\
# Made by \`cofferdam service print metrics\`.
[Unit]
Description=Metrics of Cofferdam${isUser ? "" : `, for ${account}`}
After=cofferdam.service

[Service]
ExecStart=${[...program, "metrics", "--listen", listen].map(quoted).join(" ")}
${isUser ? "" : `User=${account}\n`}${place}WorkingDirectory=/
Restart=on-failure
RestartSec=5

NoNewPrivileges=yes
UMask=0077
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
LimitCORE=1
${system}
# Left out: MemoryDenyWriteExecute (V8 compiles).

[Install]
WantedBy=${isUser ? "default.target" : "multi-user.target"}
`;
}

/** One word of a unit (systemd.syntax(7)): specifiers and variables are no part of a path. */
function quoted(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w/.:=@,+%$-]+$/.test(plain)) return plain;
  return `"${plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
