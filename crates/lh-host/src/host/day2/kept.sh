# What restores of this stack replaced and kept, for `WHERE`; :'db' is the stack's database. One server
# may hold those of several stacks.
# shellcheck disable=SC2016
KEPT="NOT datallowconn AND shobj_description(oid, 'pg_database') LIKE 'lhctl: before %' AND
CASE WHEN shobj_description(oid, 'pg_database') LIKE '%, by the stack of %'
THEN right(shobj_description(oid, 'pg_database'), length(:'db') + 18) = ', by the stack of ' || :'db'
ELSE left(datname, -23) = left(:'db', 40) AND right(datname, 23) ~ '^_before_[0-9]{8}_[0-9]{6}$' END"
