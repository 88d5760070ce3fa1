//! Questions and changes in SQL, as text: each answers with lines of JSON, whichever way it goes
//! to the database (a session of psql on the host, or a connection from here).

/// A literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\0', ""))
}

/// Whether the database has `pg_stat_statements`: `true` or `false`.
#[must_use]
pub fn has_statements() -> String {
    "SELECT (to_regclass('pg_stat_statements_info') IS NOT NULL)::text;".to_owned()
}

/// The `top` statements that took most time in this database; one object, as [`super::SlowQueries`].
///
/// `pg_stat_statements` leaves constants out of queries alone: utility statements, such as `ALTER
/// ROLE … PASSWORD '…'`, it keeps as they were typed, and so their strings are left out here.
#[must_use]
pub fn slow_queries(top: u32) -> String {
    format!(
        "SELECT jsonb_build_object('since', (SELECT stats_reset FROM pg_stat_statements_info), 'queries', \
         (SELECT coalesce(jsonb_agg(q ORDER BY q.total_ms DESC), '[]') FROM (SELECT s.queryid::text AS id, \
         round(s.total_exec_time::numeric, 1) AS total_ms, round(s.mean_exec_time::numeric, 2) AS mean_ms, s.calls, s.rows, \
         left(regexp_replace(CASE WHEN s.query ~* '{QUERY}' THEN s.query \
         ELSE regexp_replace(regexp_replace(s.query, '{DOLLARS}', '''…''', 'g'), '{STRING}', '''…''', 'g') END, \
         '\\s+', ' ', 'g'), 500) AS query FROM pg_stat_statements s \
         JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database() \
         ORDER BY s.total_exec_time DESC LIMIT {top}) q))::text;"
    )
}

/// Statements whose constants are left out already.
const QUERY: &str = r"^\s*(select|insert|update|delete|merge|with|values)\M";
/// `$tag$…$tag$`.
const DOLLARS: &str = r"\$(\w*)\$.*?\$\1\$";
/// `'…'`, with what can stand inside it, and to the end of the text where that was cut off.
const STRING: &str = r"''([^''\\]|\\.|'''')*''?";

/// The chunks that a compression policy should have compressed by now; one list of
/// [`super::ChunkToCompress`].
#[must_use]
pub fn compressible() -> String {
    "SELECT coalesce(jsonb_agg(c ORDER BY c.ends), '[]')::text FROM (SELECT k.hypertable_schema || '.' || k.hypertable_name AS hypertable, \
     k.chunk_schema AS schema, k.chunk_name AS name, k.range_end AS ends, \
     pg_total_relation_size(format('%I.%I', k.chunk_schema, k.chunk_name)::regclass) AS bytes, j.config->>'compress_after' AS after \
     FROM timescaledb_information.jobs j JOIN timescaledb_information.chunks k \
     ON (k.hypertable_schema, k.hypertable_name) = (j.hypertable_schema, j.hypertable_name) \
     WHERE j.proc_name = 'policy_compression' AND NOT k.is_compressed \
     AND k.range_end < now() - (j.config->>'compress_after')::interval) c;"
        .to_owned()
}

/// Compresses one chunk; answers with a [`super::Compressed`].
#[must_use]
pub fn compress(schema: &str, name: &str, hypertable: &str) -> Vec<String> {
    let chunk = format!("format('%I.%I', {}::text, {}::text)::regclass", quoted(schema), quoted(name));
    let (table_schema, table) = hypertable.split_once('.').unwrap_or(("public", hypertable));
    let table = format!("format('%I.%I', {}::text, {}::text)::regclass", quoted(table_schema), quoted(table));
    vec![
        format!("SELECT compress_chunk({chunk}, true)::text;"),
        format!(
            "SELECT jsonb_build_object('name', chunk_name, 'before_bytes', before_compression_total_bytes, \
             'after_bytes', after_compression_total_bytes)::text FROM chunk_compression_stats({table}) \
             WHERE chunk_name = {} AND chunk_schema = {};",
            quoted(name),
            quoted(schema)
        ),
    ]
}

/// Every retention policy, what goes under it when it runs next, and the refresh policies that
/// must begin inside it; one list of [`super::Retention`]. With `after`, such as `90 days`, as if
/// that were each policy's age already.
#[must_use]
pub fn retention(after: Option<&str>) -> String {
    let age = after
        .map_or_else(|| "j.config->>'drop_after'".to_owned(), |after| format!("{}::text", quoted(after)));
    format!(
        "SELECT coalesce(jsonb_agg(p ORDER BY p.hypertable), '[]')::text FROM (SELECT j.job_id AS job, \
         j.hypertable_schema || '.' || j.hypertable_name AS hypertable, j.config->>'drop_after' AS after, j.scheduled, \
         (SELECT coalesce(jsonb_agg(jsonb_build_object('name', k.chunk_name, 'ends', k.range_end, \
         'bytes', pg_total_relation_size(format('%I.%I', k.chunk_schema, k.chunk_name)::regclass)) ORDER BY k.range_end), '[]') \
         FROM timescaledb_information.chunks k WHERE (k.hypertable_schema, k.hypertable_name) = (j.hypertable_schema, j.hypertable_name) \
         AND k.range_end < now() - ({age})::interval) AS goes, \
         (SELECT coalesce(jsonb_agg(jsonb_build_object('view', c.view_schema || '.' || c.view_name, 'start', r.config->>'start_offset', \
         'inside', coalesce((r.config->>'start_offset')::interval <= ({age})::interval, false)) ORDER BY c.view_name), '[]') \
         FROM timescaledb_information.continuous_aggregates c JOIN timescaledb_information.jobs r \
         ON r.proc_name = 'policy_refresh_continuous_aggregate' AND ((r.hypertable_schema, r.hypertable_name) = (c.view_schema, c.view_name) \
         OR (r.hypertable_schema, r.hypertable_name) = (c.materialization_hypertable_schema, c.materialization_hypertable_name)) \
         WHERE (c.hypertable_schema, c.hypertable_name) = (j.hypertable_schema, j.hypertable_name)) AS refreshes \
         FROM timescaledb_information.jobs j WHERE j.proc_name = 'policy_retention') p;"
    )
}

/// Sets the age at which a policy drops chunks. `alter_job` replaces the whole configuration, so
/// the new one is the old one with one member changed.
#[must_use]
pub fn set_retention(job: i64, after: &str) -> String {
    format!(
        "SELECT jsonb_build_object('job', job_id)::text FROM (SELECT (alter_job(job_id, config => \
         jsonb_set(config, '{{drop_after}}', to_jsonb({}::text)))).job_id FROM timescaledb_information.jobs \
         WHERE job_id = {job} AND proc_name = 'policy_retention') a;",
        quoted(after)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guide_defect_13_a_policy_keeps_the_rest_of_its_configuration() {
        let text = set_retention(1001, "90 days");
        assert!(
            text.contains("config => jsonb_set(config, '{drop_after}', to_jsonb('90 days'::text))"),
            "{text}"
        );
    }

    #[test]
    fn texts_are_literals() {
        assert!(set_retention(1, "1' day").contains("'1'' day'"));
        assert!(compress("s", "x'); DROP TABLE t; --", "public.t")[0].contains("'x''); DROP TABLE t; --'"));
    }
}
