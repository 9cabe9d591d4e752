-- Keys are informational (docs t_Defining_constraints): they are in the catalog, where every client looks for them, and
-- nobody enforces them. What only Redshift has of a table (distribution, sort key, encodings) is kept beside.
SET allow_system_table_mods = on;
CREATE TABLE IF NOT EXISTS pg_catalog.redshift_noted (relid oid PRIMARY KEY, noted jsonb NOT NULL);
RESET allow_system_table_mods;
GRANT SELECT ON pg_catalog.redshift_noted TO PUBLIC;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_places(relation oid, columns jsonb) RETURNS smallint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    found smallint[];
BEGIN
    SELECT array_agg(attnum ORDER BY place) INTO found
    FROM jsonb_array_elements_text(columns) WITH ORDINALITY AS c(name, place)
    JOIN pg_catalog.pg_attribute ON attrelid = relation AND attname = name AND attnum > 0 AND NOT attisdropped;
    IF coalesce(cardinality(found), 0) <> jsonb_array_length(columns) THEN
        RAISE EXCEPTION 'a column named in the key of % does not exist', relation::regclass USING ERRCODE = '42703';
    END IF;
    RETURN found;
END $$;

-- PostgreSQL makes no constraint that it does not enforce: the row of one, with an index that is as good as dropped (not
-- live: nothing maintains, reads or rebuilds it), of which PostgreSQL reads the columns when it prints the constraint.
-- A primary key is marked as deferrable, for which PostgreSQL concludes nothing from it, as from a GROUP BY.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_add_key(relation regclass, key jsonb) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER AS $$
DECLARE
    kind "char" := key ->> 'type';
    places smallint[] := pg_catalog.redshift_places(relation, key -> 'columns');
    target oid := 0;
    target_places smallint[];
    wanted text;
    made oid;
    number integer := 0;
    index_name text;
    index_oid oid := 0;
    owner oid;
    space oid;
    table_name text;
BEGIN
    SELECT relowner, relnamespace, relname INTO owner, space, table_name FROM pg_catalog.pg_class WHERE oid = relation;
    IF NOT pg_has_role(session_user, owner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', relation USING ERRCODE = '42501';
    END IF;
    IF kind = 'p' AND EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = relation AND contype = 'p') THEN
        RAISE EXCEPTION 'multiple primary keys for table "%" are not allowed', table_name USING ERRCODE = '42P16';
    END IF;
    wanted := coalesce(key ->> 'name', left(table_name, 40) || CASE kind WHEN 'p' THEN '_pkey' ELSE
        '_' || left(array_to_string(ARRAY(SELECT jsonb_array_elements_text(key -> 'columns')), '_'), 16)
        || CASE kind WHEN 'u' THEN '_key' ELSE '_fkey' END END);
    WHILE NOT key ? 'name' AND EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = relation AND conname = wanted) LOOP
        number := number + 1;
        wanted := regexp_replace(wanted, '\d*$', number::text);
    END LOOP;
    IF EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = relation AND conname = wanted) THEN
        RAISE EXCEPTION 'constraint "%" for relation "%" already exists', wanted, table_name USING ERRCODE = '42710';
    END IF;
    IF kind = 'f' THEN
        target := (key ->> 'table')::regclass;
        IF key ? 'references' THEN
            target_places := pg_catalog.redshift_places(target, key -> 'references');
        ELSE
            SELECT conkey INTO target_places FROM pg_catalog.pg_constraint WHERE conrelid = target AND contype = 'p';
        END IF;
        IF cardinality(target_places) IS DISTINCT FROM cardinality(places) THEN
            RAISE EXCEPTION 'number of referencing and referenced columns for foreign key disagree' USING ERRCODE = '42830';
        END IF;
        SELECT conindid INTO index_oid FROM pg_catalog.pg_constraint WHERE conrelid = target AND contype IN ('p', 'u')
            AND conkey <@ target_places AND target_places <@ conkey ORDER BY contype LIMIT 1;
        IF index_oid IS NULL THEN
            RAISE EXCEPTION 'there is no unique constraint matching given keys for referenced table "%"', key ->> 'table'
                USING ERRCODE = '42830';
        END IF;
    ELSE
        index_name := wanted;
        WHILE EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = space AND relname = index_name) LOOP
            index_name := left(wanted, 50) || '_' || substr(gen_random_uuid()::text, 1, 8);
        END LOOP;
        EXECUTE format('CREATE INDEX %I ON %s (%s) WHERE false', index_name, relation,
            (SELECT string_agg(quote_ident(name), ', ' ORDER BY place)
             FROM jsonb_array_elements_text(key -> 'columns') WITH ORDINALITY AS c(name, place)));
        SELECT oid INTO index_oid FROM pg_catalog.pg_class WHERE relnamespace = space AND relname = index_name;
        UPDATE pg_catalog.pg_index SET indislive = false, indisunique = true, indisprimary = (kind = 'p'), indpred = NULL
        WHERE indexrelid = index_oid;
        DELETE FROM pg_catalog.pg_depend WHERE classid = 'pg_class'::regclass AND objid = index_oid AND refobjid = relation;
    END IF;
    made := pg_catalog.pg_nextoid('pg_catalog.pg_constraint', 'oid', 'pg_catalog.pg_constraint_oid_index');
    INSERT INTO pg_catalog.pg_constraint (oid, conname, connamespace, contype, condeferrable, condeferred, convalidated,
        conrelid, contypid, conindid, conparentid, confrelid, confupdtype, confdeltype, confmatchtype, conislocal,
        coninhcount, connoinherit, conkey, confkey, conpfeqop, conppeqop, conffeqop)
    VALUES (made, wanted, space, kind, kind = 'p', false, true, relation, 0, index_oid, 0, target,
        CASE kind WHEN 'f' THEN 'a' ELSE ' ' END, CASE kind WHEN 'f' THEN 'a' ELSE ' ' END,
        CASE kind WHEN 'f' THEN 's' ELSE ' ' END, true, 0, true, places, target_places,
        CASE kind WHEN 'f' THEN array_fill(96::oid, ARRAY[cardinality(places)]) END,
        CASE kind WHEN 'f' THEN array_fill(96::oid, ARRAY[cardinality(places)]) END,
        CASE kind WHEN 'f' THEN array_fill(96::oid, ARRAY[cardinality(places)]) END);
    INSERT INTO pg_catalog.pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
    VALUES ('pg_constraint'::regclass, made, 0, 'pg_class'::regclass, relation, 0, 'a');
    IF kind = 'f' AND target <> relation THEN
        INSERT INTO pg_catalog.pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
        VALUES ('pg_constraint'::regclass, made, 0, 'pg_class'::regclass, target, 0, 'n');
    END IF;
    IF kind = 'f' THEN
        INSERT INTO pg_catalog.pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
        VALUES ('pg_constraint'::regclass, made, 0, 'pg_class'::regclass, index_oid, 0, 'n');
    ELSE
        INSERT INTO pg_catalog.pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
        VALUES ('pg_class'::regclass, index_oid, 0, 'pg_constraint'::regclass, made, 0, 'i');
    END IF;
END $$;

-- What a CREATE TABLE says beside the columns: {"style", "distkey", "sort": [], "encode": {}, "keys": []}.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_note_table(relation regclass, noted jsonb) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER AS $$
DECLARE
    key jsonb;
BEGIN
    IF NOT pg_has_role(session_user, (SELECT relowner FROM pg_catalog.pg_class WHERE oid = relation), 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', relation USING ERRCODE = '42501';
    END IF;
    INSERT INTO pg_catalog.redshift_noted VALUES (relation, noted - 'keys')
    ON CONFLICT (relid) DO UPDATE SET noted = redshift_noted.noted || excluded.noted;
    FOR key IN SELECT jsonb_array_elements(noted -> 'keys') LOOP
        PERFORM pg_catalog.redshift_add_key(relation, key);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_note_encoding(relation regclass, column_name text, encoding text) RETURNS void
    LANGUAGE sql AS $$
    SELECT pg_catalog.redshift_note_table(relation, jsonb_build_object('encode',
        coalesce((SELECT noted -> 'encode' FROM pg_catalog.redshift_noted WHERE relid = relation), '{}')
        || jsonb_build_object(column_name, encoding)))$$;

-- A key goes with a column of it, and what was noted with its table.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_forget_dropped() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    dropped record;
    broken record;
BEGIN
    FOR dropped IN SELECT DISTINCT objid, objsubid FROM pg_catalog.pg_event_trigger_dropped_objects()
            WHERE classid = 'pg_class'::regclass AND object_type IN ('table', 'table column') LOOP
        IF dropped.objsubid = 0 THEN
            DELETE FROM pg_catalog.redshift_noted WHERE relid = dropped.objid;
        END IF;
        FOR broken IN SELECT conname, conrelid FROM pg_catalog.pg_constraint WHERE contype IN ('p', 'u', 'f') AND
                (conrelid = dropped.objid AND dropped.objsubid = ANY (conkey)
                 OR confrelid = dropped.objid AND dropped.objsubid = ANY (confkey)) LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', broken.conrelid::regclass, broken.conname);
        END LOOP;
    END LOOP;
END $$;
DROP EVENT TRIGGER IF EXISTS redshift_forget_dropped;
CREATE EVENT TRIGGER redshift_forget_dropped ON sql_drop EXECUTE FUNCTION pg_catalog.redshift_forget_dropped();

-- As Redshift prints them, whose keys are not deferrable.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_get_constraintdef(constraint_oid oid, pretty boolean DEFAULT false) RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT regexp_replace(pg_catalog.pg_get_constraintdef(constraint_oid, pretty), '^(PRIMARY KEY .*) DEFERRABLE$', '\1')$$;
