-- Remove an event hour's readings.
DELETE FROM lake.readings
WHERE event_time >= TIMESTAMP '2026-11-05 12:00:00' AND event_time < TIMESTAMP '2026-11-05 13:00:00'
