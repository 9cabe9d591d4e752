-- One row: 1 once dbt has built the books of the facts, 0 before.
SELECT count(*)
FROM information_schema.tables
WHERE table_schema = 'marts'
    AND table_name = 'fact_hours'
