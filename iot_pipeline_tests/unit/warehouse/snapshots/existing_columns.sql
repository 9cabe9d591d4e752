-- The columns that the landing tables have, by table.
SELECT table_schema || '.' || table_name AS full_name, column_name, data_type
FROM information_schema.columns
WHERE table_schema IN ('lake', 'registry')
