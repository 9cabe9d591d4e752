-- The same, and how many of its rows have a device and a `seq` that these hours hold already. The rest of a key, the time, is nine tenths of the bytes that all of it would read.
SELECT added.year, added.month, added.day, added.hour, count(*) AS rows, sum(added.duplicates) AS duplicates, sum(added.conflicts) AS conflicts,
    count(standing.device_id) AS known
FROM build_curated_telemetry_20261105t120000_0a1b2c3d AS added
LEFT JOIN (
    SELECT DISTINCT device_id, seq
    FROM curated_telemetry
    WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
) AS standing ON standing.device_id = added.device_id
    AND standing.seq = added.seq
GROUP BY added.year, added.month, added.day, added.hour
