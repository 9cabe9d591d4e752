-- Forget what was noted of an event hour.
DELETE FROM lake.loads
WHERE event_hour = TIMESTAMP '2026-11-05 12:00:00'
