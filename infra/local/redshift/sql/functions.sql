-- Redshift's functions that PostgreSQL lacks or gives another meaning; `functions.py` and `rewrites.py` call them.

-- GETDATE has whole seconds, in the session's time zone (UTC): docs r_GETDATE.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_getdate() RETURNS timestamp LANGUAGE sql STABLE
    AS $$SELECT pg_catalog.date_trunc('second', pg_catalog.statement_timestamp()::timestamp)$$;

-- DATEADD gives a timestamp for a date and for a text, else the type it was given: docs r_DATEADD_function.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_dateadd(step interval, n bigint, x timestamp) RETURNS timestamp
    LANGUAGE sql IMMUTABLE AS $$SELECT x + n * step$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_dateadd(step interval, n bigint, x date) RETURNS timestamp
    LANGUAGE sql IMMUTABLE AS $$SELECT x::timestamp + n * step$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_dateadd(step interval, n bigint, x text) RETURNS timestamp
    LANGUAGE sql STABLE AS $$SELECT x::timestamp + n * step$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_dateadd(step interval, n bigint, x timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE AS $$SELECT x + n * step$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_dateadd(step interval, n bigint, x time) RETURNS time
    LANGUAGE sql IMMUTABLE AS $$SELECT x + n * step$$;

-- February 29 plus a year is March 1, unlike plus twelve months: docs r_DATEADD_function, usage notes.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_add_years(n bigint, x timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE
    AS $$SELECT x + n * interval '1 year' + CASE
             WHEN extract(month FROM x) = 2 AND extract(day FROM x) = 29 AND extract(day FROM x + n * interval '1 year') = 28
             THEN interval '1 day' ELSE interval '0' END$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_add_years(n bigint, x date) RETURNS timestamp
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.redshift_add_years(n, x::timestamp)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_add_years(n bigint, x text) RETURNS timestamp
    LANGUAGE sql STABLE AS $$SELECT pg_catalog.redshift_add_years(n, x::timestamp)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_add_years(n bigint, x timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE AS $$SELECT pg_catalog.redshift_add_years(n, x::timestamp)::timestamptz$$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_last_day(x timestamp) RETURNS date LANGUAGE sql IMMUTABLE
    AS $$SELECT (pg_catalog.date_trunc('month', x) + interval '1 month' - interval '1 day')::date$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_last_day(x date) RETURNS date
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.redshift_last_day(x::timestamp)$$;

-- ADD_MONTHS keeps the last day of a month the last day: docs r_ADD_MONTHS.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_add_months(x timestamp, n bigint) RETURNS timestamp LANGUAGE sql IMMUTABLE
    AS $$SELECT CASE WHEN x::date = pg_catalog.redshift_last_day(x)
             THEN pg_catalog.redshift_last_day(x + n * interval '1 month') + x::time
             ELSE x + n * interval '1 month' END$$;

-- DATEDIFF counts the boundaries crossed: docs r_DATEDIFF_function. A week begins on Monday, as in DATE_TRUNC.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_datediff_year(a timestamp, b timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$SELECT (extract(year FROM b) - extract(year FROM a))::bigint$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_datediff_quarter(a timestamp, b timestamp) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT ((extract(year FROM b) - extract(year FROM a)) * 4
        + extract(quarter FROM b) - extract(quarter FROM a))::bigint$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_datediff_month(a timestamp, b timestamp) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT ((extract(year FROM b) - extract(year FROM a)) * 12
        + extract(month FROM b) - extract(month FROM a))::bigint$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_datediff_week(a timestamp, b timestamp) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT ((date_trunc('week', b)::date - date_trunc('week', a)::date) / 7)::bigint$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_datediff_day(a timestamp, b timestamp) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT (b::date - a::date)::bigint$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_datediff_hour(a timestamp, b timestamp) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT (extract(epoch FROM date_trunc('hour', b) - date_trunc('hour', a)) / 3600)::bigint$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_datediff_minute(a timestamp, b timestamp) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT (extract(epoch FROM date_trunc('minute', b) - date_trunc('minute', a)) / 60)::bigint$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_datediff_second(a timestamp, b timestamp) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT extract(epoch FROM date_trunc('second', b) - date_trunc('second', a))::bigint$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_datediff_millisecond(a timestamp, b timestamp) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    AS $$SELECT (extract(epoch FROM date_trunc('milliseconds', b) - date_trunc('milliseconds', a)) * 1000)::bigint$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_datediff_microsecond(a timestamp, b timestamp) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT (extract(epoch FROM b - a) * 1000000)::bigint$$;

-- DATE_TRUNC of a date is a timestamp (PostgreSQL: timestamptz): docs r_DATE_TRUNC.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_date_trunc(part text, x timestamp) RETURNS timestamp
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.date_trunc(part, x)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_date_trunc(part text, x date) RETURNS timestamp
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.date_trunc(part, x::timestamp)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_date_trunc(part text, x text) RETURNS timestamp
    LANGUAGE sql STABLE AS $$SELECT pg_catalog.date_trunc(part, x::timestamp)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_date_trunc(part text, x timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE AS $$SELECT pg_catalog.date_trunc(part, x)$$;

-- ROUND and TRUNC take a double and a number of digits; TRUNC of a timestamp is its date: docs r_ROUND, r_TRUNC, r_TRUNC_date.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_round(x double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE AS $$SELECT CASE WHEN x >= 0 THEN floor(x + 0.5) ELSE ceil(x - 0.5) END$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_round(x numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.round(x)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_round(x numeric, digits integer) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.round(x, digits)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_round(x double precision, digits integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.round(x::numeric, digits)::double precision$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_trunc(x numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.trunc(x)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_trunc(x double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.trunc(x)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_trunc(x numeric, digits integer) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.trunc(x, digits)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_trunc(x double precision, digits integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.trunc(x::numeric, digits)::double precision$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_trunc(x timestamp) RETURNS date
    LANGUAGE sql IMMUTABLE AS $$SELECT x::date$$;

-- AVG of integers is a bigint: docs r_AVG.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_final(state bigint[]) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT CASE WHEN state[1] = 0 THEN NULL ELSE state[2] / state[1] END$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_step(state numeric[], x bigint) RETURNS numeric[]
    LANGUAGE sql IMMUTABLE STRICT AS $$SELECT ARRAY[state[1] + 1, state[2] + x]$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_final(state numeric[]) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT CASE WHEN state[1] = 0 THEN NULL ELSE trunc(state[2] / state[1])::bigint END$$;
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_avg(smallint)
    (SFUNC = int2_avg_accum, STYPE = bigint[], FINALFUNC = redshift_avg_final, INITCOND = '{0,0}');
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_avg(integer)
    (SFUNC = int4_avg_accum, STYPE = bigint[], FINALFUNC = redshift_avg_final, INITCOND = '{0,0}');
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_avg(bigint)
    (SFUNC = redshift_avg_step, STYPE = numeric[], FINALFUNC = redshift_avg_final, INITCOND = '{0,0}');
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_avg(double precision)
    (SFUNC = float8_accum, STYPE = double precision[], FINALFUNC = float8_avg, INITCOND = '{0,0,0}');
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_avg(real)
    (SFUNC = float4_accum, STYPE = double precision[], FINALFUNC = float8_avg, INITCOND = '{0,0,0}');

-- FIRST_VALUE, LAST_VALUE, LAG and LEAD ... IGNORE NULLS: a strict step function skips NULL.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_keep_first(state anyelement, x anyelement) RETURNS anyelement
    LANGUAGE sql IMMUTABLE STRICT AS $$SELECT state$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_keep_last(state anyelement, x anyelement) RETURNS anyelement
    LANGUAGE sql IMMUTABLE STRICT AS $$SELECT x$$;
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_first_known(anyelement) (SFUNC = redshift_keep_first, STYPE = anyelement);
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_last_known(anyelement) (SFUNC = redshift_keep_last, STYPE = anyelement);

-- No match is an empty text, and REGEXP_REPLACE replaces every match: docs REGEXP_SUBSTR, REGEXP_REPLACE, REGEXP_COUNT.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_regexp_substr(x text, pattern text, start_at integer, occurrence integer, flags text)
    RETURNS text LANGUAGE sql IMMUTABLE STRICT
    AS $$SELECT CASE WHEN occurrence >= 1
             THEN coalesce(pg_catalog.regexp_substr(x, pattern, greatest(start_at, 1), occurrence, flags), '') END$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_regexp_count(x text, pattern text, start_at integer, flags text)
    RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$SELECT pg_catalog.regexp_count(x, pattern, greatest(start_at, 1), flags)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_regexp_replace(x text, pattern text, replacement text, start_at integer, flags text)
    RETURNS text LANGUAGE sql IMMUTABLE STRICT
    AS $$SELECT pg_catalog.regexp_replace(x, pattern, replacement, greatest(start_at, 1), 0, flags)$$;

-- JSON held in text: docs JSON_EXTRACT_PATH_TEXT, IS_VALID_JSON.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_can_json_parse(x text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT AS $$SELECT x IS JSON$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_is_valid_json(x text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT AS $$SELECT x IS JSON OBJECT$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_is_valid_json_array(x text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT AS $$SELECT x IS JSON ARRAY$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json_path(x text, path text[], null_if_invalid boolean) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT AS $$SELECT CASE WHEN null_if_invalid AND x IS NOT JSON THEN NULL ELSE x::json #>> path END$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json_array_length(x text) RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT AS $$SELECT json_array_length(x::json)$$;

-- JSON_SERIALIZE writes no blanks: docs JSON_SERIALIZE. (The order of an object's keys is jsonb's, not the input's.)
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json_serialize(x jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    IF jsonb_typeof(x) = 'object' THEN
        RETURN '{' || coalesce((SELECT string_agg(to_json(key)::text || ':' || redshift_json_serialize(value), ',')
                                FROM jsonb_each(x)), '') || '}';
    ELSIF jsonb_typeof(x) = 'array' THEN
        RETURN '[' || coalesce((SELECT string_agg(redshift_json_serialize(value), ',' ORDER BY n)
                                FROM jsonb_array_elements(x) WITH ORDINALITY AS e(value, n)), '') || ']';
    END IF;
    RETURN x::text;
END $$;

-- STRTOL: docs r_STRTOL.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_strtol(x text, base integer) RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    digits text := lower(ltrim(x));
    negative boolean := left(digits, 1) = '-';
    total numeric := 0;
    digit integer;
BEGIN
    IF base NOT BETWEEN 2 AND 36 THEN
        RAISE EXCEPTION 'base % of STRTOL must be between 2 and 36', base USING ERRCODE = '22023';
    END IF;
    digits := regexp_replace(digits, '^[+-]', '');
    IF base = 16 THEN
        digits := regexp_replace(digits, '^0x', '');
    END IF;
    FOR i IN 1 .. length(digits) LOOP
        digit := strpos('0123456789abcdefghijklmnopqrstuvwxyz', substr(digits, i, 1)) - 1;
        IF digit < 0 OR digit >= base THEN
            RAISE EXCEPTION 'the input % is not valid to be converted to base %', x, base USING ERRCODE = '22P02';
        END IF;
        total := total * base + digit;
    END LOOP;
    RETURN CASE WHEN negative THEN -total ELSE total END;
END $$;

-- The number of characters of LEFT and RIGHT and the part of SPLIT_PART are positive: docs r_LEFT, SPLIT_PART.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_refuse_number(n bigint) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'not supported by Redshift: the number % here; it must be positive', n USING ERRCODE = '22023';
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_positive(n bigint) RETURNS integer LANGUAGE sql IMMUTABLE
    AS $$SELECT CASE WHEN n < 0 THEN pg_catalog.redshift_refuse_number(n) ELSE n::integer END$$;

-- VERSION tells clients that they speak to Redshift: docs r_VERSION. Its PostgreSQL is 8.0.2.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_version() RETURNS text LANGUAGE sql IMMUTABLE
    AS $$SELECT 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.0'$$;
