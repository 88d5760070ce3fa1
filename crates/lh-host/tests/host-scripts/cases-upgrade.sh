# Another image under the same data, on a real PostgreSQL with stand-ins for images.
# shellcheck shell=bash disable=SC2154,SC2031,SC2030,SC2086,SC2016 # mnt has no spaces; $$ quotes in SQL

# image TAG VERSION OLD…: an image that brings VERSION of the extension and the libraries of OLD.
image() {
  local dir=$FAKE_IMAGES/timescaledb:$1 old
  mkdir -p "$dir"
  extension "$dir" "$2"
  {
    echo "libc ${libc:-glibc}"
    echo "postgres (PostgreSQL) ${major:-$("$PGBIN/postgres" --version | grep -o '[0-9.]*' | head -n 1)}"
    echo "default $2"
    for old in "${@:2}"; do echo "timescaledb-$old.so"; done
    for old in "${@:3}"; do echo "timescaledb--$old--$2.sql"; done
  } >"$dir/carried"
}
upgradable() {
  export FAKE_IMAGES=$work/images
  mkdir "$FAKE_IMAGES"
  stocked
  image 2.17.2-pg16 2.17.2
  q 'CREATE EXTENSION timescaledb' template1
  q 'CREATE DATABASE other'
}
compose_image() { sed -n 's/^ *image: "\(.*\)"/\1/p' /opt/docker-compose.yml; }
extensions() { for db in lighthouse other template1; do q "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'" $db; done | tr '\n' ' '; }
send_refused() {
  local rc=0
  send "$1" || rc=$?
  equal "$rc" "$2" "$(cat "$work/err")"
  contains "$work/err" "$3"
}

# Guide, defect 3: a floating tag is pulled, and the extension is never updated.
case_guide_defect_03_an_upgrade_updates_the_extension_everywhere() {
  upgradable
  image 2.18.0-pg16 2.18.0 2.17.2
  sends upgrade-plan
  equal "$(answer needed) $(answer misfits) $(answer timescaledb)" "true [] 2.18.0"
  equal "$(answer databases.0.name) $(answer databases.2.name)" "lighthouse template1"
  equal "$(compose_image)" timescale/timescaledb:2.17.2-pg16 "a plan changed something"
  sends upgrade
  equal "$(extensions)" "2.18.0 2.18.0 2.18.0 "
  equal "$(compose_image)" timescale/timescaledb:2.18.0-pg16
  grep -q "IMAGE='timescale/timescaledb:2.18.0-pg16'" /etc/lhctl/host.conf || fail "the configuration names another image"
  is_as_dumped
  [ ! -e /var/lib/lhctl/before-upgrade ] || fail "what was kept for the way back was left"
  sends upgrade
  equal "$(answer needed)" false
}

# Names of databases are their owners' business.
case_upgrade_serves_a_database_of_any_name() {
  upgradable
  image 2.18.0-pg16 2.18.0 2.17.2
  q 'CREATE DATABASE "Odd ""name"'
  sends upgrade-plan
  equal "$(answer misfits) $(answer databases.0.name) $(answer databases.0.timescaledb)" '[] Odd "name 2.17.2'
  sends upgrade
  equal "$(q "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'" 'Odd "name')" 2.18.0
  sends upgrade
  equal "$(answer needed)" false
}

case_upgrade_refuses_what_does_not_fit() {
  upgradable
  send_refused upgrade 1 "cannot be pulled"
  major=99.1 image 2.18.0-pg16 2.18.0 2.17.2
  send_refused upgrade 5 "it has PostgreSQL 99.1, and the data are of"
  image 2.18.0-pg16 2.18.0
  send_refused upgrade 5 "it does not carry the library of TimescaleDB 2.17.2, which the database lighthouse has"
  libc=musl image 2.18.0-pg16 2.18.0 2.17.2
  send_refused upgrade 5 "its C library is musl, and that of the running image glibc"
  equal "$(compose_image) $(extensions)" "timescale/timescaledb:2.17.2-pg16 2.17.2 2.17.2 2.17.2 "
}

# A new instance whose stack names another kind of image, with the volume of before.
case_data_are_not_served_under_another_c_library() {
  upgradable
  libc=musl image 2.18.0-pg16 2.18.0 2.17.2
  equal "$(cat $mnt/libc)" "timescale/timescaledb:2.17.2-pg16 glibc"
  docker stop timescaledb
  sed -i 's/2.17.2-pg16/2.18.0-pg16/' /etc/lhctl/host.conf /opt/docker-compose.yml
  local rc=0
  setup || rc=$?
  equal "$rc" 1 "$(cat "$work/out")"
  contains "$work/out" "the data are of timescale/timescaledb:2.17.2-pg16, whose C library is glibc, and that of timescale/timescaledb:2.18.0-pg16 is musl"
  ! docker exec timescaledb pg_isready -q -h 127.0.0.1 || fail "it was started"
  libc=glibc image 2.18.0-pg16 2.18.0 2.17.2
  setup || { cat "$work/out"; fail "an image of the same kind"; }
  equal "$(cat $mnt/libc)" "timescale/timescaledb:2.18.0-pg16 glibc"
}

# Ctrl-C, or the deadline: what does not end within seconds is killed, and the way back takes longer.
case_upgrade_goes_back_though_it_is_killed_on_the_way() {
  upgradable
  image 2.18.0-pg16 2.18.0 2.17.2
  touch "$FAKE_IMAGES/timescaledb:2.18.0-pg16/broken"
  # The image of before says when it is about to start, and waits for leave.
  mkfifo "$FAKE_IMAGES/timescaledb:2.17.2-pg16/starting" "$FAKE_IMAGES/timescaledb:2.17.2-pg16/leave"
  setsid bash "$work/sent/upgrade" >"$work/out" 2>"$work/err" &
  local group=$!
  read -r _ <"$FAKE_IMAGES/timescaledb:2.17.2-pg16/starting"
  kill -KILL -- "-$group"
  wait "$group" 2>/dev/null || true
  echo go >"$FAKE_IMAGES/timescaledb:2.17.2-pg16/leave"
  rm "$FAKE_IMAGES/timescaledb:2.17.2-pg16"/{starting,leave}
  # The setup that goes on holds the lock until it is through.
  flock /run/lhctl/lock true
  equal "$(compose_image) $(extensions)" "timescale/timescaledb:2.17.2-pg16 2.17.2 2.17.2 2.17.2 "
  is_as_dumped
  rm "$FAKE_IMAGES/timescaledb:2.18.0-pg16/broken"
  sends upgrade
  equal "$(extensions)" "2.18.0 2.18.0 2.18.0 "
}

# A way back that nobody finished: nothing serves, and the next upgrade starts what is there first.
case_upgrade_begins_with_what_an_interrupted_one_left_stopped() {
  upgradable
  image 2.18.0-pg16 2.18.0 2.17.2
  local rc=0
  FAKE_KILL_SQL="CREATE EXTENSION IF NOT EXISTS" FAKE_KILL_DB=lighthouse send upgrade || rc=$?
  equal "$rc" 137 "$(cat "$work/err")"
  docker stop timescaledb
  sends upgrade
  equal "$(extensions)" "2.18.0 2.18.0 2.18.0 "
}

case_upgrade_goes_back_when_the_new_image_does_not_serve() {
  upgradable
  image 2.18.0-pg16 2.18.0 2.17.2
  touch "$FAKE_IMAGES/timescaledb:2.18.0-pg16/broken"
  local files
  files=$(cat /etc/lhctl/host.conf /opt/docker-compose.yml)
  send_refused upgrade 1 "the database does not start with timescale/timescaledb:2.18.0-pg16"
  contains "$work/err" "timescale/timescaledb:2.17.2-pg16 serves again, as before"
  equal "$(cat /etc/lhctl/host.conf /opt/docker-compose.yml)" "$files"
  equal "$(extensions)" "2.17.2 2.17.2 2.17.2 "
  is_as_dumped
}

case_upgrade_converges_after_every_interruption() {
  upgradable
  image 2.18.0-pg16 2.18.0 2.17.2
  local n rc
  for n in {1..99}; do
    echo 0 >"$SANDBOX/calls"
    rc=0
    FAKE_KILL=$n send upgrade || rc=$?
    [ "$rc" != 0 ] || break
    # A stage of the setup that is killed is a failure of the setup too.
    [ "$rc" = 137 ] || [ "$rc" = 1 ] || { cat "$work/err" >&2; fail "call $n ended with $rc"; }
    is_as_dumped
  done
  [ "$n" -gt 15 ] || fail "only $n calls"
  equal "$(extensions)" "2.18.0 2.18.0 2.18.0 "
  sends upgrade-plan
  equal "$(answer needed)" false
}

# Guide, defect 9: growing names /dev/nvme1n1 and a partition.
case_guide_defect_09_growth_finds_the_volume_and_is_seen_by_statfs() {
  stocked 256M
  sends disk
  local small
  small=$(answer size)
  equal "$small" "$(bytes $mnt)" "statfs"
  equal "$(answer inside.tables.0.name)" public.checks
  [ "$(answer inside.wal)" -gt 0 ] && [ "$(answer backups)" -gt 0 ] || fail "$(cat "$work/out")"
  docker stop timescaledb
  grow vol0123456789abcdef0 512M
  sends disk-grow
  equal "$(answer inside)" "" "without a database"
  [ "$(answer size)" -gt $((small + 200000000)) ] || fail "did not grow: $(answer size)"
  equal "$(answer size)" "$(bytes $mnt)" "statfs"
}

case_logs_and_psql_reach_the_container() {
  stocked
  sends logs
  equal "$(cat "$work/out")" "the log: logs --tail 100 --since 2h timescaledb"
  sends psql
  contains "$work/out" 1000
  ! grep -q 'count' "$SANDBOX/docker.log" || fail "SQL on a command line"
  send psql-wrong && fail "an error was passed over"
  contains "$work/err" 'syntax error'
}

# Killed after the extension was updated in one database after the other, and then the new image does
# not start any more: the old one cannot read what was updated, whichever run did it.
case_upgrade_keeps_the_new_image_once_a_catalog_was_updated() {
  upgradable
  image 2.18.0-pg16 2.18.0 2.17.2
  local new=timescale/timescaledb:2.18.0-pg16 db rc
  for db in lighthouse other template1; do
    rc=0
    FAKE_KILL_SQL="ALTER EXTENSION" FAKE_KILL_DB=$db send upgrade || rc=$?
    equal "$rc" 137 "$(cat "$work/err")"
    touch "$FAKE_IMAGES/${new##*/}/broken"
    send_refused upgrade 1 "the database does not start with $new"
    contains "$work/err" "only $new serves it"
    ! grep -q 'going back' "$work/err" || fail "$(cat "$work/err")"
    equal "$(compose_image)" "$new"
    grep -q "IMAGE='$new'" /etc/lhctl/host.conf || fail "the old configuration is back after $db"
    # What the message says helps.
    contains "$work/err" "lhctl-host-setup"
    rm "$FAKE_IMAGES/${new##*/}/broken"
    setup || { cat "$work/out"; fail "the new image does not serve"; }
    is_as_dumped
  done
  sends upgrade
  equal "$(answer from) $(answer to)" "timescale/timescaledb:2.17.2-pg16 $new"
  equal "$(extensions)" "2.18.0 2.18.0 2.18.0 "
  equal "$(find /var/lib/lhctl -name 'before-upgrade*')" "" "what was kept for the way back was left"
}

# Docker says what runs now, which in a repeated run is the new image.
case_upgrade_goes_back_to_the_image_of_before_in_a_repeated_run() {
  upgradable
  image 2.18.0-pg16 2.18.0 2.17.2
  local rc=0
  FAKE_KILL_SQL="CREATE EXTENSION IF NOT EXISTS" FAKE_KILL_DB=lighthouse send upgrade || rc=$?
  equal "$rc" 137 "$(cat "$work/err")"
  equal "$(compose_image)" timescale/timescaledb:2.18.0-pg16 "the test kills too early"
  touch "$FAKE_IMAGES/timescaledb:2.18.0-pg16/broken"
  send_refused upgrade 1 "going back to timescale/timescaledb:2.17.2-pg16"
  contains "$work/err" "timescale/timescaledb:2.17.2-pg16 serves again, as before"
  equal "$(compose_image) $(extensions)" "timescale/timescaledb:2.17.2-pg16 2.17.2 2.17.2 2.17.2 "
}

# A statement that the server refused updated nothing.
case_upgrade_goes_back_when_no_catalog_was_updated() {
  upgradable
  image 2.18.0-pg16 2.18.0 2.17.2
  echo 'SELECT 1 / 0;' >>"$FAKE_IMAGES/timescaledb:2.18.0-pg16/timescaledb--2.17.2--2.18.0.sql"
  send_refused upgrade 1 "the extension in lighthouse was not updated"
  contains "$work/err" "timescale/timescaledb:2.17.2-pg16 serves again, as before"
  equal "$(compose_image) $(extensions)" "timescale/timescaledb:2.17.2-pg16 2.17.2 2.17.2 2.17.2 "
  [ ! -e /var/lib/lhctl/before-upgrade ] || fail "what was kept for the way back was left"
}

case_a_busy_host_is_told_from_a_failure() {
  stocked
  local script
  exec 7>/run/lhctl/restore.lock
  flock 7
  for script in restore-plan restore drill retained release upgrade-plan upgrade; do
    send_refused $script 16 "a restore, a drill or an upgrade is running on this host, and goes on without the command that began it. Wait until it has ended, then run this again"
  done
  exec 7>/run/lhctl/backup.lock
  flock 7
  send_refused backup 16 "another backup is running on this host, and goes on without the command that began it. Wait until it has ended, then run this again"
}
