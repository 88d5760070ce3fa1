# The databases that restores replaced and kept. MODE=list shows them; MODE=run drops them.
admin() { sql -d postgres "$@"; }
exec 8>"$RUN/restore.lock"
flock -n 8 || die 1 "a restore, a drill or an upgrade is running on this host, and goes on without the command that began it. Wait until it has ended, then run this again"
kept="FROM pg_database WHERE NOT datallowconn AND shobj_description(oid, 'pg_database') LIKE 'lhctl: before %'"
list() { admin <<<"SELECT coalesce(json_agg(json_build_object('name', datname, 'bytes', pg_database_size(datname),
'why', shobj_description(oid, 'pg_database'))), '[]') $kept"; }
all=$(list) || die 1 "the database does not answer"
if [ "$MODE" = run ]; then
  names=$(admin <<<"SELECT datname $kept")
  while read -r name; do
    [ -n "$name" ] || continue
    case " $ONLY " in *" $name "*) ;; *) continue ;; esac
    admin -v db="$name" <<<'DROP DATABASE :"db" WITH (FORCE)'
    say "dropped $name" >&2
  done <<<"$names"
fi
echo "{\"retained\":${all//$'\n'/ }}"
