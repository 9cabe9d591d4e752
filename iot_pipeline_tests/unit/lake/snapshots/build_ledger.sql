-- CTAS of the ledger of the arrival hours that a judged build holds; of one taken over, with its ledger so far.
CREATE TABLE build_20261105t120000_0a1b2c3d
WITH (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = 's3://lake/zone/v=20261105T120000_0a1b2c3d/',
    partitioned_by = ARRAY['year', 'month', 'day', 'hour']
) AS
SELECT object,
    tenant,
    site,
    event_hour,
    outcome,
    messages,
    readings,
    with_extras,
    unknown_fields,
    first_event,
    last_event,
    last_received,
    min_temperature,
    max_temperature,
    min_humidity,
    max_humidity,
    min_pressure,
    max_pressure,
    min_flow_rate,
    max_flow_rate,
    min_battery,
    max_battery,
    min_rssi,
    max_rssi,
    'transformation 3, contract 1, future 3600'
        || CASE WHEN outcome <> 'too_late' AND date_diff('second', first_event, last_received) < 2592000 THEN '' ELSE ', lateness 2592000' END
        || CASE WHEN unknown_fields IS NOT NULL THEN ''
            WHEN outcome <> 'no_metrics' AND with_extras = 0 THEN ''
            ELSE ', metrics c7ee13d62a37' END
        || CASE WHEN min_temperature IS NULL THEN ''
            WHEN min_temperature >= DOUBLE '-60.0' AND max_temperature <= DOUBLE '150.0' THEN ', temperature 403770438375'
            ELSE ', temperature 403770438375 -60.0 to 150.0' END
        || CASE WHEN min_humidity IS NULL THEN ''
            WHEN min_humidity >= DOUBLE '0.0' AND max_humidity <= DOUBLE '100.0' THEN ', humidity 8a465330b6a9'
            ELSE ', humidity 8a465330b6a9 0.0 to 100.0' END
        || CASE WHEN min_pressure IS NULL THEN ''
            WHEN min_pressure >= DOUBLE '300.0' AND max_pressure <= DOUBLE '1100.0' THEN ', pressure ec8ce3d082f5'
            ELSE ', pressure ec8ce3d082f5 300.0 to 1100.0' END
        || CASE WHEN min_flow_rate IS NULL THEN ''
            WHEN min_flow_rate >= DOUBLE '0.0' AND max_flow_rate <= DOUBLE '500.0' THEN ', flow_rate b32683d0dbba'
            ELSE ', flow_rate b32683d0dbba 0.0 to 500.0' END
        || CASE WHEN min_battery IS NULL THEN ''
            WHEN min_battery >= DOUBLE '0.0' AND max_battery <= DOUBLE '5.0' THEN ', battery a5271c1a9527'
            ELSE ', battery a5271c1a9527 0.0 to 5.0' END
        || CASE WHEN min_rssi IS NULL THEN ''
            WHEN min_rssi >= DOUBLE '-130.0' AND max_rssi <= DOUBLE '0.0' THEN ', rssi e312f4642c8b'
            ELSE ', rssi e312f4642c8b -130.0 to 0.0' END AS judged_by,
    content,
    year, month, day, hour
FROM (
    SELECT *, CASE WHEN with_extras = 0 THEN '[]' WHEN length(names) <= 16000 THEN names END AS unknown_fields
    FROM (
        SELECT object, tenant, site, date_trunc('hour', event_time) AS event_hour, outcome,
            count_if(position = 1) AS messages,
            count(*) AS readings,
            count_if(extras IS NOT NULL) AS with_extras,
            json_format(CAST(
                flatten(map_keys(histogram(map_keys(CAST(json_parse(extras) AS MAP(VARCHAR, JSON))))))
            AS JSON)) AS names,
            min(event_time) AS first_event,
            max(event_time) AS last_event,
            max(received_at) AS last_received,
            min(temperature) AS min_temperature, max(temperature) AS max_temperature,
            min(humidity) AS min_humidity, max(humidity) AS max_humidity,
            min(pressure) AS min_pressure, max(pressure) AS max_pressure,
            min(flow_rate) AS min_flow_rate, max(flow_rate) AS max_flow_rate,
            min(battery) AS min_battery, max(battery) AS max_battery,
            min(rssi) AS min_rssi, max(rssi) AS max_rssi,
            to_hex(checksum(ROW(position, device_id, event_time, seq, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras, tenant, site, fw,
                received_at))) AS content,
            year, month, day, hour
        FROM build_judged_telemetry_20261105t120000_0a1b2c3d
        GROUP BY object, tenant, site, date_trunc('hour', event_time), outcome, year, month, day, hour
    )
)
UNION ALL
SELECT object, tenant, site, event_hour, outcome, messages, readings, with_extras, unknown_fields, first_event, last_event, last_received, min_temperature, max_temperature, min_humidity, max_humidity, min_pressure, max_pressure, min_flow_rate, max_flow_rate, min_battery, max_battery, min_rssi, max_rssi, judged_by, content, year, month, day, hour
FROM ledger
WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12')))
