# Another image under the same data, on a real PostgreSQL with stand-ins for images.
# shellcheck shell=bash disable=SC2154,SC2031,SC2030,SC2086,SC2016 # mnt has no spaces; $$ quotes in SQL

# image TAG VERSION OLD…: an image that brings VERSION of the extension and the libraries of OLD.
image() {
  local dir=$FAKE_IMAGES/timescaledb:$1 old
  mkdir -p "$dir"
  extension "$dir" "$2"
  {
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

case_upgrade_refuses_what_does_not_fit() {
  upgradable
  send_refused upgrade 1 "cannot be pulled"
  major=99.1 image 2.18.0-pg16 2.18.0 2.17.2
  send_refused upgrade 5 "it has PostgreSQL 99.1, and the data are of"
  image 2.18.0-pg16 2.18.0
  send_refused upgrade 5 "it does not carry the library of TimescaleDB 2.17.2, which the database lighthouse has"
  equal "$(compose_image) $(extensions)" "timescale/timescaledb:2.17.2-pg16 2.17.2 2.17.2 2.17.2 "
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
