# Shared by lhctl's scripts on this host: sourced, never run. Needs root.
# shellcheck shell=bash disable=SC2034 # the variables are for those who source it
set -euo pipefail
. /etc/lhctl/host.conf
export AWS_DEFAULT_REGION="$REGION" AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=8
export PATH="$PATH:/snap/bin"
MNT=/mnt/timescaledb-data
STAGES="swap packages disk password database services agent"
# A tmpfs that only root enters: it ends with the boot, as what it says does.
RUN=/run/lhctl
mkdir -p "$RUN/stage"
chmod 700 "$RUN"

say() { echo "$(date -u +%FT%TZ) $*"; }

# die CODE TEXT: the text is also what `lhctl-host-status` shows for the stage.
die() {
  local code=$1
  shift
  say "error: $*" >&2
  echo "$*" >"$RUN/error" || true
  exit "$code"
}

# alone LOCK WHAT: ends with 16 where another run holds it.
alone() {
  exec 8>"$RUN/$1.lock"
  flock -n 8 || die 16 "$2 is running on this host, and goes on without the command that began it. Wait until it has ended, then run this again"
}

# wait_for SECONDS COMMAND...: until it succeeds or the time is over.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 2
  done
}

# SQL comes on standard input: what is on a command line shows in `ps`.
sql() { docker exec -i timescaledb psql -XqAt -v ON_ERROR_STOP=1 -U postgres "$@"; }

# A JSON string of what comes on standard input.
text() {
  local s
  s=$(tr -d '\000-\037')
  s=${s//\\/\\\\}
  printf '"%s"' "${s//\"/\\\"}"
}

# SQL that answers with one JSON object: the rows of each table, of a hypertable with its chunks,
# compressed or not, and of what continuous aggregates keep. TimescaleDB's own tables are left out.
# shellcheck disable=SC2016
COUNTS='CREATE FUNCTION pg_temp.n(regclass, OUT n bigint) LANGUAGE plpgsql AS
$$BEGIN EXECUTE concat($q$SELECT count(*) FROM $q$, $1) INTO n; END$$;
SELECT coalesce(json_object_agg(concat(nspname, $q$.$q$, relname), pg_temp.n(c.oid) ORDER BY nspname, relname), $q${}$q$)
FROM pg_class c JOIN pg_namespace s ON s.oid = relnamespace
WHERE relkind IN ($q$r$q$, $q$p$q$) AND relpersistence <> $q$t$q$ AND nspname !~ $q$^(pg_|information_schema$|_timescaledb_|timescaledb_)$q$
OR relkind = $q$r$q$ AND nspname = $q$_timescaledb_internal$q$ AND relname ~ $q$^_materialized_hypertable_[0-9]+$q$;'

# Run in an image: which C library it has.
LIBC='ls /lib/ld-musl-* >/dev/null 2>&1 && echo musl || echo glibc'

# Over TCP from the container's own address: the image trusts its loopback and
# its socket, so that only this way proves the password, TLS and pg_hba.conf.
tcp_ok() {
  docker exec timescaledb sh -c 'PGSSLMODE=require PGPASSWORD=$(cat /run/secrets/lhctl/password) \
exec psql -XqAt -h "$(hostname -i | cut -d" " -f1)" -U postgres -c "SELECT 1" "$POSTGRES_DB"' >/dev/null 2>&1
}
