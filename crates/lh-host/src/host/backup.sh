#!/bin/bash
# Dumps the database to the data volume and, where the stack names one, to the
# bucket. A dump has its name only when it is whole; older ones go only then.
. /usr/local/lib/lhctl-host.sh
umask 077
dir=$MNT/backups
mountpoint -q "$MNT" || die 1 "$MNT is not mounted: no backup was made"
alone backup "another backup"
mkdir -p "$dir" || die 1 "$dir cannot be made: no backup was made"
rm -f "$dir"/.partial*
# What a restore fetched and could not remove; one that runs now holds the lock.
(flock -n 7 && rm -f "$dir"/.fetched-*) 7>"$RUN/restore.lock" || true
name=${DATABASE}_$(date -u +%Y%m%d_%H%M%S).sql.gz
tmp=$dir/.partial-$name
trap 'rm -f "$tmp" "$tmp.json"' EXIT
[ ! -e "$dir/$name" ] || die 1 "$name exists already"

# A dump loads only into the extension's version that made it.
facts=$(sql -d "$DATABASE" -v image="$IMAGE" <<<"SELECT json_build_object('database', current_database(),
'server_version', current_setting('server_version'), 'image', :'image', 'timescaledb_version',
(SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), 'taken', floor(extract(epoch FROM now())),
'database_bytes', pg_database_size(current_database()))") || die 1 "the database does not answer: no backup was made"

# The dump shares its disk with PostgreSQL, which must never find it full: about as much as the last
# dump took must be there (or half of the database), and what is kept free is not written to.
read -r size free < <(df -B1 --output=size,avail "$MNT" | tail -n 1)
room=$((free - (size / 20 < 1073741824 ? size / 20 : 1073741824)))
last=$(find "$dir" -maxdepth 1 -name "${DATABASE}_[0-9]*.sql.gz" -printf '%f %s\n' | sort | tail -n 1)
whole=$(sed -n 's/.*"database_bytes" *: *\([0-9]*\).*/\1/p' <<<"$facts")
likely=$((${whole:-0} / 2))
[ -z "$last" ] || likely=$((${last##* } * 3 / 2))
full="no backup was made, older ones are untouched: let the volume grow, or remove old dumps from $dir"
[ "$likely" -le "$room" ] || die 1 "the disk is too full for a dump of about $likely bytes: $full"

# The rows are counted in the dump's own snapshot, which a second session keeps for it. A server
# without a checkpointer is the engine of `lhctl local database`, whose clients share one session.
# A count that fails, such as for want of locks on very many chunks, costs no dump.
uncounted() {
  say "warning: the rows could not be counted, so that a restore of this dump will not compare them" >&2
  rows=null same=()
}
same=()
if [ "$(sql -d postgres <<<"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'checkpointer'")" = 0 ]; then
  rows=$(sql -d "$DATABASE" <<<"$COUNTS") || uncounted
else
  trap '' PIPE
  coproc HOLD { sql -d "$DATABASE"; }
  exec {to}>&"${HOLD[1]}" {from}<&"${HOLD[0]}"
  echo "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_export_snapshot(); $COUNTS" >&"$to" || true
  if { read -r snapshot && read -r rows; } <&"$from"; then same=(--snapshot="$snapshot"); else uncounted; fi
fi
docker exec timescaledb pg_dump -U postgres -d "$DATABASE" "${same[@]}" | gzip | head -c "$room" >"$tmp" ||
  die 1 "the dump failed, or the disk is too full for it: $full"
gzip -t "$tmp" || die 1 "the dump does not unpack: no backup was made"
gzip -dc "$tmp" | tail -n 20 | grep 'PostgreSQL database dump complete' >/dev/null ||
  die 1 "the dump lacks its end: no backup was made"
sum=$(sha256sum <"$tmp")
facts="${facts%\}}, \"file\": \"$name\", \"bytes\": $(stat -c %s "$tmp"), \"sha256\": \"${sum%% *}\", \"rows\": $rows}"
echo "$facts" >"$tmp.json" || die 1 "the disk is full: no backup was made"
sync "$tmp" "$tmp.json" || die 1 "the disk is full: no backup was made"
mv "$tmp.json" "$dir/$name.json"
mv "$tmp" "$dir/$name"

# The description goes last: where it lies in the bucket, the dump does too.
if [ -n "$BUCKET" ]; then
  for f in "$name" "$name.json"; do
    aws s3 cp --only-show-errors "$dir/$f" "s3://$BUCKET/$STACK/$f" ||
      die 1 "$name was made, but not uploaded to $BUCKET; older ones are kept"
  done
fi
find "$dir" -maxdepth 1 -name "${DATABASE}_[0-9]*_[0-9]*.sql.gz*" ! -name "$name*" \
  -mmin "+$((KEEP_DAYS * 1440))" -delete
echo "$facts"
