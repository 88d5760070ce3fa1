#!/bin/bash
# Stands for the host's own setup: disks, packages and swap are there in a sandbox, and the database
# is `lhctl local database`. Every stage is as it is on a host that is ready.
root=${0%/.sandbox/bin/*}
run=$root/run/lhctl
mkdir -p "$run/stage" "$root/var/log" "$root/var/lib/lhctl"
chmod 700 "$run"
rm -f "$run/error"
"${0%/*}/lhctl-host-disk" >/dev/null 2>&1 || true
for stage in swap packages disk password database services agent; do
  echo ok >"$run/stage/$stage"
done
touch "$run/ready"
echo "$(date -u +%FT%TZ) the sandbox stands for all stages" >>"$root/var/log/lhctl-host.log"
