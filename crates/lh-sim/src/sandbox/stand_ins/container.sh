#!/bin/bash
# A program of the container: psql, pg_dump or pg_isready of the local engine.
program=${0##*/}
case $program in
  psql) exec node "$LHCTL_ENGINE/psql.mjs" "$@" ;;
  *) exec node "$LHCTL_ENGINE/tool.mjs" "$program" "$@" ;;
esac
