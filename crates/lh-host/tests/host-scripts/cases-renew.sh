# What surrounds a database that serves is brought to other settings.
# shellcheck shell=bash disable=SC2154,SC2031,SC2030,SC2086,SC2016 # mnt has no spaces; $$ quotes in SQL

# The stack file asks for weekly dumps elsewhere, kept for 14 days; and for another image and size,
# which would restart the database.
case_renewal_leaves_the_database_alone() {
  stocked
  local served compose
  served=$(head -n 1 $mnt/postgres/postmaster.pid)
  compose=$(cat /opt/docker-compose.yml)
  q 'CREATE TABLE before_renewal (n int)'
  export FAKE_SECRET=pw-of-this-test-only-2
  sends renew
  grep -qx 'OnCalendar=weekly' /etc/systemd/system/lhctl-backup.timer || fail "the timer has the old calendar"
  grep -qx 'restart lhctl-backup.timer' "$SANDBOX/systemctl.log" || fail "the timer was not told"
  grep -qx 'restart lhctl-spot.service' "$SANDBOX/systemctl.log" || fail "the old watcher runs on"
  equal "$(grep -E '^(BUCKET|KEEP_DAYS)=' /etc/lhctl/host.conf)" "BUCKET='elsewhere'
KEEP_DAYS=14"
  grep -qx "IMAGE='timescale/timescaledb:2.17.2-pg16'" /etc/lhctl/host.conf || fail "the image is another one"
  grep -qx "VOLUME_ID='\?vol-0123456789abcdef0'\?" /etc/lhctl/host.conf || fail "the volume was forgotten"
  equal "$(cat /opt/docker-compose.yml)" "$compose"
  equal "$(head -n 1 $mnt/postgres/postmaster.pid)" "$served" "the database was restarted"
  # The password that the store has now is the one that the server takes.
  equal "$(PGSSLMODE=require PGPASSWORD=$FAKE_SECRET psql -XqAt -h 127.0.0.1 -p "$PGPORT" -U postgres -d lighthouse -c 'SELECT 1')" 1
  state
  contains "$work/status" '"ready":true'
  sends backup
  contains "$SANDBOX/aws.log" s3://elsewhere/
  written >"$work/before"
  sends renew
  written | diff "$work/before" - || fail "the second run wrote files again"
}

case_renewal_before_the_first_setup() {
  rm /etc/lhctl/host.conf
  send renew && fail "it went on without a host"
  contains "$work/err" "cloud-init has not set this host up yet"
}
