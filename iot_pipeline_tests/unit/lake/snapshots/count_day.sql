-- Of a day's build: rows, duplicates, conflicts.
SELECT count(*) AS rows, coalesce(sum(duplicates), 0) AS duplicates, coalesce(sum(conflicts), 0) AS conflicts
FROM build_curated_telemetry_20261105t120000_0a1b2c3d
