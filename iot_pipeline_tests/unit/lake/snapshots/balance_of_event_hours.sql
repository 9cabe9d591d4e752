-- Per event hour of the curated table: rows, duplicates, conflicts.
SELECT year, month, day, hour, count(*) AS rows, sum(duplicates) AS duplicates, sum(conflicts) AS conflicts
FROM curated_telemetry
WHERE ((year = '2025' AND month = '12' AND day = '31' AND hour IN ('23'))
    OR (year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13')))
GROUP BY year, month, day, hour
