-- Per event hour of a curated build: rows, duplicates, conflicts.
SELECT year, month, day, hour, count(*) AS rows, sum(duplicates) AS duplicates, sum(conflicts) AS conflicts
FROM build_curated_telemetry_20261105t120000_0a1b2c3d
GROUP BY year, month, day, hour
