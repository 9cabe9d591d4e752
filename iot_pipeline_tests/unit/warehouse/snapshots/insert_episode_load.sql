-- Note what was loaded of a day's alerts, and when (UTC).
INSERT INTO lake.alert_loads (opened_date, location, episodes, loaded_at, content)
VALUES (TIMESTAMP '2026-11-05 00:00:00', 's3://lake/curated/telemetry/v=20261105T130000_0a1b2c3d/year=2026/month=11/day=05/hour=12/', 90, TIMESTAMP '2026-11-05 13:05:07.250000', '0123456789abcdef')
