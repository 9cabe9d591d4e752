-- A column for what the facts of an hour were built from, in books that were made before content ids were.
ALTER TABLE marts.fact_hours ADD COLUMN content varchar(1024)
