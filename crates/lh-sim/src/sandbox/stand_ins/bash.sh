#!/bin/bash
# bash in the sandbox: what it runs speaks of the host's paths and is shown the sandbox's.
here=${0%/*}
map() { sed -E -f "${here%/bin}/map.sed" "$@"; }
case ${1:-} in
  '' | -s) exec /bin/bash "$@" < <(map) ;;
  -c)
    text=$(printf '%s\n' "$2" | map)
    shift 2
    exec /bin/bash -c "$text" "$@"
    ;;
  -*) exec /bin/bash "$@" ;;
  *)
    script=$1
    shift
    exec /bin/bash <(map "$script") "$@"
    ;;
esac
