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

-- PG_CLASS and PG_ATTRIBUTE with Redshift's own columns; 0 is EVEN, 1 KEY, 8 ALL, 9 AUTO (docs r_PG_CLASS_INFO).
CREATE OR REPLACE VIEW pg_catalog.redshift_class AS
SELECT c.*, (CASE n.noted ->> 'style' WHEN 'EVEN' THEN 0 WHEN 'KEY' THEN 1 WHEN 'ALL' THEN 8 ELSE 9 END)::smallint AS reldiststyle,
       (CASE n.noted ->> 'style' WHEN 'EVEN' THEN 0 WHEN 'KEY' THEN 1 WHEN 'ALL' THEN 8 ELSE 11 END)::integer AS releffectivediststyle,
       NULL::timestamp AS relcreationtime, false AS relhasoids
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.redshift_noted n ON n.relid = c.oid AND c.relkind = 'r';
CREATE OR REPLACE VIEW pg_catalog.pg_class_info AS SELECT oid AS reloid, * FROM pg_catalog.redshift_class;

-- Encodings are numbers in PG_ATTRIBUTE, and FORMAT_ENCODING names them. A column without one has what AUTO picks at first
-- (docs c_Compression_encodings: RAW for sort keys, booleans and floats, AZ64 for other numbers and times, LZO for texts).
CREATE OR REPLACE FUNCTION pg_catalog.redshift_encoding(encoding text) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(array_position(ARRAY['bytedict', 'delta', 'delta32k', 'lzo', 'mostly8', 'mostly16', 'mostly32', 'runlength',
        'text255', 'text32k', 'zstd', 'az64'], encoding), 0)::smallint$$;
CREATE OR REPLACE FUNCTION pg_catalog.format_encoding(encoding integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((ARRAY['bytedict', 'delta', 'delta32k', 'lzo', 'mostly8', 'mostly16', 'mostly32', 'runlength', 'text255',
        'text32k', 'zstd', 'az64'])[encoding], 'none')$$;

CREATE OR REPLACE VIEW pg_catalog.redshift_attribute AS
SELECT a.*, coalesce(n.noted ->> 'distkey' = a.attname, false) AS attisdistkey,
       coalesce((SELECT place FROM jsonb_array_elements_text(n.noted -> 'sort') WITH ORDINALITY AS s(name, place)
                 WHERE name = a.attname), 0)::integer AS attsortkeyord,
       pg_catalog.redshift_encoding(coalesce(n.noted -> 'encode' ->> a.attname, CASE
           WHEN n.noted -> 'sort' ? a.attname OR t.typname IN ('bool', 'float4', 'float8', 'jsonb') THEN 'raw'
           WHEN t.typname IN ('varchar', 'bpchar', 'text', 'bytea', 'name') THEN 'lzo' ELSE 'az64' END)) AS attencodingtype
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.redshift_noted n ON n.relid = a.attrelid;
CREATE OR REPLACE VIEW pg_catalog.redshift_attrdef AS
SELECT *, pg_catalog.pg_get_expr(adbin, adrelid) AS adsrc FROM pg_catalog.pg_attrdef;
CREATE OR REPLACE VIEW pg_catalog.pg_attribute_info AS SELECT * FROM pg_catalog.redshift_attribute;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_format_type(type oid, modifier integer) RETURNS text LANGUAGE sql STABLE
    AS $$SELECT CASE type WHEN 'jsonb'::regtype THEN 'super' WHEN 'bytea'::regtype THEN 'binary varying'
        ELSE pg_catalog.format_type(type, modifier) END$$;

-- docs r_PG_TABLE_DEF: what is on the search path alone.
CREATE OR REPLACE VIEW pg_catalog.pg_table_def AS
SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname AS "column",
       pg_catalog.redshift_format_type(a.atttypid, a.atttypmod) AS type, pg_catalog.format_encoding(a.attencodingtype::integer) AS encoding,
       a.attisdistkey AS distkey, a.attsortkeyord AS sortkey, a.attnotnull AS "notnull"
FROM pg_catalog.redshift_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname = ANY (pg_catalog.current_schemas(false));

CREATE OR REPLACE VIEW pg_catalog.redshift_proc AS
SELECT *, prokind = 'a' AS proisagg, prokind = 'w' AS proiswindow FROM pg_catalog.pg_proc;
-- Nobody's procedures and functions: none can be made here.
CREATE OR REPLACE VIEW pg_catalog.pg_proc_info AS
SELECT p.oid AS prooid, p.* FROM pg_catalog.pg_proc p WHERE p.proname NOT LIKE 'redshift\_%';

CREATE OR REPLACE VIEW pg_catalog.svv_table_info AS
SELECT current_database()::text AS "database", n.nspname::text AS "schema", c.oid::integer AS table_id, c.relname::text AS "table",
       'Y'::text AS encoded, CASE t.noted ->> 'style' WHEN 'KEY' THEN format('KEY(%s)', t.noted ->> 'distkey') WHEN 'EVEN' THEN 'EVEN'
           WHEN 'ALL' THEN 'ALL' ELSE 'AUTO(EVEN)' END AS diststyle,
       t.noted -> 'sort' ->> 0 AS sortkey1, (SELECT max(a.atttypmod - 4) FROM pg_attribute a WHERE a.attrelid = c.oid
           AND a.atttypid = 'varchar'::regtype AND a.attnum > 0) AS max_varchar,
       NULL::text AS sortkey1_enc, coalesce(jsonb_array_length(t.noted -> 'sort'), 0) AS sortkey_num, (pg_total_relation_size(c.oid) / 1048576)::bigint AS size,
       NULL::numeric(10, 4) AS pct_used, 0 AS empty, NULL::numeric(5, 2) AS unsorted, NULL::numeric(5, 2) AS stats_off,
       greatest(c.reltuples, 0)::numeric(38, 0) AS tbl_rows, NULL::numeric(19, 2) AS skew_sortkey1, NULL::numeric(19, 2) AS skew_rows,
       greatest(c.reltuples, 0)::numeric(38, 0) AS estimated_visible_rows, NULL::text AS risk_event, NULL::numeric AS vacuum_sort_benefit
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.redshift_noted t ON t.relid = c.oid
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema';

CREATE OR REPLACE VIEW pg_catalog.svv_tables AS
SELECT table_catalog::text, table_schema::text, table_name::text, table_type::text, NULL::text AS remarks FROM information_schema.tables;

CREATE OR REPLACE VIEW pg_catalog.svv_columns AS
SELECT table_catalog::text, table_schema::text, table_name::text, column_name::text, ordinal_position::integer, column_default::text,
       is_nullable::text, CASE data_type WHEN 'jsonb' THEN 'super' WHEN 'bytea' THEN 'binary varying' ELSE data_type END::text AS data_type, character_maximum_length::integer, numeric_precision::integer,
       numeric_precision_radix::integer, numeric_scale::integer, datetime_precision::integer, NULL::text AS remarks
FROM information_schema.columns;

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_columns AS
SELECT table_catalog::text AS database_name, table_schema::text AS schema_name, table_name::text, column_name::text,
       ordinal_position::integer, CASE data_type WHEN 'jsonb' THEN 'super' WHEN 'bytea' THEN 'binary varying' ELSE data_type END::text AS data_type,
       column_default::text, is_nullable::text, pg_catalog.format_encoding(a.attencodingtype::integer) AS encoding,
       a.attisdistkey AS distkey, a.attsortkeyord AS sortkey, NULL::text AS column_acl, col_description(c.oid, a.attnum) COLLATE "default" AS remarks
FROM information_schema.columns JOIN pg_namespace n ON n.nspname = table_schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = table_name
    JOIN pg_catalog.redshift_attribute a ON a.attrelid = c.oid AND a.attname = column_name;
CREATE OR REPLACE VIEW pg_catalog.redshift_information_columns AS
SELECT table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable,
       CASE data_type WHEN 'jsonb' THEN 'super' WHEN 'bytea' THEN 'binary varying' ELSE data_type END::information_schema.character_data AS data_type,
       character_maximum_length, character_octet_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision,
       interval_type, interval_precision, character_set_catalog, character_set_schema, character_set_name, collation_catalog,
       collation_schema, collation_name, domain_catalog, domain_schema, domain_name, udt_catalog, udt_schema,
       CASE udt_name WHEN 'jsonb' THEN 'super' WHEN 'bytea' THEN 'varbyte' ELSE udt_name END::information_schema.sql_identifier AS udt_name,
       scope_catalog, scope_schema, scope_name, maximum_cardinality, dtd_identifier, is_self_referencing
FROM information_schema.columns;
CREATE OR REPLACE VIEW pg_catalog.svv_redshift_schemas AS
SELECT current_database()::text AS database_name, nspname::text AS schema_name, nspowner::integer AS schema_owner, 'local'::text AS schema_type,
       array_to_string(nspacl, '~') AS schema_acl, NULL::text AS schema_option
FROM pg_namespace WHERE nspname NOT LIKE 'pg\_toast%' AND nspname NOT LIKE 'pg\_temp%' AND nspname <> 'redshift_late_binding';
CREATE OR REPLACE VIEW pg_catalog.svv_all_schemas AS
SELECT database_name, schema_name, schema_owner, schema_type, schema_acl, NULL::text AS source_database, schema_option
FROM pg_catalog.svv_redshift_schemas;
CREATE OR REPLACE VIEW pg_catalog.svv_redshift_databases AS
SELECT datname::text AS database_name, datdba::integer AS database_owner, 'local'::text AS database_type, NULL::text AS database_acl,
       NULL::text AS database_options, 'Snapshot Isolation'::text AS database_isolation_level
FROM pg_database WHERE datname = current_database();

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

-- A state of an earlier release has them with other columns; nothing but SHOW reads them.
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'v'
        AND relname LIKE 'redshift\_show\_%' LOOP
        EXECUTE format('DROP VIEW pg_catalog.%I', name);
    END LOOP;
END $$;
-- The rows of SHOW ...: docs r_SHOW_DATABASES and the others.
CREATE OR REPLACE VIEW pg_catalog.redshift_show_databases AS
SELECT datname::text AS database_name, datdba::integer AS database_owner, 'local'::text AS database_type, NULL::text AS database_acl,
       NULL::text AS parameters, 'Snapshot Isolation'::text AS database_isolation_level
FROM pg_database WHERE datname = current_database();
CREATE OR REPLACE VIEW pg_catalog.redshift_show_schemas AS
SELECT current_database()::text AS database_name, nspname::text AS schema_name, nspowner::integer AS schema_owner,
       'local'::text AS schema_type, NULL::text AS schema_acl, NULL::text AS source_database, NULL::text AS schema_option
FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'redshift_late_binding' ORDER BY 2;
CREATE OR REPLACE VIEW pg_catalog.redshift_show_tables AS
SELECT table_catalog::text AS database_name, table_schema::text AS schema_name, table_name::text,
       CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END AS table_type, NULL::text AS table_acl,
       obj_description(c.oid, 'pg_class') AS remarks, pg_get_userbyid(c.relowner)::text AS owner,
       NULL::timestamp AS last_altered_time, NULL::timestamp AS last_modified_time, i.diststyle AS dist_style,
       CASE table_type WHEN 'VIEW' THEN 'REGULAR VIEW' ELSE 'REGULAR TABLE' END AS table_subtype
FROM information_schema.tables t JOIN pg_namespace n ON n.nspname = table_schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = table_name
    LEFT JOIN pg_catalog.svv_table_info i ON i.table_id = c.oid::integer ORDER BY 2, 3;
CREATE OR REPLACE VIEW pg_catalog.redshift_show_columns AS
SELECT table_catalog::text AS database_name, table_schema::text AS schema_name, table_name::text, column_name::text,
       ordinal_position::integer, column_default::text, is_nullable::text,
       CASE data_type WHEN 'jsonb' THEN 'super' WHEN 'bytea' THEN 'binary varying' ELSE data_type END::text AS data_type,
       character_maximum_length::integer, numeric_precision::integer, numeric_scale::integer,
       col_description(c.oid, a.attnum) AS remarks,
       CASE WHEN a.attsortkeyord > 0 THEN 'COMPOUND' END AS sort_key_type, a.attsortkeyord AS sort_key,
       a.attisdistkey::integer AS dist_key, pg_catalog.format_encoding(a.attencodingtype::integer) AS encoding,
       NULL::text AS collation
FROM information_schema.columns JOIN pg_namespace n ON n.nspname = table_schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = table_name
    JOIN pg_catalog.redshift_attribute a ON a.attrelid = c.oid AND a.attname = column_name
ORDER BY table_schema, table_name, ordinal_position;
CREATE OR REPLACE VIEW pg_catalog.redshift_show_primary_keys AS
SELECT current_database()::text AS database_name, n.nspname::text AS schema_name, c.relname::text AS table_name,
       k.conname::text AS pk_name, a.attname::text AS column_name, place::integer AS key_seq
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS p(attnum, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.attnum
WHERE k.contype = 'p' ORDER BY 2, 3, 6;
CREATE OR REPLACE VIEW pg_catalog.redshift_show_foreign_keys AS
SELECT current_database()::text AS pk_database_name, pn.nspname::text AS pk_schema_name, pc.relname::text AS pk_table_name,
       pa.attname::text AS pk_column_name, current_database()::text AS fk_database_name, fn.nspname::text AS fk_schema_name,
       fc.relname::text AS fk_table_name, fa.attname::text AS fk_column_name, place::integer AS key_seq, k.conname::text AS fk_name,
       (SELECT conname FROM pg_constraint p WHERE p.conrelid = k.confrelid AND p.contype = 'p')::text AS pk_name,
       3::smallint AS update_rule, 3::smallint AS delete_rule, 7::smallint AS deferrability
FROM pg_constraint k JOIN pg_class fc ON fc.oid = k.conrelid JOIN pg_namespace fn ON fn.oid = fc.relnamespace
    JOIN pg_class pc ON pc.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = pc.relnamespace
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS p(f, t, place)
    JOIN pg_attribute fa ON fa.attrelid = fc.oid AND fa.attnum = p.f JOIN pg_attribute pa ON pa.attrelid = pc.oid AND pa.attnum = p.t
WHERE k.contype = 'f' ORDER BY 6, 7, 10, 9;
CREATE OR REPLACE VIEW pg_catalog.redshift_show_grants AS
SELECT table_catalog::text AS database_name, table_schema::text AS schema_name, table_name::text AS object_name, 'TABLE'::text AS object_type,
       privilege_type::text, coalesce((SELECT oid FROM pg_roles WHERE rolname = grantee), 0)::integer AS identity_id,
       CASE grantee WHEN 'PUBLIC' THEN 'public' ELSE grantee::text END AS identity_name,
       CASE grantee WHEN 'PUBLIC' THEN 'public' ELSE 'user' END AS identity_type, (is_grantable = 'YES') AS admin_option,
       'TABLE'::text AS privilege_scope, grantor::text AS grantor_name, table_name::text AS table_name
FROM information_schema.table_privileges WHERE privilege_type <> 'TRIGGER' ORDER BY 2, 3, 7, 5;
CREATE OR REPLACE VIEW pg_catalog.redshift_show_column_grants AS
SELECT current_database()::text AS database_name, n.nspname::text AS schema_name, c.relname::text AS table_name, a.attname::text AS column_name,
       'COLUMN'::text AS object_type, x.privilege_type::text, x.grantee::integer AS identity_id,
       CASE x.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(x.grantee)::text END AS identity_name,
       CASE x.grantee WHEN 0 THEN 'public' ELSE 'user' END AS identity_type, x.is_grantable AS admin_option,
       'COLUMN'::text AS privilege_scope, pg_get_userbyid(x.grantor)::text AS grantor_name
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL aclexplode(a.attacl) AS x WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY 2, 3, 4, 8, 6;
-- Nobody's procedures and functions: none can be made here.
CREATE OR REPLACE VIEW pg_catalog.redshift_show_procedures AS
SELECT NULL::text AS database_name, NULL::text AS schema_name, NULL::text AS procedure_name, NULL::integer AS number_of_arguments,
       NULL::text AS argument_list, NULL::text AS return_type, NULL::text AS remarks WHERE false;
CREATE OR REPLACE VIEW pg_catalog.redshift_show_functions AS
SELECT NULL::text AS database_name, NULL::text AS schema_name, NULL::text AS function_name, NULL::integer AS number_of_arguments,
       NULL::text AS argument_list, NULL::text AS return_type, NULL::text AS remarks WHERE false;
CREATE OR REPLACE VIEW pg_catalog.redshift_show_procedure_parameters AS
SELECT NULL::text AS database_name, NULL::text AS schema_name, NULL::text AS procedure_name, NULL::text AS parameter_name,
       NULL::integer AS ordinal_position, NULL::text AS parameter_type, NULL::text AS data_type, NULL::integer AS character_maximum_length,
       NULL::integer AS numeric_precision, NULL::integer AS numeric_scale WHERE false;
CREATE OR REPLACE VIEW pg_catalog.redshift_show_function_parameters AS
SELECT NULL::text AS database_name, NULL::text AS schema_name, NULL::text AS function_name, NULL::text AS parameter_name,
       NULL::integer AS ordinal_position, NULL::text AS parameter_type, NULL::text AS data_type, NULL::integer AS character_maximum_length,
       NULL::integer AS numeric_precision, NULL::integer AS numeric_scale WHERE false;

DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'v'
        AND relname ~ '^(svv_|stv_|sys_query_|redshift_show_|pg_table_def|pg_class_info|pg_attribute_info|pg_proc_info|redshift_class|redshift_attribute|redshift_attrdef|redshift_information_columns|redshift_proc)'
    LOOP
        EXECUTE format('GRANT SELECT ON pg_catalog.%I TO PUBLIC', name);
    END LOOP;
END $$;
RESET allow_system_table_mods;
