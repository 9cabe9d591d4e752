-- VARCHAR(n) and CHAR(n) hold n bytes, and a boolean is no text: docs r_Character_types, r_Boolean_type.

CREATE OR REPLACE FUNCTION pg_catalog.redshift_refuse_length(most integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'Value too long for character type'
        USING ERRCODE = '22001', DETAIL = format('It has more than %s bytes.', most);
END $$;

-- Each table that is made or altered gets a check a column; one whose length has changed is made anew.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_check_bytes() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
    SET client_min_messages = warning AS $$
DECLARE
    made record;
    altered text;
BEGIN
    FOR made IN SELECT DISTINCT objid FROM pg_catalog.pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP
        SELECT string_agg(change, ', ') INTO altered FROM (
            SELECT format('DROP CONSTRAINT %I', conname) AS change
            FROM pg_catalog.pg_constraint c
            WHERE conrelid = made.objid AND conname LIKE 'redshift\_bytes\_%' AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
                    AND c.conname = format('redshift_bytes_%s_%s', a.attnum, a.atttypmod - 4))
            UNION ALL
            SELECT format('ADD CONSTRAINT redshift_bytes_%1$s_%2$s CHECK ((octet_length(%3$I) > %2$s) IS NOT TRUE OR '
                'pg_catalog.redshift_refuse_length(%2$s))', attnum, atttypmod - 4, attname)
            FROM pg_catalog.pg_attribute a
            WHERE attrelid = made.objid AND attnum > 0 AND NOT attisdropped AND atttypmod > 4
                AND atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND NOT EXISTS (
                    SELECT FROM pg_catalog.pg_constraint c WHERE c.conrelid = a.attrelid
                        AND c.conname = format('redshift_bytes_%s_%s', a.attnum, a.atttypmod - 4))) AS changes;
        IF altered IS NOT NULL THEN
            EXECUTE format('ALTER TABLE %s %s', made.objid::regclass, altered);
        END IF;
    END LOOP;
END $$;
DROP EVENT TRIGGER IF EXISTS redshift_check_bytes;
CREATE EVENT TRIGGER redshift_check_bytes ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'ALTER TABLE') EXECUTE FUNCTION pg_catalog.redshift_check_bytes();

-- A boolean is cast to no text.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_refuse_boolean(x boolean) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RAISE EXCEPTION 'cannot cast type boolean to character varying; use CASE' USING ERRCODE = '42846';
END $$;
SET allow_system_table_mods = on;
UPDATE pg_catalog.pg_cast SET castfunc = 'pg_catalog.redshift_refuse_boolean(boolean)'::regprocedure
WHERE castsource = 'boolean'::regtype AND casttarget IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype);
RESET allow_system_table_mods;
