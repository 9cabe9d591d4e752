-- Rows of a table.
SELECT count(*)
FROM registry.site_versions
