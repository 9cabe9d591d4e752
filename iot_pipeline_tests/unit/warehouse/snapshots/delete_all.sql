-- Empty a table within the transaction, as TRUNCATE would not: it commits.
DELETE FROM registry.site_versions
