-- CTAS of these event hours from exactly the objects that the ledger knows in these arrival hours. Which reception of a key wins: lake/winners.py. `objects` are those of the judged rows (s3://bucket/key) to read; all without them.
CREATE TABLE build_20261105t120000_0a1b2c3d
WITH (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = 's3://lake/zone/v=20261105T120000_0a1b2c3d/',
    partitioned_by = ARRAY['year', 'month', 'day', 'hour']
) AS
WITH wanted (event_hour, year, month, day, hour) AS (
    VALUES
        (TIMESTAMP '2025-12-31 23:00:00', '2025', '12', '31', '23'),
        (TIMESTAMP '2026-11-05 12:00:00', '2026', '11', '05', '12'),
        (TIMESTAMP '2026-11-05 13:00:00', '2026', '11', '05', '13')
),
versions AS (
    SELECT device_id, event_time, seq, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras,
        max(tenant) AS tenant, max(site) AS site, max(fw) AS fw,
        max(received_at) AS received_at,
        max(date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00.000', received_at) * 8192 + position) AS arrival,
        count(*) AS receptions
    FROM judged_telemetry
    WHERE outcome = 'valid'
        AND ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13')))
    AND object IN (SELECT object FROM ledger WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))))
    AND "$path" IN ('s3://lake/judged/v=20261105T120000_0a1b2c3d/year=2026/month=11/day=05/hour=12/new')
        AND date_trunc('hour', event_time) IN (SELECT event_hour FROM wanted)
    GROUP BY device_id, event_time, seq, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras
),
ranked AS (
    SELECT *,
        lag(event_time) OVER (PARTITION BY device_id ORDER BY event_time, seq, arrival DESC, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras) AS event_time_before,
        lag(seq) OVER (PARTITION BY device_id ORDER BY event_time, seq, arrival DESC, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras) AS seq_before,
        sum(receptions) OVER (
            PARTITION BY device_id ORDER BY event_time, seq
            RANGE BETWEEN CURRENT ROW AND CURRENT ROW) AS all_receptions
    FROM versions
)
SELECT device_id, event_time, seq, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon,
    CASE WHEN extras IS NOT NULL THEN CAST(json_parse(extras) AS MAP(VARCHAR, VARCHAR)) END AS extras,
    tenant, site, fw, received_at,
    receptions - 1 AS duplicates,
    CAST(all_receptions - receptions AS BIGINT) AS conflicts,
    year, month, day, hour
FROM ranked
JOIN wanted ON event_hour = date_trunc('hour', event_time)
WHERE event_time IS DISTINCT FROM event_time_before OR seq IS DISTINCT FROM seq_before
