-- The same of these raw objects of an arrival hour alone.
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
    WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12')))
        AND "$path" IN ('s3://lake/raw/telemetry/year=2026/month=11/day=05/hour=12/new.gz')
),
parsed AS (
    SELECT object, year, month, day, hour, line,
        CASE WHEN NOT (strpos(line, '\u') > 0 AND regexp_like(regexp_replace(line, '\\(?:["\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})', ''), '\\u[dD][89a-fA-F]')) AND NOT CASE WHEN length(line) - length(replace(replace(line, '[', ''), '{', '')) <= 100 THEN false ELSE regexp_like(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(line, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{]') END THEN TRY(json_parse(line)) END AS j
    FROM lines
),
messages AS (
    SELECT object, year, month, day, hour, line, j, json_size(j, '$') AS fields,
        json_extract(j, '$.v') AS v_sent,
        json_extract(j, '$.device_id') AS device_id_sent,
        json_extract(j, '$.sent_at') AS sent_at_sent,
        json_extract(j, '$.fw') AS fw_sent,
        json_extract(j, '$.readings') AS readings_sent,
        json_extract(j, '$.iot_tenant') AS iot_tenant_sent,
        json_extract(j, '$.iot_site') AS iot_site_sent,
        json_extract(j, '$.iot_device') AS iot_device_sent,
        json_extract(j, '$.iot_received_at') AS iot_received_at_sent,
        json_extract(j, '$.iot_client') AS iot_client_sent,
        json_extract(j, '$.iot_trace') AS iot_trace_sent,
        json_extract(j, '$.iot_payload') AS iot_payload_sent
    FROM parsed
),
identified AS (
    SELECT *, coalesce(cardinality(readings) > 0, false) AS has_readings,
        coalesce(json_format(iot_tenant_sent) LIKE '"_%"' AND json_format(iot_site_sent) LIKE '"_%"' AND json_format(iot_device_sent) LIKE '"_%"'
            AND regexp_like(json_format(iot_received_at_sent), '^[0-9]{1,14}$'), false) AS is_identified
    FROM (
        SELECT *, TRY(CAST(readings_sent AS ARRAY(JSON))) AS readings
        FROM messages
    )
),
senders AS (
    SELECT *,
        CASE WHEN is_identified THEN CASE WHEN json_format(iot_tenant_sent) LIKE '"%' THEN json_extract_scalar(iot_tenant_sent, '$') END END AS tenant,
        CASE WHEN is_identified THEN CASE WHEN json_format(iot_site_sent) LIKE '"%' THEN json_extract_scalar(iot_site_sent, '$') END END AS site,
        CASE WHEN is_identified THEN CASE WHEN json_format(iot_device_sent) LIKE '"%' THEN json_extract_scalar(iot_device_sent, '$') END END AS device_id,
        CASE WHEN is_identified
            THEN TIMESTAMP '1970-01-01 00:00:00.000' + INTERVAL '0.001' SECOND * TRY_CAST(json_format(iot_received_at_sent) AS BIGINT) END AS received_at,
        CASE WHEN is_identified THEN CASE WHEN json_format(iot_trace_sent) LIKE '"%' THEN json_extract_scalar(iot_trace_sent, '$') END END AS message_id,
        CASE WHEN is_identified AND has_readings THEN CASE WHEN json_format(fw_sent) NOT IN ('"Infinity"', '"-Infinity"') THEN CASE WHEN json_format(fw_sent) LIKE '"%' THEN json_extract_scalar(fw_sent, '$') END END END AS fw,
        CASE WHEN is_identified AND readings_sent IS NULL
            THEN TRY(from_utf8(from_base64(CASE WHEN json_format(iot_payload_sent) LIKE '"%' THEN json_extract_scalar(iot_payload_sent, '$') END))) END AS payload_text,
        CASE WHEN is_identified AND has_readings AND fields > (if(v_sent IS NULL, 0, 1) + if(device_id_sent IS NULL, 0, 1) + if(sent_at_sent IS NULL, 0, 1) + if(fw_sent IS NULL, 0, 1) + if(readings_sent IS NULL, 0, 1) + if(iot_tenant_sent IS NULL, 0, 1) + if(iot_site_sent IS NULL, 0, 1) + if(iot_device_sent IS NULL, 0, 1) + if(iot_received_at_sent IS NULL, 0, 1) + if(iot_client_sent IS NULL, 0, 1) + if(iot_trace_sent IS NULL, 0, 1))
            THEN transform_keys(map_filter(TRY(CAST(j AS MAP(VARCHAR, JSON))), (k, v) -> NOT contains(ARRAY['v', 'device_id', 'sent_at', 'fw', 'readings', 'iot_tenant', 'iot_site', 'iot_device', 'iot_received_at', 'iot_client', 'iot_trace'], k)), (k, v) -> 'message.' || k) END AS of_message
    FROM identified
),
reasoned AS (
    SELECT object, year, month, day, hour, line, tenant, site, device_id, received_at, message_id, fw, of_message,
        payload_text, CASE WHEN is_identified AND has_readings THEN readings ELSE ARRAY[CAST(NULL AS JSON)] END AS readings,
        (fw_sent IS NOT NULL AND json_format(fw_sent) <> 'null') AND (fw IS NULL OR (length(fw) > 64 OR strpos(fw, chr(0)) > 0)) AS wrong_fw,
        CASE WHEN payload_text IS NOT NULL THEN CASE WHEN json_format(iot_payload_sent) LIKE '"%' THEN json_extract_scalar(iot_payload_sent, '$') END END AS payload_base64,
        CASE
            WHEN j IS NULL THEN 'malformed_json'
            WHEN NOT is_identified THEN 'not_from_ingest'
            WHEN has_readings THEN CASE
                WHEN coalesce(json_format(v_sent), '') <> '1' THEN 'unsupported_version'
                WHEN (device_id_sent IS NOT NULL AND json_format(device_id_sent) <> 'null') AND json_format(device_id_sent) <> json_format(iot_device_sent)
                    THEN 'device_mismatch'
                END
            WHEN payload_text IS NULL THEN 'no_readings'
            WHEN (strpos(payload_text, '\u') > 0 AND regexp_like(regexp_replace(payload_text, '\\(?:["\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})', ''), '\\u[dD][89a-fA-F]')) OR CASE WHEN length(payload_text) - length(replace(replace(payload_text, '[', ''), '{', '')) <= 100 THEN false ELSE regexp_like(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(payload_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*(?:[\[{][^\[\]{}]*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}][^\[\]{}]*)*[\]}]', ''), '[\[{]') END THEN 'malformed_json'
            WHEN TRY(json_parse(payload_text)) IS NULL
                OR to_base64(to_utf8(payload_text)) <> CASE WHEN json_format(iot_payload_sent) LIKE '"%' THEN json_extract_scalar(iot_payload_sent, '$') END THEN 'malformed_json'
            ELSE 'no_readings' END AS message_reason
    FROM senders
),
records AS (
    SELECT object, year, month, day, hour, line, tenant, site, device_id, received_at, message_id, payload_base64, fw,
        wrong_fw, of_message, message_reason, payload_text, position, r
    FROM reasoned
    CROSS JOIN UNNEST(readings) WITH ORDINALITY AS t(r, position)
),
fields AS (
    SELECT *, json_size(r, '$') AS fields, json_array_length(r) IS NOT NULL AS is_array,
        json_extract(r, '$.ts') AS ts_sent,
        json_extract(r, '$.seq') AS seq_sent,
        json_extract(r, '$.unit') AS unit,
        json_extract(r, '$.location') AS location,
        json_extract(r, '$.temperature') AS temperature_sent,
        json_extract(r, '$.humidity') AS humidity_sent,
        json_extract(r, '$.pressure') AS pressure_sent,
        json_extract(r, '$.flow_rate') AS flow_rate_sent,
        json_extract(r, '$.battery') AS battery_sent,
        json_extract(r, '$.rssi') AS rssi_sent
    FROM records
),
known AS (
    SELECT *, json_format(ts_sent) AS ts_text, TRY_CAST(json_format(seq_sent) AS BIGINT) AS seq,
        CASE WHEN r IS NULL OR is_array THEN false WHEN fields > 0 THEN true ELSE json_format(r) = '{}' END AS is_object,
        fields > (if(ts_sent IS NULL, 0, 1) + if(seq_sent IS NULL, 0, 1) + if(unit IS NULL, 0, 1) + if(location IS NULL, 0, 1) + if(temperature_sent IS NULL, 0, 1) + if(humidity_sent IS NULL, 0, 1) + if(pressure_sent IS NULL, 0, 1) + if(flow_rate_sent IS NULL, 0, 1) + if(battery_sent IS NULL, 0, 1) + if(rssi_sent IS NULL, 0, 1)) AS has_unknown_fields,
        TRY_CAST(json_format(temperature_sent) AS DOUBLE) AS temperature_value,
        TRY_CAST(json_format(humidity_sent) AS DOUBLE) AS humidity_value,
        TRY_CAST(json_format(pressure_sent) AS DOUBLE) AS pressure_value,
        TRY_CAST(json_format(flow_rate_sent) AS DOUBLE) AS flow_rate_value,
        TRY_CAST(json_format(battery_sent) AS DOUBLE) AS battery_value,
        TRY_CAST(json_format(rssi_sent) AS DOUBLE) AS rssi_value,
        CASE WHEN location IS NOT NULL THEN TRY_CAST(json_format(json_extract(location, '$.lat')) AS DOUBLE) END AS lat,
        CASE WHEN location IS NOT NULL THEN TRY_CAST(json_format(json_extract(location, '$.lon')) AS DOUBLE) END AS lon,
        json_size(location, '$') AS places,
        if(json_extract(location, '$.lat') IS NULL, 0, 1)
            + if(json_extract(location, '$.lon') IS NULL, 0, 1) AS known_places,
        json_format(json_extract(unit, '$.temperature')) AS temperature_unit,
        json_format(json_extract(unit, '$.humidity')) AS humidity_unit,
        json_format(json_extract(unit, '$.pressure')) AS pressure_unit,
        json_format(json_extract(unit, '$.flow_rate')) AS flow_rate_unit,
        json_format(json_extract(unit, '$.battery')) AS battery_unit,
        json_format(json_extract(unit, '$.rssi')) AS rssi_unit,
        json_size(unit, '$') AS units
    FROM fields
),
clocks AS (
    SELECT *,
        CASE
            WHEN NOT is_usual AND NOT regexp_like(ts_text, '^"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2})(:[0-9]{2})(?:(:[0-9]{2})(?:[.,]([0-9]{1,9}))?)?(?:Z|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))"$') THEN NULL
            WHEN substr(ts_text, 13, 2) <> '24' OR regexp_like(ts_text, 'T24:00(:00([.,]0+)?)?[Z+-]') THEN
                substr(ts_text, 2, 10) || ' ' || if(is_usual AND substr(ts_text, 13, 2) <> '24',
                    substr(ts_text, 13, length(ts_text) - 14),
                    if(substr(ts_text, 13, 5) = '24:00', '00', substr(ts_text, 13, 2)) || substr(ts_text, 15, 3) || if(substr(ts_text, 18, 1) = ':', substr(ts_text, 18, 3), ':00') || coalesce('.' || regexp_extract(ts_text, '[.,]([0-9]+)', 1), ''))
            END AS clock,
        CASE WHEN NOT is_usual THEN regexp_extract(ts_text, '([+-])([0-9]{2}):?([0-9]{2})"$', 1) END AS zone,
        CASE WHEN NOT is_usual THEN regexp_extract(ts_text, '([+-])([0-9]{2}):?([0-9]{2})"$', 2) END AS zone_hours,
        CASE WHEN NOT is_usual THEN regexp_extract(ts_text, '([+-])([0-9]{2}):?([0-9]{2})"$', 3) END AS zone_minutes
    FROM (
        SELECT *, ts_text LIKE '"____-__-__T__:__:__.___Z"' OR ts_text LIKE '"____-__-__T__:__:__Z"' AS is_usual
        FROM known
    )
),
timed AS (
    SELECT *,
        CASE
            WHEN clock IS NULL THEN
                CASE WHEN regexp_like(ts_text, '^[0-9]{1,14}$') THEN TIMESTAMP '1970-01-01 00:00:00.000' + INTERVAL '0.001' SECOND * CAST(ts_text AS BIGINT) END
            WHEN zone IS NOT NULL THEN local_time - INTERVAL '1' MINUTE * (if(zone = '-', -1, 1) * (CAST(zone_hours AS BIGINT) * 60 + CAST(zone_minutes AS BIGINT)))
            ELSE local_time END AS moment
    FROM (
        SELECT *, TRY_CAST(clock AS TIMESTAMP) + INTERVAL '1' DAY * if(substr(ts_text, 13, 2) = '24', 1, 0) AS local_time
        FROM clocks
    )
),
typed AS (
    SELECT *,
        if(moment BETWEEN TIMESTAMP '0001-01-01 00:00:00.000' AND TIMESTAMP '9999-12-31 23:59:59.999', moment) AS event_time,
        CASE WHEN unit IS NULL THEN temperature_value ELSE CASE temperature_unit WHEN '"F"' THEN temperature_value * DOUBLE '0.5555555555555556' + DOUBLE '-17.77777777777778' ELSE temperature_value END END AS temperature,
        humidity_value AS humidity,
        pressure_value AS pressure,
        flow_rate_value AS flow_rate,
        battery_value AS battery,
        rssi_value AS rssi,
        CASE WHEN is_object AND (of_message IS NOT NULL OR is_object AND has_unknown_fields OR places > known_places OR units > (if(temperature_unit IS NULL, 0, 1) + if(humidity_unit IS NULL, 0, 1) + if(pressure_unit IS NULL, 0, 1) + if(flow_rate_unit IS NULL, 0, 1) + if(battery_unit IS NULL, 0, 1) + if(rssi_unit IS NULL, 0, 1)))
            THEN transform_values(transform_values(transform_values(transform_values(map_concat(coalesce(of_message, CAST(MAP() AS MAP(VARCHAR, JSON))),
            CASE WHEN is_object AND has_unknown_fields THEN coalesce(transform_keys(map_filter(TRY(CAST(r AS MAP(VARCHAR, JSON))), (k, v) -> NOT contains(ARRAY['ts', 'seq', 'unit', 'location', 'temperature', 'humidity', 'pressure', 'flow_rate', 'battery', 'rssi'], k)), (k, v) -> if(regexp_like(k, '^(message|location|unit|reading)\.'), 'reading.' || k, k)), CAST(MAP() AS MAP(VARCHAR, JSON))) ELSE CAST(MAP() AS MAP(VARCHAR, JSON)) END,
            CASE WHEN places > known_places THEN coalesce(transform_keys(map_filter(TRY(CAST(location AS MAP(VARCHAR, JSON))), (k, v) -> NOT contains(ARRAY['lat', 'lon'], k)), (k, v) -> 'location.' || k), CAST(MAP() AS MAP(VARCHAR, JSON))) ELSE CAST(MAP() AS MAP(VARCHAR, JSON)) END,
            CASE WHEN units > (if(temperature_unit IS NULL, 0, 1) + if(humidity_unit IS NULL, 0, 1) + if(pressure_unit IS NULL, 0, 1) + if(flow_rate_unit IS NULL, 0, 1) + if(battery_unit IS NULL, 0, 1) + if(rssi_unit IS NULL, 0, 1)) THEN coalesce(transform_keys(map_filter(TRY(CAST(unit AS MAP(VARCHAR, JSON))), (k, v) -> NOT contains(ARRAY['temperature', 'humidity', 'pressure', 'flow_rate', 'battery', 'rssi'], k)), (k, v) -> 'unit.' || k), CAST(MAP() AS MAP(VARCHAR, JSON))) ELSE CAST(MAP() AS MAP(VARCHAR, JSON)) END), (k, v) -> json_format(v)), (k, v) -> json_parse(v)), (k, v) -> json_format(v)), (k, v) -> nullif(v, 'null')) END AS unknown_fields
    FROM timed
),
kept AS (
    SELECT *,
        CASE WHEN cardinality(unknown_fields) > 0 THEN json_format(CAST(unknown_fields AS JSON)) END AS extras
    FROM typed
),
judged AS (
    SELECT *,
        CASE
            WHEN message_reason IS NOT NULL THEN message_reason
            WHEN NOT is_object THEN 'not_an_object'
            WHEN coalesce(ts_text, 'null') = 'null' THEN 'missing_ts'
            WHEN event_time IS NULL THEN 'invalid_ts'
            WHEN seq IS NULL AND NOT (seq_sent IS NOT NULL AND json_format(seq_sent) <> 'null') THEN 'missing_seq'
            WHEN seq IS NULL THEN 'invalid_seq'
            WHEN event_time < received_at - INTERVAL '2592000' SECOND THEN 'too_late'
            WHEN event_time > received_at + INTERVAL '3600' SECOND THEN 'in_future'
            WHEN coalesce(temperature, humidity, pressure, flow_rate, battery, rssi) IS NULL AND NOT ((temperature_sent IS NOT NULL AND json_format(temperature_sent) <> 'null') OR (humidity_sent IS NOT NULL AND json_format(humidity_sent) <> 'null') OR (pressure_sent IS NOT NULL AND json_format(pressure_sent) <> 'null') OR (flow_rate_sent IS NOT NULL AND json_format(flow_rate_sent) <> 'null') OR (battery_sent IS NOT NULL AND json_format(battery_sent) <> 'null') OR (rssi_sent IS NOT NULL AND json_format(rssi_sent) <> 'null')) THEN 'no_metrics'
            WHEN (temperature IS NULL AND (temperature_sent IS NOT NULL AND json_format(temperature_sent) <> 'null'))
                OR (humidity IS NULL AND (humidity_sent IS NOT NULL AND json_format(humidity_sent) <> 'null'))
                OR (pressure IS NULL AND (pressure_sent IS NOT NULL AND json_format(pressure_sent) <> 'null'))
                OR (flow_rate IS NULL AND (flow_rate_sent IS NOT NULL AND json_format(flow_rate_sent) <> 'null'))
                OR (battery IS NULL AND (battery_sent IS NOT NULL AND json_format(battery_sent) <> 'null'))
                OR (rssi IS NULL AND (rssi_sent IS NOT NULL AND json_format(rssi_sent) <> 'null'))
                OR wrong_fw
                OR CASE WHEN location IS NULL THEN false WHEN lat IS NOT NULL AND lon IS NOT NULL THEN abs(lat) > 90 OR abs(lon) > 180 ELSE CASE WHEN location IS NULL THEN false WHEN places > 0 THEN true ELSE json_format(location) <> 'null' END AND coalesce(cardinality(map_filter(TRY(CAST(location AS MAP(VARCHAR, JSON))), (k, v) -> json_format(v) <> 'null')) > 0, true) END
                OR CASE WHEN extras IS NULL OR (length(extras) <= 16000 AND strpos(extras, 'u0000') = 0) THEN false ELSE cardinality(map_filter(unknown_fields, (k, v) -> (length(k) > 16000 OR strpos(k, chr(0)) > 0) OR length(v) > 16000 OR regexp_like(v, '(?:^|[^\\])(?:\\\\)*\\u0000'))) > 0 END THEN 'invalid_value'
            WHEN CASE WHEN unit IS NULL OR (units > 0 AND units = if(temperature_unit IN ('"C"', '"F"'), 1, 0) + if(humidity_unit IN ('"%"'), 1, 0) + if(pressure_unit IN ('"hPa"'), 1, 0) + if(flow_rate_unit IN ('"L/min"'), 1, 0) + if(battery_unit IN ('"V"'), 1, 0) + if(rssi_unit IN ('"dBm"'), 1, 0)) THEN false
                WHEN CASE WHEN unit IS NULL THEN false WHEN units > 0 THEN true ELSE json_format(unit) <> 'null' END THEN json_array_length(unit) IS NOT NULL OR json_extract_scalar(unit, '$') IS NOT NULL
                OR cardinality(filter(map_keys(TRY(CAST(unit AS MAP(VARCHAR, JSON)))), k -> NOT contains(ARRAY['temperature', 'humidity', 'pressure', 'flow_rate', 'battery', 'rssi'], k) AND (contains(ARRAY['ts', 'seq', 'unit', 'location'], k) OR NOT contains(map_keys(TRY(CAST(r AS MAP(VARCHAR, JSON)))), k)))) > 0
                OR CASE temperature_unit WHEN 'null' THEN temperature IS NOT NULL ELSE temperature_unit NOT IN ('"C"', '"F"') END
                OR CASE humidity_unit WHEN 'null' THEN humidity IS NOT NULL ELSE humidity_unit NOT IN ('"%"') END
                OR CASE pressure_unit WHEN 'null' THEN pressure IS NOT NULL ELSE pressure_unit NOT IN ('"hPa"') END
                OR CASE flow_rate_unit WHEN 'null' THEN flow_rate IS NOT NULL ELSE flow_rate_unit NOT IN ('"L/min"') END
                OR CASE battery_unit WHEN 'null' THEN battery IS NOT NULL ELSE battery_unit NOT IN ('"V"') END
                OR CASE rssi_unit WHEN 'null' THEN rssi IS NOT NULL ELSE rssi_unit NOT IN ('"dBm"') END ELSE false END THEN 'unknown_unit'
            WHEN temperature NOT BETWEEN DOUBLE '-60.0' AND DOUBLE '150.0'
                OR humidity NOT BETWEEN DOUBLE '0.0' AND DOUBLE '100.0'
                OR pressure NOT BETWEEN DOUBLE '300.0' AND DOUBLE '1100.0'
                OR flow_rate NOT BETWEEN DOUBLE '0.0' AND DOUBLE '500.0'
                OR battery NOT BETWEEN DOUBLE '0.0' AND DOUBLE '5.0'
                OR rssi NOT BETWEEN DOUBLE '-130.0' AND DOUBLE '0.0' THEN 'out_of_range'
            ELSE 'valid' END AS outcome
    FROM kept
)
SELECT object, if(outcome <> 'valid', message_id) AS message_id, coalesce(position, 1) AS position, outcome, device_id,
    event_time, seq, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras, tenant, site, fw, received_at,
    CASE WHEN outcome <> 'valid' THEN CASE outcome
        WHEN 'unsupported_version' THEN 'v: expected 1'
        WHEN 'device_mismatch' THEN 'device_id: expected ' || device_id || ', the device of the topic'
        WHEN 'missing_ts' THEN 'ts: expected a time'
        WHEN 'invalid_ts' THEN 'ts: expected ISO-8601 with a zone or epoch milliseconds, got ' || ts_text
        WHEN 'missing_seq' THEN 'seq: expected a whole number'
        WHEN 'invalid_seq' THEN 'seq: expected a whole number, got ' || json_format(seq_sent)
        WHEN 'too_late' THEN 'ts: expected at most 30 days, 0:00:00 before arrival, got ' || ts_text
        WHEN 'in_future' THEN 'ts: expected at most 1:00:00 after arrival, got ' || ts_text
        WHEN 'unknown_unit' THEN 'unit: expected a unit of the contract, got ' || json_format(unit)
        WHEN 'invalid_value' THEN CASE
        WHEN (temperature_sent IS NOT NULL AND json_format(temperature_sent) <> 'null') AND (temperature IS NULL OR temperature NOT BETWEEN DOUBLE '-60.0' AND DOUBLE '150.0') THEN 'temperature: expected a number from -60 to 150 C, got ' || json_format(temperature_sent)
        WHEN (humidity_sent IS NOT NULL AND json_format(humidity_sent) <> 'null') AND (humidity IS NULL OR humidity NOT BETWEEN DOUBLE '0.0' AND DOUBLE '100.0') THEN 'humidity: expected a number from 0 to 100 %, got ' || json_format(humidity_sent)
        WHEN (pressure_sent IS NOT NULL AND json_format(pressure_sent) <> 'null') AND (pressure IS NULL OR pressure NOT BETWEEN DOUBLE '300.0' AND DOUBLE '1100.0') THEN 'pressure: expected a number from 300 to 1100 hPa, got ' || json_format(pressure_sent)
        WHEN (flow_rate_sent IS NOT NULL AND json_format(flow_rate_sent) <> 'null') AND (flow_rate IS NULL OR flow_rate NOT BETWEEN DOUBLE '0.0' AND DOUBLE '500.0') THEN 'flow_rate: expected a number from 0 to 500 L/min, got ' || json_format(flow_rate_sent)
        WHEN (battery_sent IS NOT NULL AND json_format(battery_sent) <> 'null') AND (battery IS NULL OR battery NOT BETWEEN DOUBLE '0.0' AND DOUBLE '5.0') THEN 'battery: expected a number from 0 to 5 V, got ' || json_format(battery_sent)
        WHEN (rssi_sent IS NOT NULL AND json_format(rssi_sent) <> 'null') AND (rssi IS NULL OR rssi NOT BETWEEN DOUBLE '-130.0' AND DOUBLE '0.0') THEN 'rssi: expected a number from -130 to 0 dBm, got ' || json_format(rssi_sent)
        WHEN wrong_fw
            THEN 'fw: expected a text of at most 64 characters without U+0000, other than Infinity'
        WHEN CASE WHEN extras IS NULL OR (length(extras) <= 16000 AND strpos(extras, 'u0000') = 0) THEN false ELSE cardinality(map_filter(unknown_fields, (k, v) -> (length(k) > 16000 OR strpos(k, chr(0)) > 0) OR length(v) > 16000 OR regexp_like(v, '(?:^|[^\\])(?:\\\\)*\\u0000'))) > 0 END
            THEN 'expected names and values of further fields of at most 16000 characters without U+0000'
        ELSE 'location: expected lat and lon in degrees, got ' || json_format(location) END
        WHEN 'out_of_range' THEN CASE
        WHEN (temperature_sent IS NOT NULL AND json_format(temperature_sent) <> 'null') AND (temperature IS NULL OR temperature NOT BETWEEN DOUBLE '-60.0' AND DOUBLE '150.0') THEN 'temperature: expected a number from -60 to 150 C, got ' || json_format(temperature_sent)
        WHEN (humidity_sent IS NOT NULL AND json_format(humidity_sent) <> 'null') AND (humidity IS NULL OR humidity NOT BETWEEN DOUBLE '0.0' AND DOUBLE '100.0') THEN 'humidity: expected a number from 0 to 100 %, got ' || json_format(humidity_sent)
        WHEN (pressure_sent IS NOT NULL AND json_format(pressure_sent) <> 'null') AND (pressure IS NULL OR pressure NOT BETWEEN DOUBLE '300.0' AND DOUBLE '1100.0') THEN 'pressure: expected a number from 300 to 1100 hPa, got ' || json_format(pressure_sent)
        WHEN (flow_rate_sent IS NOT NULL AND json_format(flow_rate_sent) <> 'null') AND (flow_rate IS NULL OR flow_rate NOT BETWEEN DOUBLE '0.0' AND DOUBLE '500.0') THEN 'flow_rate: expected a number from 0 to 500 L/min, got ' || json_format(flow_rate_sent)
        WHEN (battery_sent IS NOT NULL AND json_format(battery_sent) <> 'null') AND (battery IS NULL OR battery NOT BETWEEN DOUBLE '0.0' AND DOUBLE '5.0') THEN 'battery: expected a number from 0 to 5 V, got ' || json_format(battery_sent)
        WHEN (rssi_sent IS NOT NULL AND json_format(rssi_sent) <> 'null') AND (rssi IS NULL OR rssi NOT BETWEEN DOUBLE '-130.0' AND DOUBLE '0.0') THEN 'rssi: expected a number from -130 to 0 dBm, got ' || json_format(rssi_sent) END
        END END AS detail,
    CASE WHEN outcome <> 'valid' THEN if(
            refused_text IS NULL, coalesce(payload_text, line), json_format(json_parse(refused_text))) END
        AS record,
    payload_base64, year, month, day, hour
FROM (
    SELECT *, CASE WHEN outcome <> 'valid' THEN nullif(json_format(r), 'null') END AS refused_text
    FROM judged
)
