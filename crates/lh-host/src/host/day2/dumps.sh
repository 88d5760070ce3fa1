# Dumps into databases, for `restore` and `drill`. A dump goes into a database of its own, never
# into one that serves: what fails on the way leaves that one as it was.
dir=$MNT/backups
log() { say "$@" >&2; }
# While a dump is being loaded its database takes no more connections than superusers'. That also
# marks it as unfinished, from the statement that makes it on.
admin() { sql -d postgres "$@"; }
quoted() { printf "'%s'" "${1//\'/\'\'}"; }

mountpoint -q "$MNT" || die 1 "$MNT is not mounted"
alone restore "a restore, a drill or an upgrade"
admin <<<'SELECT 1' >/dev/null || die 1 "the database does not answer"

misfits=()
misfit() { misfits+=("$*"); }
# Of another database than the one that the dump was made of, only when it is named.
ELSEWHERE=${INTO:-}
INTO=${INTO:-$DATABASE}
case $INTO in
  template0 | template1 | postgres | lhctl_*) die 5 "refused: $INTO is no database to restore into" ;;
esac

no_bucket="refused: the stack names no bucket (\`backup.bucket\` in its file), so no dump lies in one: take one from the disk"
# The description is small and comes first: $about. FROM is disk, bucket, or empty for either.
find_dump() {
  case $NAME in
    */* | -* | '') die 5 "refused: '$NAME' is not the name of a dump" ;;
  esac
  [ "$FROM" != bucket ] || [ -n "$BUCKET" ] || die 5 "$no_bucket"
  where=disk
  if [ "$FROM" != bucket ] && [ -f "$dir/$NAME" ]; then
    [ -f "$dir/$NAME.json" ] || die 5 "refused: $NAME has no description beside it ($NAME.json): neither its checksum nor its versions are known"
    about=$(cat "$dir/$NAME.json")
  elif [ "$FROM" != disk ] && [ -n "$BUCKET" ]; then
    where=bucket
    about=$(aws s3 cp --only-show-errors "s3://$BUCKET/$STACK/$NAME.json" -) ||
      die 5 "refused: there is no dump $NAME on the disk, and its description cannot be read from $BUCKET"
  else
    die 5 "refused: there is no dump $NAME on the ${FROM:-disk}"
  fi
}

# Newest by its name, which is a time.
newest_dump() {
  local all
  if [ "$FROM" = bucket ]; then
    # 1: nothing begins so.
    all=$(aws s3 ls "s3://$BUCKET/$STACK/${DATABASE}_") || [ $? = 1 ] || die 1 "the bucket $BUCKET cannot be read"
    all=$(awk '{ print $NF }' <<<"$all")
  else
    all=$(find "$dir" -maxdepth 1 -name "${DATABASE}_[0-9]*.sql.gz.json" 2>/dev/null | sed 's,.*/,,')
  fi
  NAME=$(sed -n 's/\.sql\.gz\.json$/.sql.gz/p' <<<"$all" | sort | tail -n 1)
}

# What the dump needs and what is here, by PostgreSQL, which reads JSON. Nothing is changed.
look() {
  local facts library major
  facts=$(admin -v into="$INTO" <<SQL
SELECT concat(j->>'database', '|', j->>'server_version', '|', j->>'timescaledb_version', '|', j->>'sha256', '|', j->>'bytes', '|',
coalesce(j->>'taken', '0'), '|', coalesce((j->>'database_bytes')::bigint, 8 * (j->>'bytes')::bigint), '|',
current_setting('server_version'), '|', (SELECT count(*) FROM pg_available_extension_versions
WHERE name = 'timescaledb' AND version = j->>'timescaledb_version'), '|',
(SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'), E'\n', CASE json_typeof(j->'rows') WHEN 'object' THEN j->'rows' END)
FROM (SELECT $(quoted "$about")::json AS j) d;
SELECT concat(pg_database_size(datname), '|', shobj_description(oid, 'pg_database')) FROM pg_database WHERE datname = :'into';
SQL
  ) || die 5 "refused: the description of $NAME cannot be read"
  { IFS='|' read -r from_database from_server extension sum bytes taken need server library newest && read -r rows; } <<<"$facts" ||
    die 5 "refused: the description of $NAME cannot be read"
  IFS='|' read -r target note <<<"$(sed -n 3p <<<"$facts")"
  for number in "$bytes" "$taken" "$need"; do
    [[ $number =~ ^[0-9]+$ ]] || die 5 "refused: the description of $NAME cannot be read"
  done
  need=$((need + need / 5))
  [ "$where" = disk ] || need=$((need + bytes))
  free=$(df -B1 --output=avail "$MNT" | tail -n 1)
  major=${from_server%%.*}
  [ "$from_database" = "$DATABASE" ] || [ -n "$ELSEWHERE" ] ||
    misfit "it is a dump of the database $from_database, and this stack's is $DATABASE: name the database to restore into with --into"
  [ "${major%%[!0-9]*}" -le "${server%%.*}" ] ||
    misfit "it was made by PostgreSQL $from_server, and this server is $server: a dump does not go back to an older major version"
  [ -z "$extension" ] || [ "$library" != 0 ] ||
    misfit "it needs TimescaleDB $extension, whose library this image ($IMAGE) does not carry: a dump loads only into the version that made it"
  [ "$need" -le "$free" ] || misfit "it needs about $need bytes on $MNT, and $free are free"
  if [ "$where" = disk ] && [ "$(sha256sum <"$dir/$NAME" | cut -d ' ' -f 1)" != "$sum" ]; then
    misfit "its checksum is not the one in its description: the file is damaged"
  fi
}

refuse_misfits() {
  [ "${#misfits[@]}" = 0 ] || die 5 "refused: $NAME does not fit: $(printf '%s; ' "${misfits[@]}" | sed 's/; $//'). Nothing was changed"
}

# The bucket's copy, whole or not at all, kept as a local dump until the next backup sweeps it.
fetch() {
  file=$dir/$NAME
  [ "$where" = bucket ] || return 0
  file=$dir/.fetched-$NAME
  log "fetching $NAME from $BUCKET ($bytes bytes)"
  (umask 077 && aws s3 cp --only-show-errors "s3://$BUCKET/$STACK/$NAME" "$file") || die 1 "$NAME could not be fetched from $BUCKET"
  [ "$(sha256sum <"$file" | cut -d ' ' -f 1)" = "$sum" ] ||
    die 5 "refused: the checksum of $NAME in $BUCKET is not the one in its description: it is damaged. Nothing was changed"
}

drop_scratch() {
  local limit
  limit=$(admin -v db="$scratch" <<<"SELECT datconnlimit FROM pg_database WHERE datname = :'db'") || return 1
  case $limit in
    '') return ;;
    # -2: PostgreSQL's own mark of a database whose removal was interrupted.
    0 | -2) admin -v db="$scratch" <<<'DROP DATABASE :"db" WITH (FORCE)' ;;
    *) die 5 "refused: a database $scratch exists that no restore of lhctl made; rename or drop it" ;;
  esac
}

# Ends a run that failed: what it made goes, and nothing else.
undo() {
  local rc=$?
  trap - EXIT
  rm -f "$dir/.fetched-$NAME"
  if [ "$rc" != 0 ]; then
    if [ -n "${loading:-}" ]; then
      if (drop_scratch); then log "the new database $scratch was dropped"; else log "the new database $scratch could not be dropped; the next restore does it"; fi
    fi
    failed "$rc"
  fi
  exit "$rc"
}
# Signals end the script by way of the same trap.
guard() {
  trap undo EXIT
  trap 'exit 143' TERM
  trap 'exit 130' INT
  trap 'exit 129' HUP
}

# The dump, whole, in the database $scratch, with its rows counted.
load() {
  local like settings differs
  drop_scratch
  loading=1
  # Encoding and locale of the database that it stands in for, where there is one.
  like=$(admin -v db="$INTO" <<<"SELECT format('ENCODING %L LC_COLLATE %L LC_CTYPE %L', pg_encoding_to_char(d.encoding), d.datcollate, d.datctype)
FROM pg_database d JOIN pg_database t ON t.datname = 'template0'
WHERE d.datname = :'db' AND (d.encoding, d.datcollate, d.datctype) <> (t.encoding, t.datcollate, t.datctype)")
  admin -v db="$scratch" <<<"CREATE DATABASE :\"db\" TEMPLATE template0 CONNECTION LIMIT 0 $like"
  if [ -n "$extension" ]; then
    log "creating the extension at the dump's version, $extension"
    sql -d "$scratch" -v version="$extension" <<<"CREATE EXTENSION timescaledb VERSION :'version'"
    sql -d "$scratch" <<<'SELECT timescaledb_pre_restore()' >/dev/null
  fi
  log "loading $NAME: $bytes bytes, packed"
  gzip -dc "$file" | docker exec -i timescaledb psql -Xq -v ON_ERROR_STOP=1 -o /dev/null -U postgres -d "$scratch" ||
    die 1 "$NAME did not load"
  if [ -n "$rows" ]; then
    log "counting rows"
    # No job may drop old chunks before they are counted: they run only after post_restore. This
    # session alone reads hypertables as such.
    differs=$(sql -d "$scratch" <<<"${extension:+SET timescaledb.restoring = off;} $COUNTS") || die 1 "the rows could not be counted"
    found=$differs
    differs=$(admin <<SQL
SELECT string_agg(format('%s has %s rows and had %s', coalesce(a.key, b.key), coalesce(b.value, 'no'), coalesce(a.value, 'none')), '; ')
FROM json_each_text($(quoted "$rows")) a FULL JOIN json_each_text($(quoted "$found")) b ON a.key = b.key
WHERE a.value IS DISTINCT FROM b.value
SQL
    )
    [ -z "$differs" ] || die 1 "the restored rows are not those of the dump: $differs"
  fi
  if [ -n "$extension" ]; then
    sql -d "$scratch" <<<'SELECT timescaledb_post_restore()' >/dev/null
    if [ "$extension" != "$newest" ]; then
      log "updating the extension from $extension to $newest"
      sql -d "$scratch" <<<'ALTER EXTENSION timescaledb UPDATE'
    fi
  fi
  sql -d "$scratch" <<<'ANALYZE'
  counted=$(admin <<<"SELECT concat(count(*), ' ', coalesce(sum(value::bigint), 0)) FROM json_each_text($(quoted "${rows:-{\}}"))")
}
