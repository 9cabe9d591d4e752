-- What is loaded of these event hours, as it was noted.
SELECT event_hour, content, readings, duplicates, conflicts
FROM lake.loads
WHERE event_hour IN (TIMESTAMP '2026-11-05 12:00:00', TIMESTAMP '2026-11-05 13:00:00', TIMESTAMP '2026-11-06 00:00:00')
