-- One row: 1 once the first load has made its tables, 0 before.
SELECT count(*)
FROM information_schema.tables
WHERE table_schema = 'lake'
    AND table_name = 'loads'
