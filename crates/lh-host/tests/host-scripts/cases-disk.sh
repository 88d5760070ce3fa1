# The data volume, with real devices, file systems and mounts.
# shellcheck shell=bash disable=SC2154,SC2086,SC2016 # mnt has no spaces; $$ quotes in SQL
v=vol0123456789abcdef0

case_disk_blank_then_again() {
  # Another disk is there first, so that the volume is not "the second one".
  attach vol00000000000000bad 64M
  local other=$device before
  before=$(sum)
  attach $v 128M
  disk || { cat "$work/out"; fail "the first run"; }
  equal "$(findmnt -no SOURCE,FSTYPE -M $mnt | tr -s ' ')" "$device ext4"
  contains /etc/fstab "UUID=$(blkid -s UUID -o value "$device") $mnt ext4 defaults,noatime,nofail"
  [ ! -e /var/lib/lhctl/formatting ] || fail "the marker stayed"
  echo kept >$mnt/row
  sync
  local uuid fstab
  uuid=$(blkid -p -s UUID -o value "$device")
  fstab=$(stat -c %i:%Y /etc/fstab)
  disk || { cat "$work/out"; fail "the second run"; }
  equal "$(blkid -p -s UUID -o value "$device")" "$uuid"
  equal "$(stat -c %i:%Y /etc/fstab)" "$fstab" "fstab was written again"
  equal "$(cat $mnt/row)" kept
  equal "$(grep -c . /etc/fstab)" 1
  # A reboot: not mounted, everything else there.
  umount $mnt
  disk
  equal "$(cat $mnt/row)" kept
  device=$other
  equal "$(sum)" "$before" "the other disk was touched"
}

case_disk_of_another_keeps_its_data() {
  local make line small
  for make in "mkfs.ext4 -q -b 1024" "mkfs.ext3 -q" mkfs.xfs; do
    command -v "${make%% *}" >/dev/null || { echo "SKIPPED in part: no ${make%% *}"; continue; }
    attach $v 400M
    $make "$device" >/dev/null
    mount "$device" /media
    echo "made by $make" >/media/row
    umount /media
    disk || { cat "$work/out"; fail "$make"; }
    equal "$(cat $mnt/row)" "made by $make"
    # A new instance: nothing of the old host is known there.
    line=$(cat /etc/fstab)
    umount $mnt
    : >/etc/fstab
    disk
    equal "$(cat $mnt/row)" "made by $make"
    equal "$(cat /etc/fstab)" "$line"
    small=$(bytes $mnt)
    grow $v 500M
    disk || { cat "$work/out"; fail "growing $make"; }
    [ "$(bytes $mnt)" -gt $((small + 90000000)) ] || fail "$make did not grow: $(bytes $mnt)"
    equal "$(cat $mnt/row)" "made by $make"
    umount $mnt
    rm "$work/$v.img"
  done
}

case_disk_unknown_content_is_refused() {
  local where
  # No signature at all: at the start, in the middle, at the end.
  for where in 0 61 127; do
    attach $v 128M
    head -c 1M /dev/urandom | dd of="$device" bs=1M seek=$where conv=fsync status=none
    local before
    before=$(sum)
    refused 5 "not blank"
    equal "$(sum)" "$before" "written to at $where"
    rm "$work/$v.img"
  done
  ! mountpoint -q $mnt || fail "mounted"
}

case_disk_known_but_foreign_is_refused() {
  local before
  attach $v 128M
  mkswap "$device" >/dev/null
  before=$(sum)
  refused 5 "it holds swap"
  equal "$(sum)" "$before"
  # A physical volume of LVM, by its label alone.
  wipefs -qa "$device"
  printf 'LABELONE\1\0\0\0\0\0\0\0\0\0\0\0\40\0\0\0LVM2 001' | dd of="$device" bs=512 seek=1 conv=notrunc status=none
  before=$(sum)
  refused 5 "refused to touch"
  equal "$(sum)" "$before"
}

case_disk_partitions() {
  command -v sfdisk growpart | grep -c . | grep -qx 2 || skip "no sfdisk or no growpart"
  local before
  attach $v 128M
  echo 'type=83' | sfdisk -q "$device"
  partx -u "$device"
  before=$(sum)
  refused 5 "the partition holds no file system"
  equal "$(sum)" "$before"
  mkfs.ext4 -q "${device}p1"
  disk || { cat "$work/out"; fail "one partition"; }
  equal "$(findmnt -no SOURCE -M $mnt)" "${device}p1"
  echo kept >$mnt/row
  grow $v 300M
  disk || { cat "$work/out"; fail "growing the partition"; }
  [ "$(bytes $mnt)" -gt 250000000 ] || fail "did not grow: $(bytes $mnt)"
  equal "$(cat $mnt/row)" kept
  umount $mnt
  printf 'size=50M,type=83\nsize=50M,type=83\n' | sfdisk -q --wipe always --wipe-partitions always "$device"
  partx -u "$device"
  before=$(sum)
  refused 5 "2 partitions"
  equal "$(sum)" "$before"
}

case_disk_missing() {
  refused 1 "volume vol-0123456789abcdef0 is not attached"
  attach vol00000000000000bad 64M
  local before
  before=$(sum)
  refused 1 "nvme-Amazon_Elastic_Block_Store_$v after 0 s"
  equal "$(sum)" "$before"
}

case_disk_grown() {
  attach $v 128M
  disk
  local small
  small=$(bytes $mnt)
  echo kept >$mnt/row
  grow $v 512M
  disk || { cat "$work/out"; fail "growing"; }
  [ "$(bytes $mnt)" -gt $((small * 3)) ] || fail "statfs says $(bytes $mnt), and before $small"
  equal "$(cat $mnt/row)" kept
}

# Killed inside mkfs: no file system, and no zeros either.
case_disk_half_formatted() {
  attach $v 128M
  head -c 4096 /dev/urandom | dd of="$device" bs=1M seek=8 conv=fsync status=none
  mkdir -p /var/lib/lhctl
  # The marker of another volume allows nothing.
  echo vol-00000000000000bad >/var/lib/lhctl/formatting
  refused 5 "not blank"
  echo vol-0123456789abcdef0 >/var/lib/lhctl/formatting
  disk || { cat "$work/out"; fail "was not formatted again"; }
  [ ! -e /var/lib/lhctl/formatting ] || fail "the marker stayed"
  echo kept >$mnt/row
  umount $mnt
  # And a marker never overrules a file system.
  echo vol-0123456789abcdef0 >/var/lib/lhctl/formatting
  disk
  equal "$(cat $mnt/row)" kept
}

# A volume made from a snapshot of the other has its UUID.
case_disk_twin() {
  attach $v 128M
  mkfs.ext4 -q "$device"
  local ours=$device
  cp "$work/$v.img" "$work/vol00000000000000bad.img"
  attach vol00000000000000bad 128M
  mkdir -p $mnt
  mount "$device" $mnt
  refused 5 "shows $device, not $ours"
}
