#!/bin/bash
# Stands for the host's own disk program: the volume is a folder, and its file system gets the size
# that AWS shows for the volume, here and at no other time.
root=${0%/.sandbox/bin/*}
if [ -d "$root/mnt/timescaledb-data/" ]; then
  cp "$root/.sandbox/size" "$root/.sandbox/grown"
  echo "volume $(basename "$(readlink "$root/mnt/timescaledb-data")"): a folder of $(cat "$root/.sandbox/size") GiB"
else
  echo "error: the volume is not attached" >&2
  exit 1
fi
