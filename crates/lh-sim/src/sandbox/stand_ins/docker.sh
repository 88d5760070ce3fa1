#!/bin/bash
# docker in the sandbox: its one container, `timescaledb`, is the engine of `lhctl local database`,
# which lhctl alone starts and stops. Whatever an image is called, it is that engine.
here=${0%/*}
root=${here%/.sandbox/bin}
local=${root%/hosts/*}
record=$local/database.json
start="no database runs beside the simulated instance: start it with \`lhctl local database\`"

fail() {
  echo "docker: $*" >&2
  exit 1
}

running() {
  local port
  port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p' "$record" 2>/dev/null)
  [ -n "$port" ] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

conf() { sed -n "s/^$1='\(.*\)'\$/\1/p" "$root/etc/lhctl/host.conf"; }

container() {
  case $1 in
    timescaledb) running || fail "$start" ;;
    *) fail "no such container in the sandbox: $1" ;;
  esac
}

in_container() {
  local input=no env=()
  while :; do
    case $1 in
      -i | -it | -ti | --interactive) input=yes ;;
      -t | --tty) ;;
      -e | --env) env+=("$2") && shift ;;
      -u | --user | -w | --workdir) shift ;;
      -*) fail "the sandbox does not know exec $1" ;;
      *) break ;;
    esac
    shift
  done
  container "$1"
  shift
  [ "$input" = yes ] || exec </dev/null
  inside ${env[@]+"${env[@]}"} "$@"
}

# [NAME=VALUE…] PROGRAM [ARGUMENT…]
inside() {
  local database
  database=$(conf DATABASE)
  exec env PATH="${here%/bin}/container:$PATH" LHCTL_RECORD="$record" LHCTL_ENGINE="$local/database/engine" \
    LHCTL_MAKE="$database" POSTGRES_DB="$database" "$@"
}

pull() {
  running || fail "$start"
  echo "the sandbox has no images: its engine, $(inside postgres --version), stands for each" >&2
}

# A container beside the one that serves, to look into an image.
in_image() {
  local program=
  while :; do
    case $1 in
      --entrypoint) program=$2 && shift ;;
      --network) shift ;;
      --rm) ;;
      -*) fail "the sandbox does not know run $1" ;;
      *) break ;;
    esac
    shift
  done
  [ -n "$program" ] || fail "the sandbox has no second server: docker run takes an --entrypoint here"
  running || fail "$start"
  shift
  inside "$program" "$@" </dev/null
}

inspect() {
  local format=
  case $1 in
    -f | --format) format=$2 && shift 2 ;;
    --format=*) format=${1#--format=} && shift ;;
  esac
  container "$1"
  case $format in
    '{{.State.Status}}') echo running ;;
    '{{.State.Running}}') echo true ;;
    '{{.State.Health.Status}}') echo healthy ;;
    '{{.Config.Image}}') conf IMAGE ;;
    *) fail "the sandbox cannot inspect $format" ;;
  esac
}

logs() {
  local tail=+1 follow=()
  while [ "$#" -gt 1 ]; do
    case $1 in
      --tail | -n) tail=$2 && shift ;;
      --tail=*) tail=${1#--tail=} ;;
      --since | --until) echo "docker: the engine's log has no times; $1 is passed over" >&2 && shift ;;
      --since=* | --until=*) echo "docker: the engine's log has no times; ${1%%=*} is passed over" >&2 ;;
      -f | --follow) follow=(-f) ;;
      -t | --timestamps | --details) ;;
      *) fail "the sandbox does not know logs $1" ;;
    esac
    shift
  done
  container "$1"
  [ "$tail" != all ] || tail=+1
  exec tail -n "$tail" ${follow[@]+"${follow[@]}"} "$local/database/server.log"
}

verb=${1:-}
[ "$#" = 0 ] || shift
case $verb in
  exec) in_container "$@" ;;
  pull) pull ;;
  run) in_image "$@" ;;
  inspect) inspect "$@" ;;
  logs) logs "$@" ;;
  ps) ! running || echo timescaledb ;;
  compose)
    case " $* " in
      ' version '*) echo 'Docker Compose of the sandbox' ;;
      *' up '*) container timescaledb ;;
      *) fail "the sandbox does not know compose $*" ;;
    esac
    ;;
  *) fail "the sandbox's one container is started and stopped by \`lhctl local database\`: docker $verb is not possible" ;;
esac
