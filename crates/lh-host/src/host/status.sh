#!/bin/bash
# One JSON line: how far this host is. It changes nothing, and always ends with 0.
. /usr/local/lib/lhctl-host.sh
set +e
report=
for s in $STAGES; do
  report+=",\"$s\":$({ cat "$RUN/stage/$s" 2>/dev/null || echo pending; } | text)"
done
disk=null
if mountpoint -q "$MNT"; then
  disk=$(df -B1 --output=size,used,avail "$MNT" | awk 'END { printf "{\"size\":%s,\"used\":%s,\"available\":%s}", $1, $2, $3 }')
fi
# What a file holds, as a string: a damaged one must not damage the rest.
kept() { if [ -f "$1" ]; then sed 's/, "rows".*/}/' "$1" | head -c 4000 | text; else echo null; fi; }
box=$(docker inspect -f '{{.State.Status}}' timescaledb 2>/dev/null) || box=absent
tcp=false
ready=false
# Asked now, not remembered: a stage that went well says nothing of today.
if tcp_ok; then
  tcp=true
  [ ! -f "$RUN/ready" ] || ready=true
fi
versions=$(sql -d "$DATABASE" 2>/dev/null <<<"SELECT json_build_object('server', current_setting('server_version'),
'timescaledb', (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'))") || versions=
b=$MNT/backups
last=$(find "$b" -maxdepth 1 -name '*.sql.gz' -printf '%f\n' 2>/dev/null | sort | tail -n 1)
# Its description without the rows of each table, which end it.
about=$(kept "$b/$last.json")
drill=$(kept "$b/last-drill.json")
[ -z "$last" ] || last=$(text <<<"$last")
echo "{\"stack\":$(echo "$STACK" | text),\"volume\":\"$VOLUME_ID\",\"ready\":$ready,\"stages\":{${report:1}},\
\"container\":$(echo "$box" | text),\"tcp\":$tcp,\"versions\":${versions:-null},\"disk\":$disk,\
\"last_backup\":${last:-null},\"backup\":$about,\"last_drill\":$drill,\"drill_kept\":$([ -e "$b/last-drill.json" ] && echo true || echo false)}"
