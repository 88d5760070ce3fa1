-- An hour of a subscription in a row.
--
-- WITH NO DATA, because WITH DATA cannot run in a transaction. The policy of the last migration
-- fills it, and hours that it has not reached yet are computed when they are read
-- (materialized_only is off), so a reader never sees an empty view over full history.
CREATE MATERIALIZED VIEW hourly_metrics
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket(INTERVAL '1 hour', time) AS hour,
    subscription_id,
    count(*) AS total_checks,
    count(*) FILTER (WHERE status IN ('success', 'ok', 'up', 'healthy')) AS successful_checks,
    avg(CASE WHEN status IN ('success', 'ok', 'up', 'healthy') THEN 1.0 ELSE 0.0 END)::double precision AS uptime_ratio,
    avg(latency_ms)::double precision AS avg_latency_ms,
    min(latency_ms) AS min_latency_ms,
    max(latency_ms) AS max_latency_ms
FROM check_history
GROUP BY 1, 2
WITH NO DATA;
