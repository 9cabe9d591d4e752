-- The episodes that opened on a day, as they are loaded: rows, and ids, of which none may be there twice.
SELECT count(*), count(DISTINCT episode_id)
FROM lake.alert_episodes
WHERE opened_at >= TIMESTAMP '2026-11-05 00:00:00' AND opened_at < TIMESTAMP '2026-11-06 00:00:00'
