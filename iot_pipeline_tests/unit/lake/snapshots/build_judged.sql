-- CTAS of all readings of these arrival hours, typed and judged: no other statement types raw lines.
CREATE TABLE build_20261105t120000_0a1b2c3d
WITH (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = 's3://lake/zone/v=20261105T120000_0a1b2c3d/',
    partitioned_by = ARRAY['year', 'month', 'day', 'hour']
) AS
WITH lines AS (
    SELECT "$path" AS object, line, year, month, day, hour
    FROM raw_lines
    WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
        OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
),
messages AS (
    SELECT object, year, month, day, hour, line,
        TRY(CAST(json_parse(line) AS ROW(
            v JSON, device_id JSON, fw JSON, readings ARRAY(JSON), iot_tenant VARCHAR, iot_site VARCHAR,
            iot_device VARCHAR, iot_received_at BIGINT, iot_trace VARCHAR))) AS m
    FROM lines
),
loose AS (
    SELECT *,
        CASE WHEN m IS NULL OR m.readings IS NULL OR cardinality(m.readings) = 0
            THEN TRY(CAST(json_parse(line) AS ROW(
                readings JSON, iot_tenant VARCHAR, iot_site VARCHAR, iot_device VARCHAR, iot_received_at BIGINT,
                iot_trace VARCHAR, iot_payload VARCHAR))) END AS e
    FROM messages
),
identified AS (
    SELECT object, year, month, day, hour, line,
        coalesce(m.iot_tenant, e.iot_tenant) AS tenant,
        coalesce(m.iot_site, e.iot_site) AS site,
        coalesce(m.iot_device, e.iot_device) AS device_id,
        date_add('millisecond', coalesce(m.iot_received_at, e.iot_received_at), TIMESTAMP '1970-01-01 00:00:00.000') AS received_at,
        coalesce(m.iot_trace, e.iot_trace) AS message_id,
        e.iot_payload AS payload_base64,
        CASE WHEN e.iot_payload IS NOT NULL THEN from_utf8(from_base64(e.iot_payload)) END AS payload_text,
        json_extract_scalar(m.fw, '$') AS fw,
        coalesce(m.readings, ARRAY[]) AS readings,
        CASE
            WHEN m.readings IS NOT NULL AND cardinality(m.readings) > 0 THEN CASE
                WHEN coalesce(json_format(m.v), '') <> '1' THEN 'unsupported_version'
                WHEN json_extract_scalar(m.device_id, '$') <> m.iot_device THEN 'device_mismatch'
                END
            WHEN m IS NULL AND e IS NULL THEN 'malformed_json'
            WHEN e.iot_payload IS NOT NULL AND (
                TRY(json_parse(from_utf8(from_base64(e.iot_payload)))) IS NULL
                OR to_base64(to_utf8(from_utf8(from_base64(e.iot_payload)))) <> e.iot_payload) THEN 'malformed_json'
            ELSE 'no_readings' END AS message_reason
    FROM loose
),
records AS (
    SELECT object, year, month, day, hour, tenant, site, device_id, received_at, message_id, payload_base64,
        fw, message_reason, position, r, CASE WHEN r IS NULL THEN coalesce(payload_text, line) END AS whole
    FROM identified
    CROSS JOIN UNNEST(
        CASE WHEN cardinality(readings) > 0 THEN readings ELSE ARRAY[CAST(NULL AS JSON)] END
    ) WITH ORDINALITY AS t(r, position)
),
fields AS (
    SELECT object, year, month, day, hour, tenant, site, device_id, received_at, message_id, payload_base64,
        fw, message_reason, position, r, whole, f, f IS NOT NULL AS is_object, f.unit AS unit, f.location AS location,
        nullif(json_format(f.ts), 'null') AS ts_text,
        nullif(json_format(f.seq), 'null') AS seq_text,
        nullif(json_format(f.temperature), 'null') AS temperature_text,
        nullif(json_format(f.humidity), 'null') AS humidity_text,
        nullif(json_format(f.pressure), 'null') AS pressure_text,
        nullif(json_format(f.flow_rate), 'null') AS flow_rate_text,
        nullif(json_format(f.battery), 'null') AS battery_text,
        nullif(json_format(f.rssi), 'null') AS rssi_text
    FROM (
        SELECT *, CASE WHEN json_array_length(r) IS NULL THEN TRY(CAST(r AS ROW(ts JSON, seq JSON, temperature JSON, humidity JSON, pressure JSON, flow_rate JSON, battery JSON, rssi JSON, unit JSON, location JSON))) END AS f
        FROM records
    )
),
typed AS (
    SELECT object, year, month, day, hour, tenant, site, device_id, received_at, message_id, payload_base64,
        fw, message_reason, position, r, whole, is_object, ts_text, seq_text, temperature_text, humidity_text, pressure_text, flow_rate_text, battery_text, rssi_text, unit, location,
        CASE
            WHEN ts_text LIKE '"____-__-__T__:__:__%Z"'
                OR regexp_like(ts_text, '^"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:?[0-9]{2})"$')
                THEN CAST(TRY(from_iso8601_timestamp(ts_unquoted)) AT TIME ZONE 'UTC' AS TIMESTAMP)
            WHEN regexp_like(ts_text, '^[0-9]{1,14}$')
                THEN date_add('millisecond', CAST(ts_text AS BIGINT), TIMESTAMP '1970-01-01 00:00:00.000')
            END AS event_time,
        TRY_CAST(json_format(f.seq) AS BIGINT) AS seq,
        CASE WHEN unit IS NULL THEN TRY_CAST(json_format(f.temperature) AS DOUBLE) ELSE CASE json_extract_scalar(unit, '$.temperature') WHEN 'F' THEN TRY_CAST(json_format(f.temperature) AS DOUBLE) * DOUBLE '0.5555555555555556' + DOUBLE '-17.77777777777778' ELSE TRY_CAST(json_format(f.temperature) AS DOUBLE) END END AS temperature,
        TRY_CAST(json_format(f.humidity) AS DOUBLE) AS humidity,
        TRY_CAST(json_format(f.pressure) AS DOUBLE) AS pressure,
        TRY_CAST(json_format(f.flow_rate) AS DOUBLE) AS flow_rate,
        TRY_CAST(json_format(f.battery) AS DOUBLE) AS battery,
        TRY_CAST(json_format(f.rssi) AS DOUBLE) AS rssi,
        CASE WHEN location IS NOT NULL THEN TRY_CAST(json_format(json_extract(location, '$.lat')) AS DOUBLE) END AS lat,
        CASE WHEN location IS NOT NULL THEN TRY_CAST(json_format(json_extract(location, '$.lon')) AS DOUBLE) END AS lon,
        CASE WHEN json_size(r, '$') > if(ts_text IS NULL, 0, 1) + if(seq_text IS NULL, 0, 1) + if(temperature_text IS NULL, 0, 1) + if(humidity_text IS NULL, 0, 1) + if(pressure_text IS NULL, 0, 1) + if(flow_rate_text IS NULL, 0, 1) + if(battery_text IS NULL, 0, 1) + if(rssi_text IS NULL, 0, 1) + if(unit IS NULL, 0, 1) + if(location IS NULL, 0, 1)
            THEN transform_values(
                map_filter(TRY(CAST(r AS MAP(VARCHAR, JSON))), (k, v) -> NOT contains(ARRAY['ts', 'seq', 'temperature', 'humidity', 'pressure', 'flow_rate', 'battery', 'rssi', 'unit', 'location'], k)),
                (k, v) -> json_format(v)) END AS unknown_fields
    FROM (
        SELECT *, substr(ts_text, 2, length(ts_text) - 2) AS ts_unquoted
        FROM fields
    )
),
judged AS (
    SELECT *,
        CASE WHEN cardinality(unknown_fields) > 0 THEN json_format(CAST(unknown_fields AS JSON)) END AS extras,
        CASE
            WHEN message_reason IS NOT NULL THEN message_reason
            WHEN NOT is_object THEN 'not_an_object'
            WHEN ts_text IS NULL THEN 'missing_ts'
            WHEN event_time IS NULL THEN 'invalid_ts'
            WHEN seq_text IS NULL THEN 'missing_seq'
            WHEN seq IS NULL THEN 'invalid_seq'
            WHEN event_time < received_at - INTERVAL '2592000' SECOND THEN 'too_late'
            WHEN event_time > received_at + INTERVAL '3600' SECOND THEN 'in_future'
            WHEN coalesce(temperature_text, humidity_text, pressure_text, flow_rate_text, battery_text, rssi_text) IS NULL THEN 'no_metrics'
            WHEN (temperature_text IS NOT NULL AND temperature IS NULL)
                OR (humidity_text IS NOT NULL AND humidity IS NULL)
                OR (pressure_text IS NOT NULL AND pressure IS NULL)
                OR (flow_rate_text IS NOT NULL AND flow_rate IS NULL)
                OR (battery_text IS NOT NULL AND battery IS NULL)
                OR (rssi_text IS NOT NULL AND rssi IS NULL)
                OR (unit IS NOT NULL AND (json_extract_scalar(unit, '$') IS NOT NULL OR json_array_length(unit) IS NOT NULL))
                OR (location IS NOT NULL AND ((json_extract_scalar(location, '$') IS NOT NULL OR json_array_length(location) IS NOT NULL) OR (json_size(location, '$') > 0 AND (lat IS NULL OR lon IS NULL OR abs(lat) > 90 OR abs(lon) > 180))))
                OR (length(fw) > 64 OR (unknown_fields IS NOT NULL AND cardinality(map_filter(unknown_fields, (k, v) -> length(k) > 16000 OR length(v) > 16000)) > 0)) THEN 'invalid_value'
            WHEN unit IS NOT NULL AND (json_extract_scalar(unit, '$.temperature') NOT IN ('C', 'F')
                OR json_extract_scalar(unit, '$.humidity') NOT IN ('%')
                OR json_extract_scalar(unit, '$.pressure') NOT IN ('hPa')
                OR json_extract_scalar(unit, '$.flow_rate') NOT IN ('L/min')
                OR json_extract_scalar(unit, '$.battery') NOT IN ('V')
                OR json_extract_scalar(unit, '$.rssi') NOT IN ('dBm')) THEN 'unknown_unit'
            WHEN temperature NOT BETWEEN DOUBLE '-60.0' AND DOUBLE '150.0'
                OR humidity NOT BETWEEN DOUBLE '0.0' AND DOUBLE '100.0'
                OR pressure NOT BETWEEN DOUBLE '300.0' AND DOUBLE '1100.0'
                OR flow_rate NOT BETWEEN DOUBLE '0.0' AND DOUBLE '500.0'
                OR battery NOT BETWEEN DOUBLE '0.0' AND DOUBLE '5.0'
                OR rssi NOT BETWEEN DOUBLE '-130.0' AND DOUBLE '0.0' THEN 'out_of_range'
            ELSE 'valid' END AS outcome
    FROM typed
)
SELECT object, message_id, coalesce(position, 1) AS position, outcome, device_id, event_time, seq,
    temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras, tenant, site, fw, received_at,
    CASE outcome
        WHEN 'unsupported_version' THEN 'v: expected 1'
        WHEN 'device_mismatch' THEN 'device_id: expected ' || device_id || ', the device of the topic'
        WHEN 'missing_ts' THEN 'ts: expected a time'
        WHEN 'invalid_ts' THEN 'ts: expected ISO-8601 with a zone or epoch milliseconds, got ' || ts_text
        WHEN 'missing_seq' THEN 'seq: expected a whole number'
        WHEN 'invalid_seq' THEN 'seq: expected a whole number, got ' || seq_text
        WHEN 'too_late' THEN 'ts: expected at most 30 days, 0:00:00 before arrival, got ' || ts_text
        WHEN 'in_future' THEN 'ts: expected at most 1:00:00 after arrival, got ' || ts_text
        WHEN 'unknown_unit' THEN 'unit: expected a unit of the contract, got ' || json_format(unit)
        WHEN 'invalid_value' THEN CASE
        WHEN temperature_text IS NOT NULL AND (temperature IS NULL OR temperature NOT BETWEEN DOUBLE '-60.0' AND DOUBLE '150.0') THEN 'temperature: expected a number from -60 to 150 C, got ' || temperature_text
        WHEN humidity_text IS NOT NULL AND (humidity IS NULL OR humidity NOT BETWEEN DOUBLE '0.0' AND DOUBLE '100.0') THEN 'humidity: expected a number from 0 to 100 %, got ' || humidity_text
        WHEN pressure_text IS NOT NULL AND (pressure IS NULL OR pressure NOT BETWEEN DOUBLE '300.0' AND DOUBLE '1100.0') THEN 'pressure: expected a number from 300 to 1100 hPa, got ' || pressure_text
        WHEN flow_rate_text IS NOT NULL AND (flow_rate IS NULL OR flow_rate NOT BETWEEN DOUBLE '0.0' AND DOUBLE '500.0') THEN 'flow_rate: expected a number from 0 to 500 L/min, got ' || flow_rate_text
        WHEN battery_text IS NOT NULL AND (battery IS NULL OR battery NOT BETWEEN DOUBLE '0.0' AND DOUBLE '5.0') THEN 'battery: expected a number from 0 to 5 V, got ' || battery_text
        WHEN rssi_text IS NOT NULL AND (rssi IS NULL OR rssi NOT BETWEEN DOUBLE '-130.0' AND DOUBLE '0.0') THEN 'rssi: expected a number from -130 to 0 dBm, got ' || rssi_text
        WHEN json_extract_scalar(unit, '$') IS NOT NULL OR json_array_length(unit) IS NOT NULL
            THEN 'unit: expected an object, got ' || json_format(unit)
        WHEN (length(fw) > 64 OR (unknown_fields IS NOT NULL AND cardinality(map_filter(unknown_fields, (k, v) -> length(k) > 16000 OR length(v) > 16000)) > 0))
            THEN 'expected fw of at most 64 and further fields of at most 16000 characters'
        ELSE 'location: expected lat and lon in degrees, got ' || json_format(location) END
        WHEN 'out_of_range' THEN CASE
        WHEN temperature_text IS NOT NULL AND (temperature IS NULL OR temperature NOT BETWEEN DOUBLE '-60.0' AND DOUBLE '150.0') THEN 'temperature: expected a number from -60 to 150 C, got ' || temperature_text
        WHEN humidity_text IS NOT NULL AND (humidity IS NULL OR humidity NOT BETWEEN DOUBLE '0.0' AND DOUBLE '100.0') THEN 'humidity: expected a number from 0 to 100 %, got ' || humidity_text
        WHEN pressure_text IS NOT NULL AND (pressure IS NULL OR pressure NOT BETWEEN DOUBLE '300.0' AND DOUBLE '1100.0') THEN 'pressure: expected a number from 300 to 1100 hPa, got ' || pressure_text
        WHEN flow_rate_text IS NOT NULL AND (flow_rate IS NULL OR flow_rate NOT BETWEEN DOUBLE '0.0' AND DOUBLE '500.0') THEN 'flow_rate: expected a number from 0 to 500 L/min, got ' || flow_rate_text
        WHEN battery_text IS NOT NULL AND (battery IS NULL OR battery NOT BETWEEN DOUBLE '0.0' AND DOUBLE '5.0') THEN 'battery: expected a number from 0 to 5 V, got ' || battery_text
        WHEN rssi_text IS NOT NULL AND (rssi IS NULL OR rssi NOT BETWEEN DOUBLE '-130.0' AND DOUBLE '0.0') THEN 'rssi: expected a number from -130 to 0 dBm, got ' || rssi_text END
        END AS detail,
    CASE WHEN outcome = 'valid' THEN NULL WHEN whole IS NOT NULL THEN whole ELSE json_format(r) END AS record,
    payload_base64, year, month, day, hour
FROM judged
