-- CTAS of the curated rows of a day, in one partition.
CREATE TABLE build_20261105t120000_0a1b2c3d
WITH (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = 's3://lake/zone/v=20261105T120000_0a1b2c3d/',
    partitioned_by = ARRAY['year', 'month', 'day']
) AS
SELECT device_id, event_time, seq, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras, tenant, site, fw, received_at, duplicates, conflicts, hour, year, month, day
FROM (
    SELECT *, row_number() OVER (PARTITION BY tenant ORDER BY device_id, event_time, seq) AS place
    FROM curated_telemetry
    WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23')))
)
WHERE place > 0
