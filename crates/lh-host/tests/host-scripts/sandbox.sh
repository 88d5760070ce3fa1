#!/bin/bash
# shellcheck disable=SC2034 # the cases use what is set here
# One test of the host's scripts, in a mount namespace of its own:
#   unshare -m --propagation private sandbox.sh WORK CASE
# WORK holds `install` and `conf`, as rendered. /etc, /opt, /run, /mnt, /usr/local
# and more are private here, so that the scripts run as they are, with their own
# paths, real mkfs, mount and resize, and touch nothing of the machine. Stand-ins
# are in bin/ only: docker, aws, systemctl, apt-get, fallocate, swapon.
# Exit status: 0 passed, 77 skipped (the last line says why), else failed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$1
case=$2
loops=()

finish() {
  local rc=$?
  "$here/bin/docker" kill-all >/dev/null 2>&1 || true
  umount -l /mnt/timescaledb-data 2>/dev/null || true
  for loop in "${loops[@]}"; do losetup -d "$loop" || true; done
  exit "$rc"
}
trap finish EXIT

skip() {
  echo "SKIPPED: $*"
  exit 77
}
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
equal() { [ "$1" = "$2" ] || fail "expected '$2', got '$1'${3:+ ($3)}"; }
contains() { grep -qF -- "$2" "$1" || { cat "$1" >&2; fail "$1 does not say: $2"; }; }

# What is private: copied where programs need what is there, else empty.
private() {
  mkdir -p "$work/root$1"
  [ "${2:-}" != copy ] || cp -a "$1/." "$work/root$1/"
  mkdir -p "$1"
  mount --bind "$work/root$1" "$1"
}
for dir in /opt /mnt /run /var/log /var/lib /usr/local; do private "$dir"; done
private /etc copy
: >/etc/fstab
mkdir -p /run/lock /usr/local/sbin /usr/local/bin /usr/local/lib /etc/systemd/system
export PATH="$here/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export SANDBOX="$work/state" LHCTL_BY_ID="$work/by-id" LHCTL_WAIT=0
mkdir -p "$SANDBOX" "$LHCTL_BY_ID"

# The kernel grows a mounted ext4 only for CAP_SYS_RESOURCE (bit 24), which some
# containers lack. The real resize2fs then works on it unmounted, and says so.
if ! ((0x$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status) >> 24 & 1)); then
  cat >/usr/local/bin/resize2fs <<'END'
#!/bin/bash
set -e
! /sbin/resize2fs "$1" 2>/dev/null || exit 0
echo "SKIPPED in part: no CAP_SYS_RESOURCE here, so ext4 grew unmounted" >>"$SANDBOX/notes"
umount /mnt/timescaledb-data
/sbin/e2fsck -fp "$1" >/dev/null || [ $? = 1 ]
rc=0
/sbin/resize2fs "$1" || rc=$?
mount /mnt/timescaledb-data
exit $rc
END
  chmod 755 /usr/local/bin/resize2fs
  export PATH="/usr/local/bin:$PATH"
fi

bash "$work/install" >/dev/null
install -D -m 644 "$work/conf" /etc/lhctl/host.conf
mnt=/mnt/timescaledb-data

# attach NAME SIZE: a loop device, linked as udev links an EBS volume.
attach() {
  truncate -s "$2" "$work/$1.img"
  device=$(losetup -fP --show "$work/$1.img")
  loops+=("$device")
  ln -sfn "$device" "$LHCTL_BY_ID/nvme-Amazon_Elastic_Block_Store_$1"
}
# grow NAME SIZE: as ModifyVolume does, under a mounted file system.
grow() {
  truncate -s "$2" "$work/$1.img"
  losetup -c "$device"
}
bytes() { stat -f -c '%b * %S' "$1" | { read -r expression; echo $((expression)); }; }
sum() { sha256sum <"$device" | cut -d' ' -f1; }
disk() { /usr/local/sbin/lhctl-host-disk >"$work/out" 2>&1; }
refused() {
  local rc=0
  disk || rc=$?
  equal "$rc" "$1" "$(cat "$work/out")"
  contains "$work/out" "$2"
}

for file in "$here"/cases-*.sh; do
  # shellcheck source=/dev/null
  . "$file"
done
"case_$case"
sort -u "$SANDBOX/notes" 2>/dev/null || true
echo "passed: $case"
