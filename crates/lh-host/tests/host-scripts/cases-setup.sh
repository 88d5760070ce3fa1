# The whole setup, on a real PostgreSQL where there is one.
# shellcheck shell=bash disable=SC2154,SC2031,SC2030,SC2086,SC2016 # mnt has no spaces; $$ quotes in SQL
secret=pw-of-this-test-only

setup() { /usr/local/sbin/lhctl-host-setup "$@" >"$work/out" 2>&1; }
state() { /usr/local/sbin/lhctl-host-status >"$work/status"; }

# real_postgres: from here on the stand-in for docker runs this machine's server,
# as the image's user, with a stand-in for the extension's files.
real_postgres() {
  PGBIN=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
  [ -x "$PGBIN/initdb" ] || skip "no PostgreSQL server under /usr/lib/postgresql"
  export PGBIN PGPORT=$((20000 + $$ % 10000))
  echo 'lhpg:x:70:70::/:/bin/sh' >>/etc/passwd
  mkdir -m 777 /run/pg
  local share
  share=$("$PGBIN/pg_config" --sharedir)/extension
  private "$share" copy
  extension "$share" 2.17.2
  [ -f "$share/pg_stat_statements.control" ] || skip "PostgreSQL without pg_stat_statements"
  mkdir -p /run/secrets
  ln -s /run/lhctl/db /run/secrets/lhctl
  chmod -R go+rX "$work"
}

# extension SHARE VERSION: a stand-in for TimescaleDB, with what a dump's restore needs of it.
extension() {
  printf "default_version = '%s'\nrelocatable = true\n" "$2" >"$1/timescaledb.control"
  cat >"$1/timescaledb--2.17.2.sql" <<'SQL'
CREATE FUNCTION timescaledb_pre_restore() RETURNS bool LANGUAGE plpgsql AS
$$BEGIN EXECUTE format('ALTER DATABASE %I SET timescaledb.restoring = on', current_database()); RETURN true; END$$;
CREATE FUNCTION timescaledb_post_restore() RETURNS bool LANGUAGE plpgsql AS
$$BEGIN EXECUTE format('ALTER DATABASE %I RESET timescaledb.restoring', current_database()); RETURN true; END$$;
CREATE SCHEMA timescaledb_information;
CREATE SCHEMA _timescaledb_functions;
CREATE FUNCTION _timescaledb_functions.start_background_workers() RETURNS bool LANGUAGE plpgsql AS
$$BEGIN EXECUTE format('COMMENT ON SCHEMA _timescaledb_functions IS %L', 'started in ' || current_database()); RETURN true; END$$;
CREATE VIEW timescaledb_information.hypertables AS SELECT NULL::name AS hypertable_schema, NULL::name AS hypertable_name WHERE false;
CREATE FUNCTION hypertable_size(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
-- Rows of the stand-in for a hypertable load only while the database is being restored.
CREATE FUNCTION hyper_ok() RETURNS bool LANGUAGE sql AS
$$SELECT current_database() NOT LIKE 'lhctl%' OR coalesce(current_setting('timescaledb.restoring', true), '') = 'on'$$;
SQL
  cp "$1/timescaledb--2.17.2.sql" "$1/timescaledb--2.18.0.sql"
  echo 'CREATE FUNCTION new_in_2_18() RETURNS int LANGUAGE sql AS $$SELECT 1$$;' |
    tee -a "$1/timescaledb--2.18.0.sql" >"$1/timescaledb--2.17.2--2.18.0.sql"
}

no_secret_outside() {
  ! grep -rIl -- "$secret" "$SANDBOX" "$work/out" "$work/status" /etc/lhctl /opt /var/log /var/lib/lhctl 2>/dev/null ||
    fail "the password is in a file that it must not be in"
  equal "$(find /run/lhctl -type f -exec grep -l -- "$secret" {} +)" /run/lhctl/db/password
  equal "$(stat -c %a:%u:%g /run/lhctl/db/password)" 400:70:70
  equal "$(stat -c %a /run/lhctl)" 700
}

case_setup_first_run_reboot_and_new_instance() {
  real_postgres
  attach vol0123456789abcdef0 512M
  # The size that the files were rendered for: nothing is to be retuned.
  echo 'MemTotal: 1970000 kB' >"$work/meminfo"
  printf '#!/bin/sh\necho 2\n' >/usr/local/bin/nproc
  chmod 755 /usr/local/bin/nproc
  export FAKE_SECRET=$secret LHCTL_MEMINFO=$work/meminfo PATH=/usr/local/bin:$PATH
  setup || { cat "$work/out"; fail "the first run"; }
  state
  contains "$work/status" '"ready":true'
  contains "$work/status" '"stages":{"swap":"ok","packages":"ok","disk":"ok","password":"ok","database":"ok","services":"ok","agent":"ok"}'
  contains "$work/status" '"timescaledb" : "2.17.2"'
  no_secret_outside
  [ ! -e $mnt/.postgres-new ] || fail "the new cluster was left beside its place"
  equal "$(stat -c %u:%g $mnt/postgres)" 70:70
  local here_sql="docker exec -i timescaledb psql -XqAt -U postgres -d lighthouse"
  $here_sql <<<'CREATE TABLE kept AS SELECT 42 AS n'
  equal "$($here_sql <<<'SELECT count(*) FROM pg_extension WHERE extname IN ($$timescaledb$$, $$pg_stat_statements$$)')" 2
  local cert
  cert=$(sha256sum $mnt/tls/server.crt)
  written >"$work/before"

  bash "$work/install" >/dev/null
  setup || { cat "$work/out"; fail "the second run"; }
  written | diff "$work/before" - || fail "the second run wrote files again"
  equal "$($here_sql <<<'SELECT n FROM kept')" 42
  equal "$(sha256sum $mnt/tls/server.crt)" "$cert"

  # A reboot while the parameter cannot be read: the database serves all the same.
  reboot_host
  FAKE_SSM=fails setup || { cat "$work/out"; fail "after a reboot"; }
  contains "$work/out" "warning: the password"
  equal "$($here_sql <<<'SELECT n FROM kept')" 42

  # A new instance with the old volume, and a password that changed meanwhile.
  reboot_host
  rm -rf /var/lib/lhctl
  : >/etc/fstab
  export FAKE_SECRET=$secret-2
  setup || { cat "$work/out"; fail "on a new instance"; }
  state
  contains "$work/status" '"ready":true'
  equal "$($here_sql <<<'SELECT n FROM kept')" 42
  equal "$($here_sql <<<"SELECT count(*) FROM pg_stat_statements WHERE query ~* 'password'")" 0
  ! grep -rq -- "$secret" "$SANDBOX" || fail "the password is in a log"
  /usr/local/bin/backup-timescaledb.sh >"$work/out" 2>&1 || { cat "$work/out"; fail "a real dump"; }
  gzip -dc $mnt/backups/*.sql.gz | grep -q 'COPY public.kept' || fail "the dump lacks the table"
}

# Every file outside the volume, and when it was written.
written() { find /etc /opt /usr/local /var/lib/lhctl -type f -printf '%p %i %T@\n' 2>/dev/null | sort; }

reboot_host() {
  docker kill-all
  umount $mnt
  rm -rf /run/lhctl
}

# Killed while the first cluster was being made.
case_setup_half_finished_cluster() {
  real_postgres
  attach vol0123456789abcdef0 512M
  export FAKE_SECRET=$secret
  disk
  mkdir -p $mnt/.postgres-new $mnt/.tls-new
  echo 16 >$mnt/.postgres-new/PG_VERSION
  setup || { cat "$work/out"; fail "did not converge"; }
  state
  contains "$work/status" '"ready":true'
}

case_setup_uses_a_cluster_laid_out_otherwise() {
  attach vol0123456789abcdef0 128M
  disk
  mkdir -p $mnt/old/pgdata/global
  echo 16 >$mnt/old/pgdata/PG_VERSION
  setup || { cat "$work/out"; fail "an old cluster"; }
  equal "$(readlink $mnt/postgres)" $mnt/old/pgdata
  equal "$(stat -c %u $mnt/old/pgdata/PG_VERSION)" 70
  ! grep -q timescaledb-init "$SANDBOX/docker.log" || ! grep -q 'run -d' "$SANDBOX/docker.log" || fail "made a second cluster"
  rm $mnt/postgres
  cp -a $mnt/old $mnt/other
  local rc=0
  setup || rc=$?
  equal "$rc" 1
  contains "$work/out" "two clusters lie on the volume"
}

# What failed beside a database that serves is tried again, and nothing else is touched; and what the
# spot watcher stopped stays so, since AWS is about to stop the host.
case_setup_tries_again_what_failed_beside_the_database() {
  attach vol0123456789abcdef0 128M
  setup boot || { cat "$work/out"; fail "the first boot"; }
  state
  : >"$SANDBOX/docker.log"
  setup boot || { cat "$work/out"; fail "again"; }
  contains "$work/out" "what failed beside it is tried again"
  ! grep -q ' up ' "$SANDBOX/docker.log" || fail "the database was touched"
  contains "$work/out" "stage services"
  touch /run/lhctl/interrupted
  FAKE_DOWN=1 setup boot || { cat "$work/out"; fail "interrupted"; }
  contains "$work/out" "its database stays stopped"
  ! grep -q ' up ' "$SANDBOX/docker.log" || fail "started a database that was to stop"
  # A person who calls it means all of it.
  setup || { cat "$work/out"; fail "all stages"; }
  contains "$SANDBOX/docker.log" ' up '
}

case_setup_stops_at_the_first_failure() {
  local rc=0
  setup || rc=$?
  equal "$rc" 1
  state
  contains "$work/status" '"disk":"failed: volume vol-0123456789abcdef0 is not attached'
  contains "$work/status" '"password":"pending"'
  contains "$work/status" '"ready":false'
  ! grep -q ' up ' "$SANDBOX/docker.log" || fail "started the database without its volume"
  attach vol0123456789abcdef0 128M
  FAKE_SSM=fails setup && fail "started without a password"
  contains "$work/out" "the password lighthouse/prod/db/password could not be read"
  [ ! -e $mnt/postgres ] || fail "made a cluster without a password"
}

# `memory_settings` and the host's own formulas, for sizes that AWS sells:
# LINES of `KIB CPUS settings…` come from the Rust side.
case_retune_agrees_with_memory_settings() {
  attach vol0123456789abcdef0 128M
  disk
  mkdir -p $mnt/postgres/global
  local kib cpus expected name
  while read -r kib cpus expected; do
    echo "MemTotal: $kib kB" >"$work/meminfo"
    printf '#!/bin/sh\necho %s\n' "$cpus" >/usr/local/bin/nproc
    chmod 755 /usr/local/bin/nproc
    PATH=/usr/local/bin:$PATH LHCTL_MEMINFO=$work/meminfo setup || { cat "$work/out"; fail "$kib"; }
    for setting in $expected; do
      name=${setting%%=*}
      equal "$(sed -En "s/^ *(-c $name=|$name: )//p" /opt/docker-compose.yml)" "${setting#*=}" "$name at $kib KiB, $cpus CPUs"
    done
  done <"$work/sizes"
}

# The notice comes from a server on this machine, at $LHCTL_IMDS.
case_spot_notice_stops_postgresql() {
  /usr/local/sbin/lhctl-host-spot >"$work/out" 2>&1 || { cat "$work/out"; fail "the watcher"; }
  contains "$work/out" 'spot interruption: {"action": "stop"'
  contains "$SANDBOX/docker.log" "stop -t 60 timescaledb"
}

# The swap file lies at the root, which is not private here: a root of its own, of this one's folders.
own_root() {
  root=$work/rootfs
  local from
  mkdir "$root"
  for from in /*; do
    if [ -L "$from" ]; then
      cp -a "$from" "$root$from"
    elif [ -d "$from" ]; then
      mkdir "$root$from"
      mount --rbind "$from" "$root$from"
    fi
  done
}

# 1 GiB does not hold apt, snap and PostgreSQL at once.
case_swap_where_memory_is_small() {
  : >"$SANDBOX/swaps"
  mount --bind "$SANDBOX/swaps" /proc/swaps
  local root before
  own_root
  export ROOTED=1 LHCTL_MEMINFO=$work/meminfo
  swap() { chroot "$root" /usr/local/sbin/lhctl-host-setup swap >"$work/out" 2>&1 || { cat "$work/out"; fail "swap"; }; }
  is_on() {
    equal "$(stat -c '%s %a' "$root/swapfile")" "1073741824 600" "the swap file"
    equal "$(blkid -p -s TYPE -o value "$root/swapfile")" swap
    equal "$(cat /etc/fstab)" '/swapfile none swap sw 0 0'
    equal "$(cut -d ' ' -f 1 /proc/swaps)" /swapfile
    [ ! -e "$root/swapfile.new" ] || fail "left swapfile.new"
  }
  echo 'MemTotal: 985000 kB' >"$work/meminfo"
  swap
  is_on
  before=$(stat -c '%i %y' "$root/swapfile" /etc/fstab)
  swap
  is_on
  equal "$(stat -c '%i %y' "$root/swapfile" /etc/fstab)" "$before" "the second run wrote"
  # Killed before it was noted, or a reboot.
  : >/etc/fstab
  : >"$SANDBOX/swaps"
  swap
  is_on
  # Killed while it was made.
  rm "$root/swapfile"
  : >/etc/fstab
  : >"$SANDBOX/swaps"
  head -c 1000 /dev/urandom >"$root/swapfile.new"
  chmod 644 "$root/swapfile.new"
  swap
  is_on
  # 2 GiB.
  rm "$root/swapfile"
  : >/etc/fstab
  : >"$SANDBOX/swaps"
  echo 'MemTotal: 1970000 kB' >"$work/meminfo"
  swap
  [ ! -e "$root/swapfile" ] || fail "made one where there is memory"
  equal "$(cat /etc/fstab /proc/swaps)" ""
}

# The agent comes from a bucket of AWS: curl, dpkg and what dpkg installs are stand-ins.
case_agent_follows_what_is_watched() {
  local ctl=/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl fetched
  fetched="-a fetch-config -m ec2 -s -c file:/etc/lhctl/cloudwatch.json"
  cat >/usr/local/bin/curl <<'END'
#!/bin/bash
echo "$*" >>"$SANDBOX/curl.log"
[ -z "${FAKE_NET:-}" ] || exit 22
while [ "$1" != -o ]; do shift; done
echo "a package" >"$2"
END
  cat >/usr/local/bin/dpkg <<'END'
#!/bin/bash
echo "$*" >>"$SANDBOX/dpkg.log"
[ "$(cat "$2")" = "a package" ] || exit 1
ctl=/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl
mkdir -p "${ctl%/*}"
printf '#!/bin/bash\necho "$*" >>"$SANDBOX/agent.log"\n' >"$ctl"
chmod 755 "$ctl"
END
  chmod 755 /usr/local/bin/*
  export PATH=/usr/local/bin:$PATH
  agent() { /usr/local/sbin/lhctl-host-setup agent >"$work/out" 2>&1; }
  told() { [ ! -e "$SANDBOX/agent.log" ] || cat "$SANDBOX/agent.log"; }

  # A stack that is not watched has none.
  agent || { cat "$work/out"; fail "without an agent"; }
  [ ! -e "$SANDBOX/curl.log" ] || fail "fetched an agent that nobody wants"

  bash "$work/install-watched" >/dev/null
  ! FAKE_NET=down agent || fail "passed over a package that did not come"
  [ ! -e $ctl ] || fail "installed nothing"
  agent || { cat "$work/out"; fail "the first run"; }
  contains "$SANDBOX/curl.log" https://amazoncloudwatch-agent-us-east-1.s3.us-east-1.amazonaws.com/ubuntu/arm64/latest/amazon-cloudwatch-agent.deb
  equal "$(cat "$SANDBOX/dpkg.log")" "-i /var/lib/lhctl/agent.deb"
  [ ! -e /var/lib/lhctl/agent.deb ] || fail "left the package"
  equal "$(told)" "$fetched"
  bash "$work/install-watched" >/dev/null
  agent || fail "the second run"
  equal "$(told)" "$fetched" "restarted for nothing"
  equal "$(wc -l <"$SANDBOX/dpkg.log")" 1 "installed again"

  # Another log group.
  sed -i 's,/lighthouse/prod,/elsewhere,' /etc/lhctl/cloudwatch.json
  agent || fail "the changed one"
  equal "$(told)" "$fetched"$'\n'"$fetched"
  agent || fail "again"
  equal "$(told | wc -l)" 2 "restarted for nothing"

  # No longer watched.
  bash "$work/install" >/dev/null
  agent || fail "no longer watched"
  equal "$(told | tail -n 1)" "-a stop"
  equal "$(told | wc -l)" 3
}
