-- A day of a subscription in a row; what hourly_metrics says of reading holds here too.
CREATE MATERIALIZED VIEW daily_metrics
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket(INTERVAL '1 day', time) AS day,
    subscription_id,
    count(*) AS total_checks,
    count(*) FILTER (WHERE status IN ('success', 'ok', 'up', 'healthy')) AS successful_checks,
    avg(CASE WHEN status IN ('success', 'ok', 'up', 'healthy') THEN 1.0 ELSE 0.0 END)::double precision AS uptime_ratio,
    avg(latency_ms)::double precision AS avg_latency_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95_latency_ms,
    min(latency_ms) AS min_latency_ms,
    max(latency_ms) AS max_latency_ms
FROM check_history
GROUP BY 1, 2
WITH NO DATA;
