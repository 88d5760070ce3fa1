#!/bin/bash
# `postgres` and `pg_config` of an image: the engine, which tells what it carries by its catalog.
here=${0%/*}
ask() { "$here/psql" -XqAt -U postgres -d postgres <<<"$1"; }

case "${0##*/} $*" in
  'postgres --version') echo "postgres (PostgreSQL) $(ask "SELECT split_part(current_setting('server_version'), ' ', 1)")" ;;
  'pg_config --sharedir' | 'pg_config --pkglibdir')
    files=${here%/*}/image
    mkdir -p "$files/extension"
    newest=$(ask "SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'")
    echo "default_version = '$newest'" >"$files/extension/timescaledb.control"
    for version in $(ask "SELECT version FROM pg_available_extension_versions WHERE name = 'timescaledb'"); do
      touch "$files/timescaledb-$version.so"
    done
    echo "$files"
    ;;
  *)
    echo "${0##*/}: the sandbox does not know ${0##*/} $*" >&2
    exit 2
    ;;
esac
