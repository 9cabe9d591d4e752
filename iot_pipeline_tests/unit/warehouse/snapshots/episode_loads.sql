-- What is loaded of the alerts: the content id and the episodes of these days, or of each.
SELECT opened_date, content, episodes
FROM lake.alert_loads
WHERE opened_date IN (TIMESTAMP '2026-11-05 00:00:00', TIMESTAMP '2026-11-08 00:00:00')
