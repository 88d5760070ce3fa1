#!/bin/bash
# df in the sandbox: the data volume's file system has the size to which the disk program last grew
# it; all else is this machine's.
here=${0%/*}
sandbox=${here%/bin}
mnt=${sandbox%/.sandbox}/mnt/timescaledb-data
here_is=$(PATH=${PATH#"$here:"} command -v df)
for path in "$@"; do :; done
case $path in
  "$mnt" | "$mnt"/*) ;;
  *) exec "$here_is" "$@" ;;
esac
size=$(($(cat "$sandbox/grown") * 1073741824))
used=$(($(du -sk "$mnt/" | cut -f 1) * 1024))
available=$((size > used ? size - used : 0))
columns=size,used,avail
for word in "$@"; do
  case $word in --output=*) columns=${word#--output=} ;; esac
done
row=
head=
IFS=,
for column in $columns; do
  head="$head $column"
  case $column in
    size) row="$row $size" ;;
    used) row="$row $used" ;;
    avail) row="$row $available" ;;
    pcent) row="$row $((size > 0 ? (used * 100 + size - 1) / size : 0))%" ;;
    target) row="$row $mnt" ;;
    source) row="$row $(basename "$(readlink "$mnt")")" ;;
    fstype) row="$row ext4" ;;
    *) row="$row -" ;;
  esac
done
echo "${head# }"
echo "${row# }"
