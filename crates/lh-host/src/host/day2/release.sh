# The databases that restores of this stack replaced and kept. MODE=list shows them; MODE=run drops them.
admin() { sql -d postgres "$@"; }
alone restore "a restore, a drill or an upgrade"
list() { admin -v db="$DATABASE" <<<"SELECT coalesce(json_agg(json_build_object('name', datname, 'bytes', pg_database_size(datname),
'why', shobj_description(oid, 'pg_database'))), '[]') FROM pg_database WHERE $KEPT"; }
all=$(list) || die 1 "the database does not answer"
if [ "$MODE" = run ]; then
  names=$(admin -v db="$DATABASE" <<<"SELECT datname FROM pg_database WHERE $KEPT")
  while read -r name; do
    [ -n "$name" ] || continue
    case " $ONLY " in *" $name "*) ;; *) continue ;; esac
    admin -v db="$name" <<<'DROP DATABASE :"db" WITH (FORCE)'
    say "dropped $name" >&2
  done <<<"$names"
fi
echo "{\"retained\":${all//$'\n'/ }}"
