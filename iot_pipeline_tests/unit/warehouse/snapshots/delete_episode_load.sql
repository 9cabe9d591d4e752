-- Forget what was noted of a day's alerts.
DELETE FROM lake.alert_loads
WHERE opened_date = TIMESTAMP '2026-11-05 00:00:00'
