-- Note what was loaded of an event hour, and when (UTC).
INSERT INTO lake.loads (event_hour, location, readings, duplicates, conflicts, loaded_at, content)
VALUES (TIMESTAMP '2026-11-05 12:00:00', 's3://lake/curated/telemetry/v=20261105T130000_0a1b2c3d/year=2026/month=11/day=05/hour=12/', 90, 7, 3, TIMESTAMP '2026-11-05 13:05:07.250000', '0123456789abcdef')
