# Dumps put back, on a real PostgreSQL with a stand-in for the extension.
# shellcheck shell=bash disable=SC2154,SC2031,SC2030,SC2086,SC2016 # mnt has no spaces; $$ quotes in SQL

q() { docker exec -i timescaledb psql -XqAt -v ON_ERROR_STOP=1 -U postgres -d "${2:-lighthouse}" <<<"$1"; }
databases() { q "SELECT coalesce(string_agg(datname, ' ' ORDER BY datname), '') FROM pg_database WHERE datname NOT LIKE 'template%' AND datname <> 'postgres'"; }
# send NAME OF THE SCRIPT: as it was rendered, with $name, $into, $from and $only put in. Like a
# job of Run Command it leads a process group.
send() {
  sed -e "s/@NAME@/${name:-}/; s/@INTO@/${into:-}/; s/@FROM@/${from:-}/; s/@ONLY@/${only:-}/" "$work/sent/$1" >"$work/script"
  setsid -w bash "$work/script" >"$work/out" 2>"$work/err"
}
sends() { send "$@" || { cat "$work/out" "$work/err" >&2; fail "$1"; }; }
# send_fails SCRIPT CODE TEXT
send_fails() {
  local rc=0
  send "$1" || rc=$?
  equal "$rc" "$2" "$(cat "$work/err")"
  contains "$work/err" "$3"
  equal "$(databases)" "$before" "what a failed run left"
}
# What a file holds comes as text.
answer() { tail -n 1 "$work/out" | python3 -c 'import json, sys; value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = json.loads(value) if isinstance(value, str) else value
    value = value[int(key)] if isinstance(value, list) else value[key]
print("" if value is None else str(value).lower() if isinstance(value, bool) else value)' "$1"; }

# A host with a database that has rows, and a dump of it: $name.
stocked() {
  real_postgres
  attach vol0123456789abcdef0 "${1:-512M}"
  export FAKE_SECRET=pw-of-this-test-only
  setup || { cat "$work/out"; fail "setup"; }
  q "CREATE TABLE checks (n int CHECK (hyper_ok()), status text); INSERT INTO checks SELECT i, 'up' FROM generate_series(1, 1000) i;
CREATE SCHEMA app; CREATE TABLE app.users (id int PRIMARY KEY); INSERT INTO app.users SELECT generate_series(1, 7);
CREATE TABLE app.part (n int) PARTITION BY RANGE (n); CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES FROM (0) TO (10); INSERT INTO app.part VALUES (1), (2);
CREATE ROLE reader; GRANT SELECT ON checks TO reader; REVOKE CONNECT ON DATABASE lighthouse FROM PUBLIC; GRANT CONNECT ON DATABASE lighthouse TO reader;
ALTER DATABASE lighthouse SET search_path = public, app; ALTER DATABASE lighthouse SET work_mem = '5MB';"
  sends backup
  name=$(answer file)
  equal "$(answer rows)" "{'app.part': 2, 'app.part_1': 2, 'app.users': 7, 'public.checks': 1000}" "counts"
  before=$(databases)
}
loses_rows() { q "DELETE FROM checks WHERE n > 10; DROP TABLE app.part; UPDATE checks SET status = 'lost'"; }
is_as_dumped() {
  equal "$(q "SELECT count(*) || ' ' || min(status) FROM checks")" "1000 up"
  equal "$(q 'SELECT count(*) FROM app.part')" 2
}

case_restore_puts_back_what_was_lost_and_keeps_the_old_one() {
  stocked
  loses_rows
  sends restore-plan
  equal "$(answer misfits)" "[]"
  equal "$(answer into) $(answer from) $(answer counts) $(answer dump_timescaledb)" "lighthouse disk true 2.17.2"
  equal "$(databases)" "$before" "a plan changed something"
  # Somebody is connected, and comes back.
  sends restore
  is_as_dumped
  equal "$(answer compared) $(answer rows) $(answer tables)" "true 1011 4"
  local kept
  kept=$(answer kept)
  [[ $kept =~ ^lighthouse_before_[0-9]{8}_[0-9]{6}$ ]] || fail "kept as $kept"
  equal "$(databases)" "lighthouse $kept"
  # The old one is out of reach of clients and jobs, and whole.
  ! q 'SELECT 1' "$kept" 2>/dev/null || fail "$kept takes connections"
  q "ALTER DATABASE $kept ALLOW_CONNECTIONS true"
  equal "$(q 'SELECT count(*) FROM checks' "$kept")" 10
  q "ALTER DATABASE $kept ALLOW_CONNECTIONS false"
  # What belongs to the database itself.
  equal "$(q 'SHOW search_path'), $(q 'SHOW work_mem'), $(q "SELECT current_setting('timescaledb.restoring', true)")" "public, app, 5MB, "
  equal "$(q "SELECT datconnlimit || ' ' || has_database_privilege('reader', 'lighthouse', 'CONNECT') || ' ' || (datacl::text LIKE '%{=%Tc%') FROM pg_database WHERE datname = 'lighthouse'")" "-1 true false"
  sends backups
  equal "$(answer retained.0.name)" "$kept"
  equal "$(answer retained.0.why)" "lhctl: before the restore of $name"
  sends restore-plan
  equal "$(answer note)" "lhctl: restored from $name"
  # Given up by its name, and no other.
  q "CREATE DATABASE lighthouse_before_20200101_000000"
  only="lighthouse lighthouse_before_20200101_000000 $kept" sends release
  equal "$(databases)" "lighthouse lighthouse_before_20200101_000000"
  is_as_dumped
  # Renamed, it had lost TimescaleDB's workers.
  equal "$(q "SELECT obj_description('_timescaledb_functions'::regnamespace)")" "started in lighthouse"
}

# A file that a crash left damaged: what it says is lost, and nothing else.
case_a_damaged_note_damages_nothing_else() {
  stocked
  printf '{"file": "x\n' >"$mnt/backups/$name.json"
  printf '\001{"resu' >"$mnt/backups/last-drill.json"
  sends backups
  equal "$(answer on_disk.0.name) $(answer on_disk.0.checksum) $(answer on_disk.0.about)" "$name bad {\"file\": \"x"
  equal "$(answer last_drill) $(answer drill_kept)" '{"resu true'
  state
  python3 -m json.tool <"$work/status" >/dev/null || fail "$(cat "$work/status")"
  contains "$work/status" '"ready":true'
  contains "$work/status" '"last_drill":"{\"resu","drill_kept":true'
  rm $mnt/backups/*
  state
  contains "$work/status" '"last_backup":null,"backup":null,"last_drill":null,"drill_kept":false'
}

# Rows that come between counting and dumping are in neither.
case_backup_counts_in_the_snapshot_of_the_dump() {
  stocked
  # Names are seconds, and this test may take less than one.
  rm $mnt/backups/*
  FAKE_MEANWHILE="INSERT INTO checks VALUES (0, 'late')" sends backup
  name=$(answer file)
  equal "$(q 'SELECT count(*) FROM checks')" 1001
  equal "$(gzip -dc "$mnt/backups/$name" | grep -c late)" 0 "the dump has its own snapshot"
  contains "$mnt/backups/$name.json" '"public.checks" : 1000'
  sends restore
  is_as_dumped
}

# Guide, defect 1: the container is stopped before `docker exec` in it. Nothing stops it here.
case_guide_defect_01_restore_never_stops_the_container() {
  stocked
  local pid
  pid=$(head -n 1 $mnt/postgres/postmaster.pid)
  : >"$SANDBOX/docker.log"
  sends restore
  is_as_dumped
  ! grep -vE '^exec ' "$SANDBOX/docker.log" || fail "called docker for more than exec"
  equal "$(head -n 1 $mnt/postgres/postmaster.pid)" "$pid" "the server was restarted"
}

# Guide, defect 2: a dump goes into the live database, and psql ends with 0 after its errors.
case_guide_defect_02_restore_never_pipes_into_the_live_database() {
  stocked
  loses_rows
  # A dump that ends in an error, with a checksum that is right.
  gzip -dc "$mnt/backups/$name" | sed 's/^COPY app.users.*/COPY app.nobody (id) FROM stdin;/' | gzip >"$work/new"
  cat "$work/new" >"$mnt/backups/$name"
  describe "$name"
  send_fails restore 1 "did not load"
  contains "$work/err" "the new database lhctl_restoring was dropped"
  contains "$work/err" "lighthouse was not touched"
  equal "$(q "SELECT count(*) || ' ' || min(status) FROM checks")" "10 lost" "the live database was changed"
  # And one that loads, without all of its rows.
  gzip -dc "$mnt/backups/$name" | sed 's/app.nobody/app.users/; /^500\tup$/d' | gzip >"$work/new"
  cat "$work/new" >"$mnt/backups/$name"
  describe "$name"
  send_fails restore 1 "public.checks has 999 rows and had 1000"
  equal "$(q "SELECT count(*) || ' ' || min(status) FROM checks")" "10 lost" "the live database was changed"
  [ ! -e "$SANDBOX/psql-live" ] || fail "the dump reached the live database"
}
# describe NAME: size and checksum, as they are now, in the description.
describe() {
  python3 - "$mnt/backups/$1" "${2:-}" <<'PY'
import hashlib, json, os, sys
path = sys.argv[1]
about = json.load(open(path + ".json"))
data = open(path, "rb").read()
about.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
about.update(json.loads(sys.argv[2] or "{}"))
json.dump(about, open(path + ".json", "w"))
PY
}

case_restore_refuses_what_does_not_fit() {
  stocked
  local good
  good=$(cat "$mnt/backups/$name.json")
  describe "$name" '{"database": "other"}'
  send_fails restore 5 "it is a dump of the database other, and this stack's is lighthouse"
  describe "$name" '{"database": "lighthouse", "server_version": "99.1"}'
  send_fails restore 5 "it was made by PostgreSQL 99.1"
  describe "$name" '{"server_version": "15.1", "timescaledb_version": "2.9.0"}'
  send_fails restore 5 "needs TimescaleDB 2.9.0, whose library this image (timescale/timescaledb:2.17.2-pg16) does not carry"
  describe "$name" '{"timescaledb_version": "2.17.2", "database_bytes": 99999999999}'
  send_fails restore 5 "and $(df -B1 --output=avail $mnt | tail -n 1 | tr -d ' ') are free"
  echo '{}' >"$mnt/backups/$name.json"
  send_fails restore 5 "the description of $name cannot be read"
  echo 'nonsense' >"$mnt/backups/$name.json"
  send_fails restore 5 "the description of $name cannot be read"
  rm "$mnt/backups/$name.json"
  send_fails restore 5 "has no description beside it"
  echo "$good" >"$mnt/backups/$name.json"
  echo x >>"$mnt/backups/$name"
  send_fails restore 5 "its checksum is not the one in its description"
  # A plan tells all reasons at once.
  describe "$name" '{"database": "other", "server_version": "99.1"}'
  sends restore-plan
  [[ $(answer misfits.0) == *other* && $(answer misfits.1) == *99.1* ]] || fail "$(cat "$work/out")"
  into=template1 send_fails restore 5 "no database to restore into"
  name='..\/x.sql.gz'
  send_fails restore 5 "is not the name of a dump"
}

case_restore_beside_into_another_database() {
  stocked
  into=copy sends restore
  equal "$(answer kept)" ""
  equal "$(databases)" "copy lighthouse"
  equal "$(q 'SELECT count(*) FROM checks' copy)" 1000
  equal "$(q "SELECT datconnlimit FROM pg_database WHERE datname = 'copy'")" -1
  # A database that somebody else calls so is not dropped.
  q 'CREATE DATABASE lhctl_restoring'
  before=$(databases)
  send_fails restore 5 "a database lhctl_restoring exists that no restore of lhctl made"
}

case_restore_from_the_bucket_when_the_volume_was_lost() {
  stocked
  rm $mnt/backups/*
  FAKE_S3=fails send_fails restore 5 "its description cannot be read from lighthouse-backups-prod"
  sends backups
  equal "$(answer in_bucket.0.name) $(answer in_bucket.0.described) $(answer on_disk)" "$name true []"
  loses_rows
  sends restore
  is_as_dumped
  equal "$(find $mnt/backups -name '.fetched*')" "" "the fetched dump was left"
  before=$(databases)
  echo x >>"$SANDBOX/s3/lighthouse-backups-prod/lighthouse-prod/$name"
  send_fails restore 5 "the checksum of $name in lighthouse-backups-prod is not the one"
  FAKE_S3=fails sends backups
  contains "$work/out" '"bucket_unread":"An error occurred (AccessDenied)'
}

# Killed with everything it started, before and after each of its calls: the database is the old
# one or the new one, whole, and the next run, killed one call later, goes on from what was left.
# What restores replaced and kept, closed to sessions.
kept() { q "SELECT count(*) FROM pg_database WHERE datname LIKE 'lighthouse_before_%' AND NOT datallowconn"; }

# A restore keeps what it replaced once: when it is complete, or killed after the swap took effect.
# How many calls it takes may differ: names are swapped again where somebody came in between.
case_restore_converges_after_every_interruption() {
  stocked
  local after n rc calls=0 seen had swapped
  for after in "" 1; do
    swapped=
    q "UPDATE checks SET status = 'old'"
    for n in {1..99}; do
      had=$(kept)
      echo 0 >"$SANDBOX/calls"
      rc=0
      FAKE_KILL=$n FAKE_AFTER=$after send restore || rc=$?
      seen=$(q "SELECT count(*) || ' ' || min(status) || ' ' || max(status) FROM checks")
      had=$(($(kept) - had))
      [ "$rc" != 0 ] || break
      [ "$rc" = 137 ] || { cat "$work/err" >&2; fail "call $n ended with $rc"; }
      [ "$had" = 0 ] || [ "$had" = 1 ] || fail "after call $n: $had more kept"
      # One is kept when, and only when, the dump has taken the place.
      [ "$had" = 0 ] || swapped=1
      equal "$seen" "$([ -n "$swapped" ] && echo 1000 up up || echo 1000 old old)" "after call $n"
    done
    equal "$had" 1 "kept by the whole restore"
    is_as_dumped
    ! databases | grep -q lhctl_ || fail "left $(databases)"
    calls=$((calls + n))
  done
  [ "$calls" -gt 30 ] || fail "only $calls calls were interrupted"
  [ "$(kept)" -ge 3 ] || fail "no restore was killed after its swap: $(databases)"
}

# The disk fills up while the dump is being loaded.
case_restore_disk_full() {
  stocked 256M
  loses_rows
  rm $mnt/backups/*
  q "CREATE TABLE filler AS SELECT repeat(md5(i::text), 20) FROM generate_series(1, 40000) i"
  # Its second may be that of the first one, which is gone from the disk.
  sends backup
  name=$(answer file)
  q "DROP TABLE filler; CHECKPOINT"
  describe "$name" '{"database_bytes": 1000}'
  dd if=/dev/zero of=$mnt/filler bs=1M count=$(($(df -BM --output=avail $mnt | tail -n 1 | tr -dc 0-9) - 16)) status=none
  local rc=0 postmaster
  postmaster=$(head -n 1 $mnt/postgres/postmaster.pid)
  send restore || rc=$?
  equal "$rc" 1 "$(cat "$work/err")"
  contains "$work/err" "lighthouse was not touched"
  rm $mnt/filler
  equal "$(head -n 1 $mnt/postgres/postmaster.pid)" "$postmaster" "the server was restarted"
  kill -0 "$postmaster" || fail "the server is gone"
  # Where the log of changes met the full disk first, the server may still be recovering: what starts
  # it anew waits for its end and for its beginning.
  docker stop timescaledb
  docker compose -f /opt/docker-compose.yml up -d
  equal "$(q "SELECT count(*) || ' ' || min(status) FROM checks")" "10 lost"
  sends restore
  equal "$(answer compared)" true
}

# A dump of an older extension: created at that version, updated once it is loaded.
case_restore_of_an_older_extension_updates_it_afterwards() {
  stocked
  extension "$("$PGBIN/pg_config" --sharedir)/extension" 2.18.0
  sends restore
  contains "$work/err" "creating the extension at the dump's version, 2.17.2"
  contains "$work/err" "updating the extension from 2.17.2 to 2.18.0"
  is_as_dumped
  equal "$(q 'SELECT new_in_2_18()')" 1
}

# Guide, defect 12: a backup counts as good by its status. Here by having been restored.
case_guide_defect_12_a_backup_counts_when_it_was_restored() {
  stocked
  loses_rows
  from=disk sends drill
  equal "$(answer result) $(answer backup) $(answer from) $(answer rows) $(answer compared)" "passed $name disk 1011 true"
  equal "$(databases)" "$before" "the scratch database was left"
  cmp -s <(tail -n 1 "$work/out") $mnt/backups/last-drill.json || fail "not noted: $(cat $mnt/backups/last-drill.json)"
  state
  contains "$work/status" '"last_drill":"{\"result\":\"passed\"'
  contains "$work/status" "\"last_backup\":\"$name\",\"backup\":\"{\\\"database\\\" : \\\"lighthouse\\\""
  ! grep -q '"rows": {' "$work/status" || fail "the status names every table"
  python3 -m json.tool "$work/status" >/dev/null || fail "$(cat "$work/status")"
  # What lies in the bucket is another file: it is the one that is tried where there is one.
  echo x >>"$SANDBOX/s3/lighthouse-backups-prod/lighthouse-prod/$name"
  local rc=0
  send drill || rc=$?
  equal "$rc" 5
  contains $mnt/backups/last-drill.json '"result":"failed","reason":"the checksum of'
  state
  contains "$work/status" '"last_drill":"{\"result\":\"failed\"'
  # Complete, of a size over 0, with a checksum that is right, and of no use.
  gzip -dc "$mnt/backups/$name" | sed '/^500\tup$/d' | gzip >"$work/new"
  cat "$work/new" >"$mnt/backups/$name"
  describe "$name"
  from=disk send_fails drill 1 "public.checks has 999 rows and had 1000"
  contains $mnt/backups/last-drill.json 'public.checks has 999 rows and had 1000'
  equal "$(q 'SELECT count(*) FROM checks')" 10
}

# Guide, defect 11: backups lie on the data volume itself. A drill takes the bucket's copy.
case_guide_defect_11_backups_leave_the_volume_and_are_tried_from_there() {
  stocked
  rm $mnt/backups/*
  sends drill
  equal "$(answer result) $(answer from) $(answer backup)" "passed bucket $name"
  rm -r "$SANDBOX/s3"
  send_fails drill 1 "there is no dump of lighthouse on the bucket"
  contains $mnt/backups/last-drill.json '"result":"passed"'
}

case_backups_are_listed_with_what_is_known() {
  stocked
  sends backups
  equal "$(answer on_disk.0.name) $(answer on_disk.0.checksum) $(answer on_disk.0.about.timescaledb_version)" "$name unchecked 2.17.2"
  sends backups-check
  equal "$(answer on_disk.0.checksum)" good
  printf x | dd of="$mnt/backups/$name" bs=1 seek=100 conv=notrunc status=none
  sends backups-check
  equal "$(answer on_disk.0.checksum)" bad
  echo x >>"$mnt/backups/$name"
  sends backups
  equal "$(answer on_disk.0.checksum)" bad "a size that is not the described one"
  rm "$mnt/backups/$name.json"
  sends backups
  equal "$(answer on_disk.0.checksum)" missing
  docker stop timescaledb
  sends backups
  equal "$(answer retained)" "" "without a database"
}

# Neither says anything of the dumps that there are.
case_drill_that_was_interrupted_or_had_no_dump_notes_nothing() {
  stocked
  local rc signal at record=$mnt/backups/last-drill.json
  mkdir "$work/aside"
  mv $mnt/backups/lighthouse* "$work/aside"
  from=disk send_fails drill 1 "there is no dump of lighthouse on the disk"
  [ ! -e $record ] || fail "noted: $(cat $record)"
  mv "$work"/aside/* $mnt/backups
  from=disk sends drill
  cp $record "$work/record"
  # While it loads, while it counts, and at its end.
  for at in 'CREATE SCHEMA app' pg_temp ANALYZE; do
    for signal in TERM INT HUP; do
      rc=0
      FAKE_KILL_SQL=$at FAKE_KILL_DB=lhctl_drill FAKE_SIGNAL=$signal from=disk send drill || rc=$?
      [ "$rc" -gt 128 ] || fail "ended with $rc: $(cat "$work/err")"
      equal "$(databases)" "$before" "what an interrupted drill left"
      cmp $record "$work/record" || fail "noted after $signal at $at: $(cat $record)"
    done
  done
  mv $mnt/backups/lighthouse* "$work/aside"
  from=disk send_fails drill 1 "there is no dump of lighthouse on the disk"
  cmp $record "$work/record" || fail "noted without a dump: $(cat $record)"
}

case_drill_that_failed_keeps_when_one_passed() {
  stocked
  local passed record=$mnt/backups/last-drill.json
  passed_at() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$record" "$1"; }
  # A record of before this was kept.
  from=disk sends drill
  equal "$(passed_at last_passed)" "$(passed_at at)"
  sed -i -e 's/,"last_passed":[0-9]*//' -e 's/"at":[0-9]*/"at":1700000000/' $record
  passed=1700000000
  echo x >>"$mnt/backups/$name"
  for _ in 1 2; do
    from=disk send_fails drill 5 "its checksum is not the one in its description"
    equal "$(passed_at result) $(passed_at last_passed)" "failed $passed"
    equal "$(passed_at reason)" "$name does not fit: its checksum is not the one in its description: the file is damaged"
  done
  state
  contains "$work/status" "\\\"last_passed\\\":$passed"
  sends backups
  equal "$(answer last_drill.last_passed)" $passed
  # None ever did.
  rm $record
  from=disk send_fails drill 5 "its checksum"
  equal "$(passed_at last_passed)" None
}

case_restore_under_a_new_name_swaps_nothing() {
  stocked
  into=copy sends restore
  ! grep -q 'swapping\|sessions of' "$work/err" || fail "$(cat "$work/err")"
  contains "$work/err" "naming the new database copy"
  into=copy sends restore
  contains "$work/err" "swapping names: sessions of copy end now"
}

case_restore_from_a_bucket_that_the_stack_does_not_name() {
  stocked
  sed -i "s/^BUCKET=.*/BUCKET=''/" /etc/lhctl/host.conf
  from=bucket send_fails restore 5 "the stack names no bucket"
  from=bucket send_fails drill 5 "the stack names no bucket"
}

# One server may hold the databases of several stacks.
case_release_leaves_what_other_stacks_kept() {
  stocked
  local stamp=20200101_000000 own other=app_lighthouse_before_20200101_000000
  of_another() {
    q "CREATE DATABASE $1"
    q "COMMENT ON DATABASE $1 IS 'lhctl: before the restore of $2'"
    q "ALTER DATABASE $1 ALLOW_CONNECTIONS false"
  }
  of_another $other "app_lighthouse_$stamp.sql.gz"
  of_another lighthouse_before_${stamp}_before_$stamp "x_$stamp.sql.gz"
  # Kept for this stack's database, by a stack of another one.
  of_another lighthouse_before_$stamp "x_$stamp.sql.gz, by the stack of app"
  sends restore
  own=$(answer kept)
  # What this stack replaced beside its own database is its own to give up.
  q 'CREATE DATABASE copy'
  into=copy sends restore
  own+=" $(answer kept)"
  for script in retained backups; do
    sends $script
    equal "$(answer retained.0.name) $(answer retained.1.name)" "$own" "$script"
    ! grep -q "$stamp\"" "$work/out" || fail "$script: $(cat "$work/out")"
  done
  before="$(databases)"
  only="$other lighthouse_before_$stamp lighthouse_before_${stamp}_before_$stamp" sends release
  equal "$(databases)" "$before" "dropped what another stack kept"
  only="$other $own" sends release
  equal "$(databases)" "$other copy lighthouse lighthouse_before_$stamp lighthouse_before_${stamp}_before_$stamp"
}
