-- Per event hour of a curated build: how many of its rows have a key that these hours hold already.
SELECT added.year, added.month, added.day, added.hour, count(*) AS known
FROM build_curated_telemetry_20261105t120000_0a1b2c3d AS added
JOIN (
    SELECT DISTINCT device_id, event_time, seq
    FROM curated_telemetry
    WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
) AS standing ON standing.device_id = added.device_id
    AND standing.event_time = added.event_time
    AND standing.seq = added.seq
GROUP BY added.year, added.month, added.day, added.hour
