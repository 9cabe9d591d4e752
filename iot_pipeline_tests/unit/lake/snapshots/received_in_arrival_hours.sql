-- Messages and readings of these arrival hours, counted from the raw lines that the ledger has seen, before anything of a reading is looked at; without the objects that cannot be read. Of `objects` alone, if they are given.
WITH lines AS (
    SELECT "$path" AS object, line, year, month, day, hour
    FROM raw_lines
    WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
        OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
        AND "$path" NOT IN ('s3://lake/raw/telemetry/year=2026/month=11/day=05/hour=12/it''s.gz')
        AND "$path" IN ('s3://lake/judged/v=20261105T120000_0a1b2c3d/year=2026/month=11/day=05/hour=12/new')
        AND "$path" IN (SELECT object FROM ledger WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
        OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00'))))
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
received AS (
    SELECT *, CASE WHEN is_identified AND has_readings THEN cardinality(readings) ELSE 1 END AS received
    FROM identified
)
SELECT year, month, day, hour, count(*) AS messages, sum(received) AS readings
FROM received
GROUP BY year, month, day, hour
