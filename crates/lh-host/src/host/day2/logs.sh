# The database's log, as the container keeps it (at most 3 files of 10 MB).
args=(--tail "$LINES_OF_LOG")
[ -z "$SINCE" ] || args+=(--since "$SINCE")
[ -z "$FOLLOW" ] || args+=(--follow)
docker logs "${args[@]}" timescaledb
