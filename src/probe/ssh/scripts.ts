/**
 * What an SSH host is asked: POSIX sh, portable over Debian, RHEL and Alpine's busybox. Each is a constant (INV-172): nothing
 * that a host answered ever stands in one; what one step finds the next step reads on the host, as data in quotes.
 *
 * A line of an answer is `TAG<tab>FIELD<tab>...`, the last one `end`: without it the answer was cut. A name with a control
 * character is told as `?`, so that nobody's file name makes a line of its own.
 *
 * @module
 */
import { EXECUTED_SCRIPT } from "./executed-script.ts";
import { SECRETS_SCRIPT } from "./secrets-script.ts";

/** Of one answer; what is kept of one is 1 MiB. */
const ANSWER_BYTES_MAX = 400_000;
const SCRIPT_SECONDS_MAX = 60;

/**
 * `say TAG FIELD...` prints a line. `wr TAG USER PATH` tells how PATH could be made another one's by this account: the file
 * itself, or a folder above it, which unless sticky lets it be put in another's place. `-O` counts since an owner may chmod.
 */
const PRELUDE = String.raw`
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
t=$(printf '\t'); n='
'
say() {
  l=
  for a; do
    case $a in *"$t"*|*"$n"*|*[[:cntrl:]]*) a='?' ;; esac
    l="$l$t$a"
  done
  printf '%s\n' "${"$"}{l#?}"
}
mine() { [ -w "$1" ] || [ -O "$1" ]; }
wr1() {
  if [ -e "$3" ] && mine "$3"; then say "$1" "$2" "$3" "$4" itself; return 0; fi
  d=$3
  while [ "$d" != / ]; do
    c=$d; d=${"$"}{d%/*}; [ -n "$d" ] || d=/
    if [ -d "$d" ] && mine "$d" && { [ ! -k "$d" ] || [ ! -e "$c" ] || [ -O "$c" ]; }; then
      say "$1" "$2" "$3" "$4" "$d"; return 0
    fi
  done
  return 1
}
wr() {
  case $3 in /*) ;; *) return 1 ;; esac
  wr1 "$1" "$2" "$3" "$4" && return 0
  [ -L "$3" ] || return 1
  r=$(readlink -f "$3") || return 1
  [ "$r" = "$3" ] || wr1 "$1" "$2" "$r" "$4"
}
have() { command -v "$1" >/dev/null 2>&1; }
bounded() { if timeout 1 true 2>/dev/null; then timeout 15 "$@"; else "$@"; fi; }
`;

const ACCOUNT = String.raw`
say id "$(id -u)" "$(id -un)"
for g in $(id -Gn); do say group "$g"; done
say shell "$SHELL"
say home "$HOME"
say hostname "$(hostname 2>/dev/null || uname -n)"
say machine "$(head -c 64 /etc/machine-id)"
say boot "$(head -c 64 /proc/sys/kernel/random/boot_id)"
say os "$(uname -sr)" "$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\).*/\1/p' /etc/os-release | head -n 1)"
set -f; set -- $SSH_CONNECTION; set +f
say connection "$3" "$4"
for f in /.dockerenv /run/.containerenv; do [ -e "$f" ] && say container "$f"; done
head -n 500 /etc/passwd | while IFS=: read -r u x i g c h s; do say user "$u" "$i" "$h" "$s"; done
`;

/** `sudo -n` asks for no password; without one it lists what needs none, or says that it needs one. */
const SUDO = String.raw`
if have doas; then say doas "$(command -v doas)"; fi
if have sudo; then
  out=$(sudo -n -ll 2>&1); say rc "$?"
  printf '%s\n' "$out" | head -n 2000 | sed "s/^/sudo$t/"
  printf '%s\n' "$out" | sed 's/\\\(.\)/\1/g' | grep -o '/[^ ,]*' | sort -u | head -n 300 |
    while IFS= read -r p; do [ -d "$p" ] || wr program root "$p" sudo; done
fi
`;

const POWERS = String.raw`
for s in /run/docker.sock /run/containerd/containerd.sock /run/crio/crio.sock \
  /run/podman/podman.sock /var/lib/lxd/unix.socket /var/snap/lxd/common/lxd/unix.socket /var/lib/incus/unix.socket \
  /run/libvirt/libvirt-sock /run/buildkit/buildkitd.sock /run/k3s/containerd/containerd.sock; do
  [ -S "$s" ] && [ -w "$s" ] && say socket "$s"
done
for d in /dev/sd* /dev/vd* /dev/xvd* /dev/nvme* /dev/dm-* /dev/mapper/* /dev/md* /dev/mmcblk*; do
  [ -b "$d" ] || continue
  if [ -w "$d" ]; then say device write "$d"; elif [ -r "$d" ]; then say device read "$d"; fi
done
for d in /dev/mem /dev/kmem; do [ -c "$d" ] && [ -w "$d" ] && say device write "$d"; done
bounded find /usr /bin /sbin /lib /opt /srv /home /var /etc /root /tmp -xdev -type f -perm -4000 2>/dev/null | head -n 500 |
  while IFS= read -r f; do [ -x "$f" ] && say setuid "$(stat -c %U "$f")" "$f"; done
if have getcap; then
  bounded getcap -r /usr /opt /bin 2>/dev/null | head -n 200 | while IFS= read -r c; do say cap "$c"; done
fi
cut -d ' ' -f 2,4 /proc/mounts | head -n 1000 | while read -r p o; do
  case ,$o, in *,nosuid,*) say mount "$p" nosuid ;; *) say mount "$p" suid ;; esac
done
m=
if have curl; then
  m=$(curl -s -o /dev/null -m 2 --noproxy '*' -w '%{http_code}' http://169.254.169.254/)
elif have wget; then
  m=$(wget -q -T 2 -O /dev/null http://169.254.169.254/ && echo 200)
fi
case $m in ''|000) ;; *) say metadata "$m" ;; esac
`;

/** Nothing is scanned: what listens here, what is connected now, and how the host is called. */
const NETWORK = String.raw`
for f in /proc/net/tcp /proc/net/tcp6; do
  [ -r "$f" ] && awk '$4 == "0A" { print "listen\t" $2 "\t" $8 } $4 == "01" { print "open\t" $3 "\t" $8 }' "$f" | sort -u | head -n 500
done
awk '/32 host/ { print "address\t" a } { a = $2 }' /proc/net/fib_trie | sort -u | head -n 200
awk '{ print "address6\t" $1 }' /proc/net/if_inet6 | head -n 200
awk 'NR > 1 { print "route\t" $2 "\t" $8 "\t" $3 }' /proc/net/route | head -n 200
`;

/** Copies of data, by their names. */
const BACKUPS = String.raw`
bounded find /backup /backups /var/backups /srv /mnt /data /opt /home /root /var/lib /var/www -xdev -maxdepth 5 -type f \
  \( -name '*.sql' -o -name '*.sql.gz' -o -name '*.sql.xz' -o -name '*.sql.zst' -o -name '*.sql.bz2' -o -name '*.dump' \
  -o -name '*.dump.gz' -o -name '*.bak' -o -name '*.rdb' -o -name '*backup*.tar*' -o -name '*backup*.zip' -o -name '*.tgz' \) \
  2>/dev/null | head -n 300 | while IFS= read -r f; do
  if [ -r "$f" ]; then say backup read "$f"; fi
  wr backup write "$f" file
done
`;

const WRAPPER = `if timeout 1 true 2>/dev/null; then timeout ${SCRIPT_SECONDS_MAX} sh -c "$1"; else sh -c "$1"; fi 2>/dev/null </dev/null | head -c ${ANSWER_BYTES_MAX}`;

/** The command line of each question: the same for every host, whatever it answers. */
export const COMMANDS = {
  account: commandOf(ACCOUNT),
  sudo: commandOf(SUDO),
  powers: commandOf(POWERS),
  executed: commandOf(EXECUTED_SCRIPT),
  secrets: commandOf(SECRETS_SCRIPT),
  network: commandOf(NETWORK),
  backups: commandOf(BACKUPS),
} as const;

export type ScriptName = keyof typeof COMMANDS;

/** The account's own shell may be another than sh. */
function commandOf(script: string): string {
  return `sh -c ${quoted(WRAPPER)} sh ${quoted(`${PRELUDE}${script}\necho end`)}`;
}

/** Read alike by sh, bash, zsh and fish: what fish takes for an escape stands outside of the quotes. */
function quoted(text: string): string {
  return text.replaceAll(/[^'\\]+|['\\]/g, (run) =>
    run === "'" || run === "\\" ? `\\${run}` : `'${run}'`,
  );
}
