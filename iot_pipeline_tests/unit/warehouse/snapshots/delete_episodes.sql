-- Remove the episodes that opened on a day.
DELETE FROM lake.alert_episodes
WHERE opened_at >= TIMESTAMP '2026-11-05 00:00:00' AND opened_at < TIMESTAMP '2026-11-06 00:00:00'
