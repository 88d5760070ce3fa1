# What fills the data volume. GROW=1 first brings the file system to the size of its volume.
mountpoint -q "$MNT" || die 1 "$MNT is not mounted"
[ -z "$GROW" ] || /usr/local/sbin/lhctl-host-disk >&2
read -r size used free < <(df -B1 --output=size,used,avail "$MNT" | tail -n 1)
device=$(blockdev --getsize64 "$(findmnt -no SOURCE -M "$MNT" | tail -n 1)" 2>/dev/null) || device=null
dumps=$(du -sb "$MNT/backups" 2>/dev/null | cut -f 1) || dumps=
bytes='pg_total_relation_size(c.oid)'
own='false'
if [ -n "$(sql -d "$DATABASE" <<<"SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'")" ]; then
  # A hypertable is its chunks.
  bytes="coalesce((SELECT hypertable_size(c.oid::regclass) FROM timescaledb_information.hypertables h
WHERE (h.hypertable_schema, h.hypertable_name) = (n.nspname, c.relname)), pg_total_relation_size(c.oid))"
  own="n.nspname ~ '^_?timescaledb_'"
fi
inside=$(sql -d "$DATABASE" <<SQL
SELECT jsonb_build_object('database', pg_database_size(current_database()), 'all_databases', (SELECT sum(pg_database_size(oid)) FROM pg_database),
'wal', (SELECT sum(size) FROM pg_ls_waldir()), 'tables', (SELECT coalesce(jsonb_agg(t ORDER BY t.bytes DESC), '[]')
FROM (SELECT concat(n.nspname, '.', c.relname) AS name, $bytes AS bytes FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^(pg_|information_schema$)' AND NOT $own ORDER BY 2 DESC LIMIT 10) t))
SQL
) || inside=null
echo "{\"size\":$size,\"used\":$used,\"available\":$free,\"device\":$device,\"backups\":${dumps:-0},\"inside\":$inside}"
