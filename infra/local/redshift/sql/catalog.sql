-- Redshift's catalog views and objects, as far as redshift_connector and dbt-redshift read them. Applied once to `telemetry`, by a superuser.
SET allow_system_table_mods = on;
CREATE SCHEMA IF NOT EXISTS redshift_late_binding;
GRANT USAGE, CREATE ON SCHEMA redshift_late_binding TO PUBLIC;

-- A view WITH NO SCHEMA BINDING: over an SQL function, because PostgreSQL does not bind the text of one to its tables.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_late_binding_view(view_name text, query text, replace boolean) RETURNS void
    LANGUAGE plpgsql AS $body$
DECLARE
    function_name text := format('redshift_late_binding.query_%s', replace(gen_random_uuid()::text, '-', ''));
    columns text;
BEGIN
    EXECUTE format('CREATE TEMPORARY VIEW redshift_columns_of_query AS %s', query);
    SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute WHERE attrelid = 'pg_temp.redshift_columns_of_query'::regclass AND attnum > 0;
    DROP VIEW pg_temp.redshift_columns_of_query;
    EXECUTE format('CREATE FUNCTION %s() RETURNS TABLE (%s) LANGUAGE sql STABLE AS %L', function_name, columns, query);
    EXECUTE format('CREATE %s VIEW %s AS SELECT * FROM %s()', CASE WHEN replace THEN 'OR REPLACE' ELSE '' END, view_name, function_name);
END $body$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_get_late_binding_view_cols() RETURNS SETOF record LANGUAGE sql STABLE
    AS $$SELECT NULL::name, NULL::name, NULL::name, NULL::varchar, NULL::integer WHERE false$$;

-- TRUNCATE commits in Redshift (r_TRUNCATE): inside a transaction block the COMMIT fails, and with it the statement. The error's
-- context names the procedure.
CREATE OR REPLACE PROCEDURE pg_catalog.redshift_truncate_commits_and_is_refused_in_a_transaction(table_name text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'TRUNCATE ' || table_name;
    COMMIT;
END $$;

CREATE OR REPLACE VIEW pg_catalog.svv_table_info AS
SELECT current_database()::text AS "database", n.nspname::text AS "schema", c.oid::integer AS table_id, c.relname::text AS "table",
       'Y'::text AS encoded, 'AUTO(EVEN)'::text AS diststyle, NULL::text AS sortkey1, NULL::integer AS max_varchar,
       NULL::text AS sortkey1_enc, 0 AS sortkey_num, (pg_total_relation_size(c.oid) / 1048576)::bigint AS size,
       NULL::numeric(10, 4) AS pct_used, 0 AS empty, NULL::numeric(5, 2) AS unsorted, NULL::numeric(5, 2) AS stats_off,
       greatest(c.reltuples, 0)::numeric(38, 0) AS tbl_rows, NULL::numeric(19, 2) AS skew_sortkey1, NULL::numeric(19, 2) AS skew_rows,
       greatest(c.reltuples, 0)::numeric(38, 0) AS estimated_visible_rows, NULL::text AS risk_event, NULL::numeric AS vacuum_sort_benefit
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema';

CREATE OR REPLACE VIEW pg_catalog.svv_tables AS
SELECT table_catalog::text, table_schema::text, table_name::text, table_type::text, NULL::text AS remarks FROM information_schema.tables;

CREATE OR REPLACE VIEW pg_catalog.svv_columns AS
SELECT table_catalog::text, table_schema::text, table_name::text, column_name::text, ordinal_position::integer, column_default::text,
       is_nullable::text, data_type::text, character_maximum_length::integer, numeric_precision::integer,
       numeric_precision_radix::integer, numeric_scale::integer, datetime_precision::integer, NULL::text AS remarks
FROM information_schema.columns;

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_columns AS
SELECT table_catalog::text AS database_name, table_schema::text AS schema_name, table_name::text, column_name::text,
       ordinal_position::integer, data_type::text, column_default::text, is_nullable::text, NULL::text AS encoding,
       false AS distkey, 0 AS sortkey, NULL::text AS column_acl, NULL::text AS remarks
FROM information_schema.columns;

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_tables AS
SELECT table_catalog::text AS database_name, table_schema::text AS schema_name, table_name::text,
       CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END AS table_type, NULL::text AS table_acl, NULL::text AS remarks
FROM information_schema.tables;
CREATE OR REPLACE VIEW pg_catalog.svv_all_columns AS SELECT *, NULL::integer AS character_maximum_length FROM pg_catalog.svv_redshift_columns;
CREATE OR REPLACE VIEW pg_catalog.svv_all_tables AS SELECT * FROM pg_catalog.svv_redshift_tables;

CREATE OR REPLACE VIEW pg_catalog.svv_external_columns AS
SELECT NULL::text AS redshift_database_name, NULL::text AS schemaname, NULL::text AS tablename, NULL::text AS columnname,
       NULL::text AS external_type, NULL::integer AS columnnum, NULL::integer AS part_key, NULL::text AS is_nullable WHERE false;
CREATE OR REPLACE VIEW pg_catalog.svv_external_tables AS
SELECT NULL::text AS redshift_database_name, NULL::text AS schemaname, NULL::text AS tablename, NULL::text AS location WHERE false;
CREATE OR REPLACE VIEW pg_catalog.svv_external_schemas AS
SELECT NULL::oid AS esoid, NULL::smallint AS eskind, NULL::name AS schemaname, NULL::oid AS esowner, NULL::text AS databasename,
       NULL::text AS esoptions WHERE false;
CREATE OR REPLACE VIEW pg_catalog.svv_mv_info AS
SELECT NULL::text AS database_name, NULL::text AS schema_name, NULL::text AS user_name, NULL::text AS name, NULL::text AS is_stale,
       NULL::integer AS state, NULL::text AS autorewrite, NULL::text AS autorefresh WHERE false;
CREATE OR REPLACE VIEW pg_catalog.stv_mv_info AS
SELECT database_name AS db_name, schema_name AS "schema", name, is_stale, state, autorefresh AS autorefresh FROM pg_catalog.svv_mv_info;
CREATE OR REPLACE VIEW pg_catalog.sys_query_detail AS
SELECT NULL::bigint AS query_id, NULL::integer AS table_id, NULL::text AS step_name, NULL::timestamp AS start_time WHERE false;
CREATE OR REPLACE VIEW pg_catalog.stv_locks AS
SELECT c.oid::integer AS table_id, a.query_start AS last_commit, a.query_start AS last_update, l.pid AS lock_owner_pid, l.mode AS lock_status
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.granted;
CREATE OR REPLACE VIEW pg_catalog.svv_relation_privileges AS
SELECT table_schema::text AS namespace_name, table_name::text AS relation_name, lower(privilege_type)::text AS privilege_type,
       grantee::text AS identity_name, CASE grantee WHEN 'PUBLIC' THEN 'public' ELSE 'user' END AS identity_type
FROM information_schema.role_table_grants;

-- The rows of SHOW SCHEMAS, SHOW TABLES and SHOW COLUMNS.
CREATE OR REPLACE VIEW pg_catalog.redshift_show_schemas AS
SELECT current_database()::text AS database_name, nspname::text AS schema_name, nspowner::integer AS schema_owner,
       'local'::text AS schema_type, NULL::text AS schema_acl, NULL::text AS source_database, NULL::text AS schema_option
FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'redshift_late_binding';
CREATE OR REPLACE VIEW pg_catalog.redshift_show_tables AS
SELECT table_catalog::text AS database_name, table_schema::text AS schema_name, table_name::text,
       CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END AS table_type, NULL::text AS table_acl, NULL::text AS remarks,
       (SELECT tableowner FROM pg_tables p WHERE p.schemaname = table_schema AND p.tablename = table_name)::text AS owner,
       NULL::timestamp AS last_altered_time, NULL::timestamp AS last_modified_time, NULL::text AS dist_style, NULL::text AS table_subtype
FROM information_schema.tables;
CREATE OR REPLACE VIEW pg_catalog.redshift_show_columns AS
SELECT table_catalog::text AS database_name, table_schema::text AS schema_name, table_name::text, column_name::text,
       ordinal_position::integer, column_default::text, is_nullable::text, data_type::text, character_maximum_length::integer,
       numeric_precision::integer, numeric_scale::integer, NULL::text AS remarks
FROM information_schema.columns;

DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'v'
        AND relname ~ '^(svv_|stv_|sys_query_|redshift_show_)'
    LOOP
        EXECUTE format('GRANT SELECT ON pg_catalog.%I TO PUBLIC', name);
    END LOOP;
END $$;
RESET allow_system_table_mods;
