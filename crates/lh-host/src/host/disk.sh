#!/bin/bash
# Finds the data volume, formats it if (and only if) it is blank, mounts it by
# UUID, and grows its file system to the size of the volume. Run again, it
# changes nothing. Exit status 5: refused, because what is there is not known.
# With `boot`, a file system that does not grow is no failure: it can be used.
. /usr/local/lib/lhctl-host.sh

# For tests only: another folder of links, a shorter deadline (seconds).
by_id=${LHCTL_BY_ID:-/dev/disk/by-id}
deadline=${LHCTL_WAIT:-900}
marker=/var/lib/lhctl/formatting

refuse() { die 5 "refused to touch ${dev:-$disk} (volume $VOLUME_ID): $*. Nothing was written to it"; }

# The kernel numbers NVMe disks as they answer, so that /dev/nvme1n1 may be any
# of them; the serial number is the volume's id without its dash. The volume is
# attached only after the instance runs: so wait for it.
find_disk() {
  local link="$by_id/nvme-Amazon_Elastic_Block_Store_${VOLUME_ID//-/}"
  wait_for "$deadline" test -b "$link" ||
    die 1 "volume $VOLUME_ID is not attached: no $link after $deadline s. Attach it; this is tried again every minute"
  readlink -f "$link"
}

# What blkid sees by reading the device itself, never its cache.
look() {
  local rc=0
  info=$(blkid -p -o export "$1") || rc=$?
  [ "$rc" = 0 ] || [ "$rc" = 2 ] || refuse "blkid finds signatures that contradict each other, or cannot read it"
}
tag() { sed -n "s/^$1=//p" <<<"$info"; }

# Blank: no signature of any kind, and zeros wherever one looks: the first
# 64 MiB and 63 samples up to the last MiB. A new EBS volume reads as zeros.
blank() {
  local found size n i
  if ! found=$(wipefs -n "$disk") || [ -n "$found" ]; then return 1; fi
  size=$(blockdev --getsize64 "$disk") || return 1
  n=$((size < 67108864 ? size : 67108864))
  for i in {0..63}; do
    cmp -s -n "$n" -i "$((i * (size - 1048576) / 63)):0" "$disk" /dev/zero || return 1
    n=1048576
  done
}

# A run that was killed inside mkfs leaves a device that is neither blank nor
# whole. The marker says that this host found it blank, and it is gone, durably,
# before the first mount: so what it allows to overwrite never held data.
format() {
  if [ "$(cat "$marker" 2>/dev/null)" != "$VOLUME_ID" ]; then
    blank || refuse "it is not blank, yet holds no file system known here (ext4, xfs). If it may go, wipe it by hand; if not, attach the right volume"
    mkdir -p "${marker%/*}"
    echo "$VOLUME_ID" >"$marker"
    sync
  fi
  say "formatting $disk, which is blank"
  mkfs.ext4 -q -m 1 "$disk" </dev/null
  sync
  rm -f "$marker"
  sync
  look "$disk"
}

disk=$(find_disk)
dev=$disk
look "$disk"
# A disk that was partitioned elsewhere is kept as it is; lhctl makes none.
if [ -z "$(tag TYPE)" ] && [ -n "$(tag PTTYPE)" ]; then
  mapfile -t parts < <(lsblk -lnpo NAME,TYPE "$disk" | awk '$2 == "part" { print $1 }')
  [ "${#parts[@]}" = 1 ] || refuse "it has ${#parts[@]} partitions, and only one could be meant"
  dev=${parts[0]}
  look "$dev"
  [ -n "$(tag TYPE)" ] || refuse "the partition holds no file system"
fi
[ -n "$(tag TYPE)" ] || format
fs=$(tag TYPE)
case $fs in
  ext[234] | xfs) ;;
  *) refuse "it holds $fs, not a file system known here (ext4, xfs)" ;;
esac

# nofail: a host without its volume must still boot, to be repaired.
line="UUID=$(tag UUID) $MNT $fs defaults,noatime,nofail,x-systemd.device-timeout=30s 0 2"
if ! grep -qxF "$line" /etc/fstab; then
  awk -v m="$MNT" '$2 != m' /etc/fstab >/etc/fstab.lhctl
  echo "$line" >>/etc/fstab.lhctl
  chmod 644 /etc/fstab.lhctl
  mv /etc/fstab.lhctl /etc/fstab
  systemctl daemon-reload
fi
mkdir -p "$MNT"
mountpoint -q "$MNT" || mount "$MNT" || mountpoint -q "$MNT" || die 1 "$dev ($fs) does not mount: check it with fsck"
# A volume made from a snapshot has the UUID of its original.
on=$(readlink -f "$(findmnt -no SOURCE -M "$MNT" | tail -n 1)")
[ "$on" = "$dev" ] || die 5 "$MNT shows $on, not $dev (volume $VOLUME_ID). Detach or unmount the other"

# Growth after the volume grew, online; at full size already, these do nothing.
boot=${1:-}
ungrown() { if [ "$boot" = boot ]; then say "warning: $*"; else die 1 "$*"; fi; }
if [ "$dev" != "$disk" ]; then
  out=$(growpart "$disk" "$(cat "/sys/class/block/${dev##*/}/partition")") ||
    [[ $out == NOCHANGE* ]] || ungrown "the partition $dev did not grow: $out"
fi
case $fs in
  xfs) out=$(xfs_growfs "$MNT" 2>&1 >/dev/null) ;;
  *) out=$(resize2fs "$dev" 2>&1 >/dev/null) ;;
esac || ungrown "the $fs on $dev did not grow to the size of the volume: ${out##*$'\n'}"
say "volume $VOLUME_ID: $fs on $dev at $MNT, $(df -B1 --output=size "$MNT" | tail -n 1) bytes"
