# Restores a dump beside the database that serves, and swaps their names. Run again after an
# interruption at any statement, it begins anew. Exit status 5: refused, nothing was changed.
scratch=lhctl_restoring
failed() { log "$INTO was not touched"; }

find_dump
look
plan() {
  local m all=
  for m in "${misfits[@]}"; do all+=",$(text <<<"$m")"; done
  echo "{\"name\":$(text <<<"$NAME"),\"from\":\"$where\",\"into\":$(text <<<"$INTO"),\"replaces_bytes\":${target:-null},\
\"note\":$(text <<<"$note"),\"database\":$(text <<<"$from_database"),\"taken\":$taken,\"now\":$(date -u +%s),\
\"bytes\":$bytes,\"needs_bytes\":$need,\"free_bytes\":$free,\"dump_server\":$(text <<<"$from_server"),\"server\":$(text <<<"$server"),\
\"dump_timescaledb\":$(text <<<"$extension"),\"timescaledb\":$(text <<<"$newest"),\"counts\":$([ -n "$rows" ] && echo true || echo false),\
\"misfits\":[${all:1}]}"
}
if [ "$MODE" = plan ]; then
  plan
  exit
fi
refuse_misfits
began=$SECONDS
guard
fetch
load

# What belongs to the database itself and not to its content: owner, limits, settings, rights.
adopt() {
  local all
  all=$(admin -v old="$INTO" -v new="$scratch" <<'SQL'
WITH o AS (SELECT * FROM pg_database WHERE datname = :'old')
SELECT format('ALTER DATABASE %I OWNER TO %I;', :'new', pg_get_userbyid(datdba)) FROM o
UNION ALL SELECT format('ALTER DATABASE %I SET %I TO %s;', :'new', split_part(one, '=', 1),
CASE WHEN split_part(one, '=', 1) IN ('search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries')
THEN substr(one, strpos(one, '=') + 1) ELSE quote_literal(substr(one, strpos(one, '=') + 1)) END)
FROM o JOIN pg_db_role_setting s ON s.setdatabase = o.oid AND s.setrole = 0, unnest(s.setconfig) one
WHERE one NOT LIKE 'timescaledb.restoring=%'
UNION ALL SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC;', :'new') FROM o WHERE datacl IS NOT NULL
UNION ALL SELECT format('GRANT %s ON DATABASE %I TO %s%s;', privilege_type, :'new',
CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM o, aclexplode(datacl)
SQL
  )
  [ -z "$all" ] || admin <<<"$all"
}

# Both names change in one transaction, or neither. Renaming locks the database: who comes back in
# between waits, and finds the new one. The old one takes no sessions any more, so that neither a
# client nor a job of TimescaleDB changes what is kept.
swap() {
  local limit text
  text="lhctl: before the restore of $NAME"
  # Whose it is to give up, where its name does not say so.
  [ "${kept%_before_*}" = "$DATABASE" ] || text+=", by the stack of $DATABASE"
  limit=$(admin -v db="$INTO" <<<"SELECT datconnlimit FROM pg_database WHERE datname = :'db'")
  if [ -z "$limit" ]; then
    admin -v db="$INTO" -v new="$scratch" >/dev/null <<'SQL'
SET client_min_messages = error;
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = :'new' AND pid <> pg_backend_pid();
BEGIN;
ALTER DATABASE :"new" RENAME TO :"db";
ALTER DATABASE :"db" CONNECTION LIMIT -1;
COMMIT;
SQL
    return
  fi
  admin -v db="$INTO" -v new="$scratch" -v kept="$kept" -v text="$text" -v now="lhctl: restored from $NAME" -v limit="$limit" >/dev/null <<'SQL'
SET client_min_messages = error;
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname IN (:'db', :'new') AND pid <> pg_backend_pid();
BEGIN;
ALTER DATABASE :"db" RENAME TO :"kept";
ALTER DATABASE :"new" RENAME TO :"db";
ALTER DATABASE :"kept" ALLOW_CONNECTIONS false;
ALTER DATABASE :"db" CONNECTION LIMIT :limit;
COMMENT ON DATABASE :"kept" IS :'text';
COMMENT ON DATABASE :"db" IS :'now';
COMMIT;
SQL
}

[ -z "$target" ] || adopt
if [ -n "$target" ]; then log "swapping names: sessions of $INTO end now"; else log "naming the new database $INTO"; fi
for try in {1..6}; do
  kept=${target:+${INTO:0:40}_before_$(date -u +%Y%m%d_%H%M%S)}
  from=${EPOCHREALTIME/./}
  if swap; then break; fi
  # A client may connect between the end of its session and the lock.
  [ "$try" -lt 6 ] || die 1 "the names could not be swapped: other sessions keep $INTO busy"
  log "another session came in between: trying again"
  sleep 1
done
loading=
# A database that is renamed loses TimescaleDB's workers: without them no policy is carried out. The
# function was in another schema before 2.12.
workers="SELECT _timescaledb_functions.start_background_workers()"
[ -z "$extension" ] || sql -d "$INTO" >/dev/null 2>&1 <<<"$workers" || sql -d "$INTO" >/dev/null 2>&1 <<<"${workers/functions/internal}" ||
  log "warning: TimescaleDB's background workers were not started in $INTO: in psql there, $workers;"
downtime=$(((${EPOCHREALTIME/./} - from) / 1000))
log "$INTO is what $NAME holds${kept:+; what it was before is $kept}"
echo "{\"name\":$(text <<<"$NAME"),\"database\":$(text <<<"$INTO"),\"kept\":$([ -n "$kept" ] && text <<<"$kept" || echo null),\
\"tables\":${counted% *},\"rows\":${counted#* },\"compared\":$([ -n "$rows" ] && echo true || echo false),\
\"downtime_ms\":$downtime,\"seconds\":$((SECONDS - began))}"
