#!/bin/bash
# Boots a systemd in which nothing of this machine can be changed, and runs one script in it.
#
#   box.sh FOLDER    FOLDER/units/* become its units; FOLDER/out/ is the one folder that it shares; FOLDER/out/drive.sh is run as
#                    root, with the services there, and the box ends with it
#
# Everything else is a view: the root is an overlay whose upper layer is memory; /dev, /run, /tmp are its own; process, network,
# host name and control group namespaces as well. Of units it finds those of FOLDER and no other (SYSTEMD_UNIT_PATH): what a
# distribution does at boot (settings of the kernel, emptying /tmp) never happens here.
set -euo pipefail
folder=$(cd -- "$1" && pwd -P)
if [ "${2-}" != inside ]; then
  [ "$(id -u)" = 0 ] || { echo "box: only root makes one" >&2; exit 2; }
  group=/sys/fs/cgroup
  [ -e $group/cgroup.procs ] || group=$group/unified
  group=$group/cofferdam-box-$$
  mkdir "$group"
  trap 'find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true' EXIT
  # The group is entered by what becomes the box alone.
  sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$group" \
    unshare --fork --pid --mount --net --uts --ipc --cgroup --kill-child "$0" "$folder" inside
  exit
fi

mount --make-rprivate /
box=$folder/box
mkdir -p "$box"
mount -t tmpfs -o mode=755 tmpfs "$box"
mkdir "$box/upper" "$box/work" "$box/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$box/upper,workdir=$box/work" "$box/root"
root=$box/root
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for place in dev run tmp; do mount -t tmpfs -o mode=755 tmpfs "$root/$place"; done
chmod 1777 "$root/tmp"
for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"; done
mknod -m 666 "$root/dev/tty" c 5 0
mkdir -p "$root/dev/pts" "$root/dev/shm" "$root/run/lock" "$root/run/units" "$root/out"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount --bind "$folder/out" "$root/out"
# State and workspaces lie on memory, where an overlay's upper layer may be.
mkdir -p "$root/var/lib/cofferdam" "$root/work-of-runs"
mount -t tmpfs -o mode=755 tmpfs "$root/var/lib/cofferdam"
mount -t tmpfs -o mode=755 tmpfs "$root/work-of-runs"
grep -q ^cofferdam: "$root/etc/passwd" || {
  echo 'cofferdam:x:64999:64999::/nonexistent:/usr/sbin/nologin' >>"$root/etc/passwd"
  echo 'cofferdam:x:64999:' >>"$root/etc/group"
}
chown 64999:64999 "$root/work-of-runs"
cp -r "$folder"/units/. "$root/run/units/"
for stub in sysinit basic shutdown umount network-online network; do
  printf '[Unit]\nDefaultDependencies=no\n' >"$root/run/units/$stub.target"
done
cat >"$root/run/units/drive.service" <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/bash /out/drive.sh
ExecStopPost=/bin/systemctl --force --force poweroff
StandardOutput=append:/out/drive.log
StandardError=inherit
UNIT
ip link set lo up
cd "$root"
pivot_root . mnt
umount -l /mnt
cd /
export container=cofferdam-box SYSTEMD_UNIT_PATH=/run/units
exec /lib/systemd/systemd --system --unit=drive.service --log-target=null --show-status=no </dev/null
