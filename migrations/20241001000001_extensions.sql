-- TimescaleDB, and the statistics of statements where the server has them.
--
-- The image of the reference stack has both. An engine without pg_stat_statements is no reason to
-- stop here: `lhctl verify` says whether it is there, and whether it is preloaded.
CREATE EXTENSION IF NOT EXISTS timescaledb;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements') THEN
        CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
    END IF;
END
$$;
