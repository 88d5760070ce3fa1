# Dumps, with a database that is a stand-in and a disk that is real.
# shellcheck shell=bash disable=SC2154,SC2086,SC2016 # mnt has no spaces; $$ quotes in SQL
db=lighthouse

backup() { /usr/local/bin/backup-timescaledb.sh >"$work/out" 2>&1; }
backup_fails() {
  local rc=0
  backup || rc=$?
  equal "$rc" 1 "$(cat "$work/out")"
  contains "$work/out" "$1"
}
# Its state before and after: names, sizes, contents.
listing() { find $mnt/backups -type f -exec sha256sum {} + | sort -k2; }

case_backup_rotates_only_after_success() {
  attach vol0123456789abcdef0 128M
  disk
  backup || { cat "$work/out"; fail "the first backup"; }
  local name
  name=$(basename "$(find $mnt/backups -name '*.sql.gz')")
  [[ $name =~ ^${db}_[0-9]{8}_[0-9]{6}\.sql\.gz$ ]] || fail "the name is $name"
  gzip -dc "$mnt/backups/$name" | grep -q 'CREATE TABLE' || fail "the dump is empty"
  contains "$mnt/backups/$name.json" "\"sha256\": \"$(sha256sum <"$mnt/backups/$name" | cut -d' ' -f1)\""
  contains "$mnt/backups/$name.json" '"timescaledb_version" : "2.17.2"'
  contains "$mnt/backups/$name.json" '"server_version" : "16.6"'
  contains "$SANDBOX/aws.log" "s3 cp --only-show-errors $mnt/backups/$name s3://lighthouse-backups-prod/lighthouse-prod/$name"
  equal "$(stat -c %a "$mnt/backups/$name")" 600

  # 36 days old, and a file that only looks similar.
  local old=${db}_20200101_000000.sql.gz
  mv "$mnt/backups/$name" "$mnt/backups/$old"
  mv "$mnt/backups/$name.json" "$mnt/backups/$old.json"
  cp "$mnt/backups/$old" "$mnt/backups/${db}_before_upgrade.sql.gz"
  touch -d '36 days ago' $mnt/backups/*
  local before
  before=$(listing)
  FAKE_DUMP=fails backup_fails "the dump failed"
  equal "$(listing)" "$before"
  FAKE_DUMP="cut" backup_fails "lacks its end"
  equal "$(listing)" "$before"
  FAKE_DOWN=1 backup_fails "does not answer"
  equal "$(listing)" "$before"
  FAKE_S3=fails backup_fails "not uploaded to lighthouse-backups-prod; older ones are kept"
  [ -f "$mnt/backups/$old" ] || fail "rotated without an upload"
  find $mnt/backups -name '*.sql.gz*' -mtime -1 -delete
  backup || { cat "$work/out"; fail "the last backup"; }
  equal "$(find $mnt/backups -name "$old*")" "" "did not rotate"
  [ -f "$mnt/backups/${db}_before_upgrade.sql.gz" ] || fail "removed what it did not make"
  equal "$(find $mnt/backups -name "${db}_2*.sql.gz" | wc -l)" 1
}

case_backup_full_disk() {
  attach vol0123456789abcdef0 64M
  disk
  backup
  local before
  mv $mnt/backups/*.sql.gz $mnt/backups/${db}_20200101_000000.sql.gz
  rm $mnt/backups/*.json
  touch -d '36 days ago' $mnt/backups/*.gz
  before=$(listing)
  # Really full: what root may take of the reserve as well.
  dd if=/dev/zero of=$mnt/filler bs=1M status=none 2>/dev/null || true
  cat /dev/zero >>$mnt/filler 2>/dev/null || true
  FAKE_DUMP=big backup_fails "the disk is too full for a dump of about"
  equal "$(listing)" "$before" "a full disk changed the backups"
  equal "$(find $mnt/backups -name '.partial*' | wc -l)" 0
}

# PostgreSQL writes to the same disk: what it needs is left, also where the dump is larger than the
# last one lets expect.
case_backup_leaves_room_for_the_database() {
  attach vol0123456789abcdef0 64M
  disk
  backup || { cat "$work/out"; fail "the first backup"; }
  local before free
  mv $mnt/backups/*.sql.gz $mnt/backups/${db}_20200101_000000.sql.gz
  before=$(listing)
  free=$(df -B1 --output=avail $mnt | tail -n 1)
  head -c $((free - 7000000)) /dev/urandom >$mnt/filler
  FAKE_DUMP=big backup_fails "the dump failed, or the disk is too full for it"
  equal "$(listing)" "$before" "the backups changed"
  [ "$(df -B1 --output=avail $mnt | tail -n 1)" -gt 6000000 ] || fail "what was written stayed"
  rm $mnt/filler
  FAKE_DUMP=big backup || { cat "$work/out"; fail "with room"; }
}

# A dump whose rows nobody could count is a dump.
case_backup_without_counts_is_a_backup_still() {
  stocked
  q "ALTER DATABASE lighthouse SET default_transaction_read_only = on"
  rm $mnt/backups/*
  sends backup
  contains "$work/err" "warning: the rows could not be counted"
  name=$(answer file)
  equal "$(answer rows)" ""
  q "ALTER DATABASE lighthouse RESET default_transaction_read_only" postgres
  sends restore
  equal "$(answer compared)" false
}

# What a restore fetched and a crash left; one that a restore is at work on stays.
case_backup_sweeps_what_a_restore_left() {
  attach vol0123456789abcdef0 64M
  disk
  mkdir -p $mnt/backups
  : >$mnt/backups/.fetched-x
  exec 7>/run/lhctl/restore.lock
  flock 7
  backup || { cat "$work/out"; fail "beside a restore"; }
  [ -e $mnt/backups/.fetched-x ] || fail "took it from a restore"
  flock -u 7
  rm $mnt/backups/*.gz*
  backup || { cat "$work/out"; fail "after it"; }
  [ ! -e $mnt/backups/.fetched-x ] || fail "left it"
}

case_backup_without_volume() {
  backup_fails "is not mounted"
  [ ! -e $mnt/backups ] || fail "wrote to the root disk"
}

# FACTS: local backups lie on the data volume itself; here they leave it too,
# and two at once do not meet.
case_backup_one_at_a_time() {
  attach vol0123456789abcdef0 64M
  disk
  exec 7>/run/lhctl/backup.lock
  flock 7
  local rc=0
  backup || rc=$?
  equal "$rc" 16 "$(cat "$work/out")"
  contains "$work/out" "another backup is running on this host"
  flock -u 7
  # What a killed run left goes.
  mkdir -p $mnt/backups
  : >$mnt/backups/.partial-x
  backup
  equal "$(find $mnt/backups -name '.partial*' | wc -l)" 0
}
