-- CTAS of the ledger of the arrival hours that a judged build holds.
CREATE TABLE build_20261105t120000_0a1b2c3d
WITH (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = 's3://lake/zone/v=20261105T120000_0a1b2c3d/',
    partitioned_by = ARRAY['year', 'month', 'day', 'hour']
) AS
SELECT object, tenant, site, date_trunc('hour', event_time) AS event_hour, outcome,
    count_if(position = 1) AS messages,
    count(*) AS readings,
    count_if(extras IS NOT NULL) AS with_extras,
    min(event_time) AS first_event,
    max(event_time) AS last_event,
    max(received_at) AS last_received,
    year, month, day, hour
FROM build_judged_telemetry_20261105t120000_0a1b2c3d
GROUP BY object, tenant, site, date_trunc('hour', event_time), outcome, year, month, day, hour
