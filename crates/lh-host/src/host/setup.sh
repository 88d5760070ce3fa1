#!/bin/bash
# Makes this host what /etc/lhctl/host.conf says, from whatever state it is in:
# first boot, reboot, a new instance with an old volume, a run that was killed.
# Without an argument all stages; with `boot`, as systemd calls it, those that are left to do; with
# `online` those that leave a database alone that serves; with the name of a stage, that stage.
# shellcheck disable=SC2317 # the stages are called by their names
. /usr/local/lib/lhctl-host.sh
compose=/opt/docker-compose.yml
data=$MNT/postgres

# 1 GiB does not hold apt, snap and PostgreSQL at once. On the root volume:
# swapping onto the data volume would slow the database twice.
stage_swap() {
  [ "$(awk '/^MemTotal/ { print $2 }' "${LHCTL_MEMINFO:-/proc/meminfo}")" -lt 1200000 ] || return 0
  grep -q '^/swapfile ' /etc/fstab || echo '/swapfile none swap sw 0 0' >>/etc/fstab
  ! grep -q '^/swapfile ' /proc/swaps || return 0
  # One that a crash left half written is made anew.
  [ ! -f /swapfile ] || ! swapon /swapfile || return 0
  rm -f /swapfile
  fallocate -l 1G /swapfile.new
  chmod 600 /swapfile.new
  mkswap /swapfile.new >/dev/null
  sync /swapfile.new
  mv /swapfile.new /swapfile
  swapon /swapfile
}

# Ubuntu 24.04 has no package awscli; the snap is AWS's own, for arm64, and works on 22.04 too.
stage_packages() {
  # What was cut off between unpacking and setting up looks installed, and is not.
  if ! docker compose version >/dev/null 2>&1 || [ -n "$(dpkg --audit)" ]; then
    export DEBIAN_FRONTEND=noninteractive
    dpkg --configure -a
    apt-get -q -o Acquire::Retries=5 update
    apt-get -qy -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5 install docker.io docker-compose-v2
  fi
  systemctl enable --now docker
  command -v aws >/dev/null || { snap wait system seed.loaded && snap install aws-cli --classic; }
}

stage_disk() { /usr/local/sbin/lhctl-host-disk boot; }

# RDS and the console keep a password as a member of a JSON object.
member() {
  python3 -c 'import json, sys
text = sys.stdin.read().rstrip("\n")
try:
    secret = json.loads(text)
except ValueError:
    secret = None
print(secret["password"] if isinstance(secret, dict) else text)'
}

# The folder belongs to the image's user, who reads it in the container; on the
# host nobody but root passes $RUN above it.
stage_password() {
  local to=$RUN/db/password rc=0
  install -d -m 500 -o "$DB_UID" -g "$DB_GID" "$RUN/db"
  rm -f "$to.new"
  (umask 377 && if [ "$PASSWORD_FROM" = parameter ]; then
    aws ssm get-parameter --with-decryption --name "$PASSWORD_NAME" --query Parameter.Value --output text
  else
    aws secretsmanager get-secret-value --secret-id "$PASSWORD_NAME" --query SecretString --output text | member
  fi >"$to.new") || rc=$?
  if [ "$rc" = 0 ] && [ -n "$(cat "$to.new")" ]; then
    chown "$DB_UID:$DB_GID" "$to.new"
    mv "$to.new" "$to"
    return
  fi
  rm -f "$to.new"
  # A database that exists starts without it: an outage there is none here.
  [ -f "$data/PG_VERSION" ] || die 1 "the password $PASSWORD_NAME could not be read with the instance's role"
  say "warning: the password $PASSWORD_NAME could not be read; the database keeps the one it has"
  [ -f "$to" ] || install -m 400 -o "$DB_UID" -g "$DB_GID" /dev/null "$to"
}

# The image tunes itself only on an empty data directory: so the values are set here, at each boot,
# for this machine, by the formulas of `memory_settings` in lhctl. /proc/meminfo shows a little less
# than the type has, hence the next size up.
retune() {
  awk -v c="$(nproc)" '/^MemTotal/ {
    g = 0.5
    while (g * 1048576 < $2) g = g * 1572864 >= $2 ? g * 1.5 : g * 2
    f = int((c + 1) / 2)
    n = g <= 2 ? 25 : g <= 4 ? 50 : g <= 6 ? 75 : 100
    set("shared_buffers", size(g * 262144))
    set("effective_cache_size", size(g * 786432))
    m = g < 16 ? g * 131072 : 2096128
    set("maintenance_work_mem", size(m))
    # A parallel VACUUM keeps as much there, and a little.
    print "s/shm_size: .*/shm_size: " int(256 + m * 1.25 / 1024) "m/"
    set("work_mem", size(int(g * 409600 / n / f)))
    set("max_connections", n)
    set("max_locks_per_transaction", g < 8 ? 128 : g < 16 ? 256 : g < 32 ? 512 : 1024)
    set("max_worker_processes", 19 + c)
    set("max_parallel_workers", c)
    set("max_parallel_workers_per_gather", f)
  }
  function size(kb) { return kb % 1024 ? kb "kB" : kb % 1048576 ? kb / 1024 "MB" : kb / 1048576 "GB" }
  function set(k, v) { print "s/-c " k "=.*/-c " k "=" v "/" }' "${LHCTL_MEMINFO:-/proc/meminfo}" >"$RUN/tune"
  sed -f "$RUN/tune" "$compose" >"$RUN/compose"
  cmp -s "$RUN/compose" "$compose" || { cat "$RUN/compose" >"$compose.new" && mv "$compose.new" "$compose"; }
}

# Made once, beside the data, so that clients which pinned it keep trusting it.
tls() {
  local new=$MNT/.tls-new
  if [ ! -d "$MNT/tls" ]; then
    rm -rf "$new"
    mkdir -m 700 "$new"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
      -subj "/CN=$STACK" -keyout "$new/server.key" -out "$new/server.crt" 2>/dev/null
    sync
    mv -T "$new" "$MNT/tls"
  fi
  chown -R "$DB_UID:$DB_GID" "$MNT/tls"
}

# A cluster that someone else laid out differently is used where it lies.
find_data() {
  local d found=
  [ ! -e "$data" ] || return 0
  for d in "$MNT" "$MNT"/*/ "$MNT"/*/*/; do
    d=${d%/}
    if [ ! -f "$d/PG_VERSION" ] || [ ! -d "$d/global" ]; then continue; fi
    [ -z "$found" ] || die 5 "two clusters lie on the volume, $found and $d: link the right one as $data"
    found=$d
  done
  [ -z "$found" ] || ln -s "$found" "$data"
}

# A new cluster is made beside its place, by a container without published
# ports, and moved there when whole: what is found unfinished never took a row.
init_data() {
  local new=$MNT/.postgres-new
  docker rm -f timescaledb-init >/dev/null 2>&1 || true
  [ ! -e "$data" ] || return 0
  rm -rf "$new"
  install -d -m 700 -o "$DB_UID" -g "$DB_GID" "$new"
  DATA_DIR=$new docker compose -f "$compose" run -d --quiet-pull --name timescaledb-init timescaledb ||
    die 1 "a container of $IMAGE did not start: can this host reach the registry?"
  wait_for 300 docker exec timescaledb-init pg_isready -q -h 127.0.0.1 || {
    docker logs --tail 20 timescaledb-init || true
    die 1 "the new cluster did not start within 300 s"
  }
  docker stop -t 120 timescaledb-init
  docker rm timescaledb-init
  sync
  mv -T "$new" "$data"
  sync
}

# Alpine's C library and Ubuntu's sort text differently: under the other one every index on text would
# be wrong, and PostgreSQL does not see it. Beside the data stands which one they are of.
same_libc() {
  local of with now
  read -r of with 2>/dev/null <"$MNT/libc" || return 0
  [ "$of" != "$IMAGE" ] || return 0
  now=$(docker run --rm --network none --entrypoint sh "$IMAGE" -c "$LIBC") || die 1 "the image $IMAGE cannot be looked into"
  [ "$now" = "$with" ] ||
    die 5 "the data are of $of, whose C library is $with, and that of $IMAGE is $now: they sort text differently. Name an image of the same kind, or bring the data by a dump into a new volume"
}

# psql's \password sends a SCRAM verifier, never the password; neither may reach the server's log or
# its statistics.
stage_verifier() {
  local p
  ! tcp_ok || return 0
  p=$(cat "$RUN/db/password")
  [ -n "$p" ] || return 0
  printf '%s\n%s\n' "$p" "$p" | sql -c "SET log_statement = 'none'" -c "SET log_min_error_statement = 'panic'" \
    -c "SET log_min_duration_statement = -1" -c "SET pg_stat_statements.track = 'none'" -c '\password postgres' 2>/dev/null
  tcp_ok || die 1 "the database does not accept its password over TCP with TLS"
}

stage_database() {
  mountpoint -q "$MNT" || die 1 "$MNT is not mounted"
  find_data
  tls
  retune
  init_data
  same_libc
  find "$data/" \( ! -uid "$DB_UID" -o ! -gid "$DB_GID" \) -exec chown -h "$DB_UID:$DB_GID" {} +
  docker compose -f "$compose" up -d --quiet-pull --remove-orphans ||
    die 1 "a container of $IMAGE did not start: can this host reach the registry?"
  wait_for 300 docker exec timescaledb pg_isready -q -h 127.0.0.1 || {
    docker logs --tail 20 timescaledb || true
    die 1 "PostgreSQL did not answer within 300 s: see docker logs timescaledb"
  }
  if [ -z "$(sql -v db="$DATABASE" <<<"SELECT 1 FROM pg_database WHERE datname = :'db'")" ]; then
    sql -v db="$DATABASE" <<<'CREATE DATABASE :"db"'
  fi
  sql -d "$DATABASE" <<<'SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;'
  echo "$IMAGE $(docker exec timescaledb sh -c "$LIBC")" >"$MNT/libc"
  stage_verifier
}

stage_services() {
  systemctl enable --now lhctl-backup.timer
  [ -z "$SPOT" ] || systemctl enable --now lhctl-spot.service
}

# Not in Ubuntu's archive: AWS serves it from a bucket of its own in each region.
stage_agent() {
  local conf=/etc/lhctl/cloudwatch.json ctl=/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl
  if [ ! -f "$conf" ]; then
    [ ! -x "$ctl" ] || "$ctl" -a stop
    return
  fi
  if [ ! -x "$ctl" ]; then
    # More than a small host's memory has room for, where /run is.
    mkdir -p /var/lib/lhctl
    curl -fsS --retry 5 -o /var/lib/lhctl/agent.deb \
      "https://amazoncloudwatch-agent-$REGION.s3.$REGION.amazonaws.com/ubuntu/arm64/latest/amazon-cloudwatch-agent.deb"
    dpkg -i /var/lib/lhctl/agent.deb
    rm /var/lib/lhctl/agent.deb
  fi
  # Fetching the configuration again restarts the agent: only if it changed.
  if cmp -s "$conf" /var/lib/lhctl/cloudwatch.json && systemctl -q is-active amazon-cloudwatch-agent; then return; fi
  "$ctl" -a fetch-config -m ec2 -s -c "file:$conf"
  install -D "$conf" /var/lib/lhctl/cloudwatch.json
}

# Each stage is a process of its own, so that `set -e` holds inside it.
run() {
  rm -f "$RUN/error"
  echo running >"$RUN/stage/$1"
  say "stage $1"
  if "$0" "$1" 9>&-; then
    echo ok >"$RUN/stage/$1"
  else
    { cat "$RUN/error" 2>/dev/null || echo see the log; } | sed '1s/^/failed: /;q' >"$RUN/stage/$1"
    return 1
  fi
}

case ${1:-} in
  '' | boot | online) ;;
  *)
    "stage_$1"
    exit
    ;;
esac
exec 9>"$RUN/lock"
flock 9
if [ "${1:-}" = online ]; then
  # A timer takes a new calendar when it starts.
  systemctl restart lhctl-backup.timer
  # A watcher that runs is the program of before.
  [ -z "$SPOT" ] || systemctl restart lhctl-spot.service
  run password || exit 1
  "$0" verifier 9>&- || exit 1
elif [ "${1:-}" = boot ] && [ -e "$RUN/interrupted" ]; then
  say "AWS takes this instance back: its database stays stopped"
  exit
elif [ "${1:-}" = boot ] && [ -e "$RUN/ready" ] && tcp_ok; then
  say "the database serves: what failed beside it is tried again"
else
  rm -f "$RUN/ready"
  run swap || true
  for stage in packages disk password database; do
    run "$stage" || exit 1
  done
  touch "$RUN/ready"
fi
# The database serves: what fails below is tried again and harms nobody.
rc=0
for stage in services agent; do
  run "$stage" || rc=1
done
exit "$rc"
