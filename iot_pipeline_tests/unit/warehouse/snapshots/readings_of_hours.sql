-- What is there of these event hours, counted.
SELECT date_trunc('hour', event_time) AS event_hour, count(*) AS readings, sum(duplicates) AS duplicates,
    sum(conflicts) AS conflicts
FROM lake.readings
WHERE (event_time >= TIMESTAMP '2026-11-05 12:00:00' AND event_time < TIMESTAMP '2026-11-05 14:00:00')
    OR (event_time >= TIMESTAMP '2026-11-06 00:00:00' AND event_time < TIMESTAMP '2026-11-06 01:00:00')
GROUP BY 1
