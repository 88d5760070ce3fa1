-- What happens with age: compressed after 7 days, dropped after 90; aggregates are refreshed.
--
-- The refresh policies begin well after what retention drops. A refresh that reaches into dropped
-- chunks would find nothing there and delete the aggregates' rows, which are meant to stay.
ALTER TABLE check_history SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'subscription_id',
    timescaledb.compress_orderby = 'time DESC'
);

ALTER TABLE alert_history SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'subscription_id',
    timescaledb.compress_orderby = 'time DESC'
);

SELECT add_compression_policy('check_history', INTERVAL '7 days');
SELECT add_compression_policy('alert_history', INTERVAL '7 days');

SELECT add_retention_policy('check_history', INTERVAL '90 days');
SELECT add_retention_policy('alert_history', INTERVAL '90 days');

SELECT add_continuous_aggregate_policy(
    'hourly_metrics',
    start_offset => INTERVAL '3 days',
    end_offset => INTERVAL '1 hour',
    schedule_interval => INTERVAL '30 minutes'
);
SELECT add_continuous_aggregate_policy(
    'daily_metrics',
    start_offset => INTERVAL '30 days',
    end_offset => INTERVAL '1 day',
    schedule_interval => INTERVAL '6 hours'
);
