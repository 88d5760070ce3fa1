# shellcheck shell=bash
# Scripts on the host that outlive the way they came by. Sent with each call, never installed.
# A job is a folder that only root enters: script, out, err, pid, and at its end `status`.
# It ends with the boot, as what it says does.
umask 077
jobs=/run/lhctl/jobs
export HOME="${HOME:-/root}"

# begin ID SECONDS: begins the script on standard input, unless the job was begun before.
begin() {
  local job=$jobs/$1 old
  mkdir -p "$jobs"
  for old in "$jobs"/*/status; do
    if [ -n "$(find "$old" -mmin +60 2>/dev/null)" ]; then rm -rf "${old%/status}"; fi
  done
  # Only one of two that come at once makes the folder.
  mkdir "$job" 2>/dev/null || return 0
  cat >"$job/script"
  # Process groups of their own: the agent ends only its own when it gives up on a command.
  set -m
  work "$job" "$2" </dev/null >/dev/null 2>&1 &
  # Whole or not at all: a job whose pid is empty would look lost.
  echo $! >"$job/pid.new"
  mv "$job/pid.new" "$job/pid"
  set +m
}

# work JOB SECONDS: runs the script and writes how it ended, whoever still listens.
work() {
  local job=$1 child watch status
  # A subshell has none of its own until it asks again.
  set -m
  bash "$job/script" >"$job/out" 2>"$job/err" &
  child=$!
  echo "$child" >"$job/child"
  { sleep "$2"; stop "$job" late; } &
  watch=$!
  wait "$child"
  status="ended $?"
  # The watch that struck is let finish: what the script left behind may be deaf.
  if [ -e "$job/late" ]; then wait "$watch"; status="late 0"; else kill -KILL -- "-$watch"; fi
  if [ -e "$job/cancelled" ]; then status="cancelled 0"; fi
  echo "$status" >"$job/status.new"
  mv "$job/status.new" "$job/status"
}

# stop JOB WHY: ends the script and all that it began; what is deaf to it after five seconds, hard.
stop() {
  local job=$1 child n
  child=$(cat "$job/child" 2>/dev/null) || return 0
  : >"$job/$2"
  kill -TERM -- "-$child" 2>/dev/null
  for ((n = 0; n < 20; n++)); do
    kill -0 -- "-$child" 2>/dev/null || return 0
    sleep 0.25
  done
  kill -KILL -- "-$child" 2>/dev/null
}

# cancel ID: ends the job. One that was not begun cannot be begun afterwards.
cancel() {
  mkdir -p "$jobs"
  if mkdir "$jobs/$1" 2>/dev/null; then
    echo "cancelled 0" >"$jobs/$1/status"
  elif [ -d "$jobs/$1" ] && [ ! -e "$jobs/$1/status" ]; then stop "$jobs/$1" cancelled; fi
}

size() { if [ -e "$1" ]; then wc -c <"$1" | tr -d ' '; else echo 0; fi; }
# chunk FILE OFFSET MOST: in base64, since an offset may cut a character; `-` for nothing.
chunk() {
  local text
  text=$(tail -c "+$(($2 + 1))" "$1" 2>/dev/null | head -c "$3" 2>/dev/null | base64 | tr -d '\n')
  echo "${text:--}"
}

# state JOB: how it stands. Until its `pid` is there, it may be about to begin.
state() {
  if [ ! -d "$1" ]; then
    echo gone 0
  elif [ -e "$1/status" ]; then
    cat "$1/status"
  elif [ -e "$1/pid" ]; then
    if kill -0 "$(cat "$1/pid")" 2>/dev/null || [ -e "$1/status" ]; then echo running 0; else echo lost 0; fi
  elif [ -n "$(find "$1" -maxdepth 0 -mmin +1)" ]; then
    echo lost 0
  else
    echo running 0
  fi
}

# look ID OUT ERR TICKS: one line of how the job stands and what it wrote from these offsets on.
# Returns at its end, a second after it wrote something, or after TICKS quarters of a second.
# Fails while there is more to come; `out` and `err` are then where it goes on.
look() {
  local job=$jobs/$1 n now most=16000 out_size err_size out_text
  out=$2 err=$3
  for ((n = 0; n < $4; n++)); do
    now=$(state "$job")
    [ "${now% *}" = running ] || break
    out_size=$(size "$job/out") err_size=$(size "$job/err")
    if ((out_size + err_size - out - err >= most || (n >= 4 && out_size + err_size > out + err))); then break; fi
    sleep 0.25
  done
  # The state first: what is written after it was asked is read by the next look.
  now=$(state "$job")
  out_size=$(size "$job/out") err_size=$(size "$job/err")
  ((out_size = out_size - out < most ? out_size : out + most))
  ((most -= out_size - out))
  ((err_size = err_size - err < most ? err_size : err + most))
  if [ "$out_size" -lt "$(size "$job/out")" ] || [ "$err_size" -lt "$(size "$job/err")" ]; then now="more 0"; fi
  out_text=$(chunk "$job/out" "$out" $((out_size - out)))
  echo "lhctl-job $now $out $err $out_text $(chunk "$job/err" "$err" $((err_size - err)))"
  out=$out_size err=$err_size
  case $now in running* | more*) return 1 ;; esac
}

# follow ID OUT ERR: look after look until the end.
follow() {
  out=$2 err=$3
  until look "$1" "$out" "$err" 40; do :; done
}
