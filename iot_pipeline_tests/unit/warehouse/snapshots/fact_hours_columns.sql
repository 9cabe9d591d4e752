-- The columns of the books of the facts; none before dbt first ran.
SELECT column_name
FROM information_schema.columns
WHERE table_schema = 'marts' AND table_name = 'fact_hours'
