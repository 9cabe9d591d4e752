-- CTAS of what broke the contract in these arrival hours, from the objects that the ledger has seen. `objects` are those of the judged rows (s3://bucket/key) to read; all without them.
CREATE TABLE build_20261105t120000_0a1b2c3d
WITH (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = 's3://lake/zone/v=20261105T120000_0a1b2c3d/',
    partitioned_by = ARRAY['year', 'month', 'day', 'hour']
) AS
SELECT outcome AS reason, detail, record, payload_base64, tenant, site, device_id, event_time, received_at, message_id,
    position, object, year, month, day, hour
FROM judged_telemetry
WHERE outcome <> 'valid'
    AND ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
    AND object IN (SELECT object FROM ledger WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00'))))
    AND "$path" IN ('s3://lake/judged/v=20261105T120000_0a1b2c3d/year=2026/month=11/day=05/hour=12/new')
