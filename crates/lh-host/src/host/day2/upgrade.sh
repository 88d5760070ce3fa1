# Brings the database to the image $NEW. PostgreSQL's major version stays, and the new image must
# carry the library of every version of the extension that is in use: the server could else not
# even read its catalog. Until a catalog was updated there is a way back, and a failure takes it.
admin() { sql -d postgres; }
log() { say "$@" >&2; }
keep=/var/lib/lhctl/before-upgrade
exec 8>"$RUN/restore.lock"
flock -n 8 || die 1 "a restore, a drill or an upgrade is running on this host, and goes on without the command that began it. Wait until it has ended, then run this again"
server=$(admin <<<"SELECT split_part(current_setting('server_version'), ' ', 1)") || die 1 "the database does not answer"
old=$(docker inspect -f '{{.Config.Image}}' timescaledb)

# Lines of a database and its version of the extension; template1 too, from which others are made.
versions() {
  local db version
  while read -r db; do
    version=$(sql -d "$db" <<<"SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    [ -z "$version" ] || echo "$db $version"
  done < <(admin <<<"SELECT datname FROM pg_database WHERE datallowconn ORDER BY datname")
}
installed=$(versions)

log "pulling $NEW"
docker pull -q "$NEW" >/dev/null || die 1 "the image $NEW cannot be pulled: does the tag exist, and can this host reach the registry? Nothing was changed"
# shellcheck disable=SC2016 # expanded in the container
carried=$(docker run --rm --network none --entrypoint sh "$NEW" -c 'postgres --version
sed -n "s/^default_version *= *.\([0-9][^'"'"']*\).*/default \1/p" "$(pg_config --sharedir)/extension/timescaledb.control"
ls "$(pg_config --pkglibdir)" "$(pg_config --sharedir)/extension"') || die 1 "the image $NEW cannot be looked into. Nothing was changed"
brings=$(sed -n '1s/^[^0-9]*\([0-9.]*\).*/\1/p' <<<"$carried")
newest=$(sed -n 's/^default //p' <<<"$carried")

misfits=()
[ "${brings%%.*}" = "${server%%.*}" ] ||
  misfits+=("it has PostgreSQL $brings, and the data are of $server: another major version needs a dump and a restore")
[ -n "$newest" ] || misfits+=("it does not have the extension timescaledb")
while read -r db version; do
  [ -n "$db" ] || continue
  grep -qx "timescaledb-$version\.so" <<<"$carried" ||
    misfits+=("it does not carry the library of TimescaleDB $version, which the database $db has: go to a version in between first")
  [ "$version" = "$newest" ] || grep -qx "timescaledb--$version--$newest\.sql" <<<"$carried" ||
    misfits+=("there is no way from TimescaleDB $version, which the database $db has, to its $newest")
done <<<"$installed"

answer() {
  local m all='' dbs='' db version
  for m in "${misfits[@]}"; do all+=",$(text <<<"$m")"; done
  while read -r db version; do
    [ -z "$db" ] || dbs+=",{\"name\":$(text <<<"$db"),\"timescaledb\":$(text <<<"$version")}"
  done <<<"$installed"
  echo "{\"from\":$(text <<<"$old"),\"to\":$(text <<<"$NEW"),\"server\":\"$server\",\"new_server\":\"$brings\",\
\"timescaledb\":\"$newest\",\"databases\":[${dbs:1}],\"misfits\":[${all:1}],\"needed\":$1,\"seconds\":$SECONDS}"
}
needed=false
[ "$old" = "$NEW" ] || needed=true
! grep -qv " $newest$" <<<"$installed" || needed=true
[ ! -d "$keep" ] || needed=true
if [ "$MODE" = plan ] || [ "$needed" = false ]; then
  answer "$needed"
  exit
fi
[ "${#misfits[@]}" = 0 ] || die 5 "refused: $NEW does not fit: $(printf '%s; ' "${misfits[@]}" | sed 's/; $//'). Nothing was changed"

updated=
way_back() {
  local rc=$?
  trap - EXIT
  if [ "$rc" != 0 ] && [ -z "$updated" ] && [ -d "$keep" ]; then
    log "going back to $old"
    cp -p "$keep/host.conf" /etc/lhctl/host.conf
    cp -p "$keep/docker-compose.yml" /opt/docker-compose.yml
    if /usr/local/sbin/lhctl-host-setup >&2; then
      rm -rf "$keep"
      log "$old serves again, as before"
    else
      log "$old does not start either: see the lines above; the files of before are in $keep"
    fi
  elif [ "$rc" != 0 ] && [ -n "$updated" ]; then
    log "the catalog of$updated was updated: only $NEW serves it. Run the upgrade again, or restore the dump that was made before it"
  fi
  exit "$rc"
}
# What an interrupted run kept is of before the upgrade; what is there now may not be.
if [ ! -d "$keep" ]; then
  rm -rf "$keep.new"
  mkdir -p "$keep.new"
  cp -p /etc/lhctl/host.conf /opt/docker-compose.yml "$keep.new/"
  sync
  mv -T "$keep.new" "$keep"
fi
trap way_back EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

log "starting $NEW"
refresh >&2 || die 1 "the database does not start with $NEW"
while read -r db version; do
  if [ -z "$db" ] || [ "$version" = "$newest" ]; then continue; fi
  log "updating the extension in $db from $version to $newest"
  # The first statement of its session: a library that is loaded already cannot be exchanged.
  sql -d "$db" <<<'ALTER EXTENSION timescaledb UPDATE' || die 1 "the extension in $db was not updated"
  updated+=" $db"
done <<<"$(versions)"
installed=$(versions)
! grep -qv " $newest$" <<<"$installed" || die 1 "not every database has TimescaleDB $newest: $installed"
tcp_ok || die 1 "the database does not answer over TCP"
rm -rf "$keep"
log "$NEW serves, with TimescaleDB $newest"
answer true
