# Brings the database to the image $NEW. PostgreSQL's major version stays, and the new image must
# carry the library of every version of the extension that is in use: the server could else not
# even read its catalog. Until a catalog was updated there is a way back, and a failure takes it.
admin() { sql -d postgres; }
log() { say "$@" >&2; }
keep=/var/lib/lhctl/before-upgrade
alone restore "a restore, a drill or an upgrade"
VERSION="SELECT split_part(current_setting('server_version'), ' ', 1)"
# A way back that was cut off may have left nothing that serves.
server=$(admin <<<"$VERSION") || { [ -d "$keep" ] && /usr/local/sbin/lhctl-host-setup >&2 && server=$(admin <<<"$VERSION"); } ||
  die 1 "the database does not answer"
running=$(docker inspect -f '{{.Config.Image}}' timescaledb)
old=$running
# After an interrupted run it may be the new one that runs already.
# shellcheck source=/dev/null
[ ! -f "$keep/host.conf" ] || old=$(. "$keep/host.conf" && echo "$IMAGE")

# Lines of a version of the extension and the database that has it; template1 too, from which others
# are made.
versions() {
  local db version
  while read -r db; do
    version=$(sql -d "$db" <<<"SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    [ -z "$version" ] || echo "$version $db"
  done < <(admin <<<"SELECT datname FROM pg_database WHERE datallowconn ORDER BY datname")
}
installed=$(versions)

log "pulling $NEW"
docker pull -q "$NEW" >/dev/null || die 1 "the image $NEW cannot be pulled: does the tag exist, and can this host reach the registry? Nothing was changed"
# shellcheck disable=SC2016 # expanded in the container
carried=$(docker run --rm --network none --entrypoint sh "$NEW" -c "echo libc \$($LIBC)"'
postgres --version
sed -n "s/^default_version *= *.\([0-9][^'"'"']*\).*/default \1/p" "$(pg_config --sharedir)/extension/timescaledb.control"
ls "$(pg_config --pkglibdir)" "$(pg_config --sharedir)/extension"') || die 1 "the image $NEW cannot be looked into. Nothing was changed"
brings=$(sed -n 's/^postgres[^0-9]*\([0-9.]*\).*/\1/p' <<<"$carried")
libc=$(sed -n 's/^libc //p' <<<"$carried")
mine=$(docker exec timescaledb sh -c "$LIBC") || die 1 "the running container cannot be looked into. Nothing was changed"
newest=$(sed -n 's/^default //p' <<<"$carried")

misfits=()
[ "${brings%%.*}" = "${server%%.*}" ] ||
  misfits+=("it has PostgreSQL $brings, and the data are of $server: another major version needs a dump and a restore")
[ "$libc" = "$mine" ] ||
  misfits+=("its C library is $libc, and that of the running image $mine: they sort text differently, and every index on text would be wrong. It needs a dump and a restore")
[ -n "$newest" ] || misfits+=("it does not have the extension timescaledb")
while read -r version db; do
  [ -n "$db" ] || continue
  grep -qx "timescaledb-$version\.so" <<<"$carried" ||
    misfits+=("it does not carry the library of TimescaleDB $version, which the database $db has: go to a version in between first")
  [ "$version" = "$newest" ] || grep -qx "timescaledb--$version--$newest\.sql" <<<"$carried" ||
    misfits+=("there is no way from TimescaleDB $version, which the database $db has, to its $newest")
done <<<"$installed"

answer() {
  local m all='' dbs='' db version
  for m in "${misfits[@]}"; do all+=",$(text <<<"$m")"; done
  while read -r version db; do
    [ -z "$db" ] || dbs+=",{\"name\":$(text <<<"$db"),\"timescaledb\":$(text <<<"$version")}"
  done <<<"$installed"
  echo "{\"from\":$(text <<<"$old"),\"to\":$(text <<<"$NEW"),\"server\":\"$server\",\"new_server\":\"$brings\",\
\"timescaledb\":\"$newest\",\"databases\":[${dbs:1}],\"misfits\":[${all:1}],\"needed\":$1,\"seconds\":$SECONDS}"
}
needed=false
[ "$running" = "$NEW" ] || needed=true
! grep -qv "^$newest " <<<"$installed" || needed=true
[ ! -d "$keep" ] || needed=true
if [ "$MODE" = plan ] || [ "$needed" = false ]; then
  answer "$needed"
  exit
fi
[ "${#misfits[@]}" = 0 ] || die 5 "refused: $NEW does not fit: $(printf '%s; ' "${misfits[@]}" | sed 's/; $//'). Nothing was changed"

# Goes whole or not at all: without its note of what was updated, the rest of it would lead back.
forget() {
  rm -rf "$keep.done"
  mv -T "$keep" "$keep.done"
  rm -rf "$keep.done"
}
way_back() {
  local rc=$? names by
  trap - EXIT
  [ "$rc" != 0 ] || exit 0
  if [ -e "$keep/updated" ]; then
    # By the last image that updated one, which need not be that of this run.
    names=$(cut -d ' ' -f 2- "$keep/updated" | sort -u | paste -sd , | sed 's/,/, /g')
    by=$(tail -n 1 "$keep/updated" | cut -d ' ' -f 1)
    log "the catalog of $names was updated, or may have been: only $by serves it, and $old cannot read it any more"
    if admin >/dev/null 2>&1 <<<'SELECT 1'; then
      log "it answers: run the upgrade to $by again, or restore the dump that was made before"
    else
      log "it does not answer: the lines above say why. Once that is mended, /usr/local/sbin/lhctl-host-setup on the host, or a reboot, starts it; then run the upgrade again. Else the snapshot and the dump that were made before are the ways back"
    fi
  elif [ -d "$keep" ]; then
    log "going back to $old"
    cp -p "$keep/host.conf" /etc/lhctl/host.conf
    cp -p "$keep/docker-compose.yml" /opt/docker-compose.yml
    # In a session of its own: who ends this run, hard in the end, does not end the way back.
    if setsid -f -w /usr/local/sbin/lhctl-host-setup >&2; then
      forget
      log "$old serves again, as before"
    else
      log "$old does not start either: see the lines above; the files of before are in $keep"
    fi
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
while read -r version db; do
  if [ -z "$db" ] || [ "$version" = "$newest" ]; then continue; fi
  log "updating the extension in $db from $version to $newest"
  # Noted before it is done, on the disk: from then on no run may go back, whatever ended this one.
  first=
  [ -e "$keep/updated" ] || first=1
  echo "$NEW $db" >>"$keep/updated"
  sync "$keep/updated" "$keep"
  # The first statement of its session: a library that is loaded already cannot be exchanged.
  rc=0
  sql -d "$db" <<<'ALTER EXTENSION timescaledb UPDATE' || rc=$?
  # 3, by psql: the server refused it, and so undid it. A lost session says nothing of its end.
  [ "$rc" != 3 ] || [ -z "$first" ] || rm "$keep/updated"
  [ "$rc" = 0 ] || die 1 "the extension in $db was not updated"
done <<<"$(versions)"
installed=$(versions)
! grep -qv "^$newest " <<<"$installed" || die 1 "not every database has TimescaleDB $newest: $installed"
tcp_ok || die 1 "the database does not answer over TCP"
forget
log "$NEW serves, with TimescaleDB $newest"
answer true
