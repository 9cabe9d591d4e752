-- When the newest of a table's versions was recorded.
SELECT max(recorded_at)
FROM registry.site_versions
