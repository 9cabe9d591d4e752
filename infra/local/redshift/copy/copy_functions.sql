-- What COPY tells of itself: docs PG_LAST_COPY_COUNT.
CREATE OR REPLACE FUNCTION pg_catalog.pg_last_copy_count() RETURNS bigint LANGUAGE sql STABLE
    AS $$SELECT coalesce(nullif(pg_catalog.current_setting('redshift.last_copy_count', true), ''), '0')::bigint$$;
