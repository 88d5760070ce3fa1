-- What happened when: hypertables, in chunks of a day.
--
-- subscription_id has no foreign key on purpose. Checks are written at a rate at which a look at
-- another table would be felt, and history outlives the subscription it belongs to.
CREATE TABLE check_history (
    time timestamptz NOT NULL,
    subscription_id uuid NOT NULL,
    status text NOT NULL,
    http_status integer,
    latency_ms integer CHECK (latency_ms >= 0),
    error_message text,
    region text
);

SELECT create_hypertable('check_history', by_range('time', INTERVAL '1 day'), create_default_indexes => false);

CREATE INDEX check_history_time_idx ON check_history (time DESC);
CREATE INDEX check_history_subscription_id_time_idx ON check_history (subscription_id, time DESC);

CREATE TABLE alert_history (
    time timestamptz NOT NULL,
    subscription_id uuid NOT NULL,
    alert_channel_id uuid,
    kind text NOT NULL,
    message text,
    delivered boolean NOT NULL DEFAULT false
);

SELECT create_hypertable('alert_history', by_range('time', INTERVAL '1 day'), create_default_indexes => false);

CREATE INDEX alert_history_time_idx ON alert_history (time DESC);
CREATE INDEX alert_history_subscription_id_time_idx ON alert_history (subscription_id, time DESC);
