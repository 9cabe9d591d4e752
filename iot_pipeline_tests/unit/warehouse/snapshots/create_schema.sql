-- The schema of some landing tables.
CREATE SCHEMA IF NOT EXISTS lake
