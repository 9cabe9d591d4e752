-- Messages and readings of these arrival hours, counted from the raw lines without the transformation.
SELECT year, month, day, hour, count(*) AS messages,
    sum(coalesce(nullif(json_array_length(json_extract(TRY(json_parse(line)), '$.readings')), 0), 1)) AS readings
FROM (
    SELECT line, year, month, day, hour
    FROM raw_lines
    WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
        AND "$path" IN (SELECT object FROM ledger WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00'))))
)
GROUP BY year, month, day, hour
