-- Redshift's numbers: sums, averages, quotients, roundings and percentiles with the types and digits of its guide.

-- The types of a query's columns, by `|`; NULL for a query that cannot be. A view of it is made and taken back: nothing
-- else tells PostgreSQL's declared types.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_types_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    types text;
BEGIN
    EXECUTE 'CREATE TEMPORARY VIEW redshift_types_of_query AS ' || query;
    SELECT string_agg(format_type(atttypid, atttypmod), '|' ORDER BY attnum) INTO types
    FROM pg_attribute WHERE attrelid = 'pg_temp.redshift_types_of_query'::regclass AND attnum > 0;
    DROP VIEW pg_temp.redshift_types_of_query;
    RETURN types;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

-- Types and digits of a quotient: docs r_numeric_computations201. `p` and `s` are NULL where nothing is declared.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_refuse_division() RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'not supported by the local Redshift: a division of DECIMAL whose precision and scale are not declared; CAST both sides to DECIMAL(p, s)'
        USING ERRCODE = '0A000';
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_scale(p1 integer, s1 integer, p2 integer, s2 integer) RETURNS integer
    LANGUAGE sql IMMUTABLE AS $$SELECT CASE
        WHEN p1 IS NULL OR p2 IS NULL THEN pg_catalog.redshift_refuse_division()
        WHEN p1 - s1 + s2 + greatest(4, s1 + p2 - s2 + 1) > 38 THEN greatest(38 - p1 + s1 - s2, 4)
        ELSE greatest(4, s1 + p2 - s2 + 1) END$$;
-- It is truncated: an integer division of enough digits.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_quotient(a numeric, b numeric, digits integer) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    AS $$SELECT round(div(a * ('1e' || digits)::numeric, b) * ('1e-' || digits)::numeric, digits)$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_divide(
    a numeric, b numeric, p1 integer, s1 integer, p2 integer, s2 integer) RETURNS numeric LANGUAGE sql IMMUTABLE
    AS $$SELECT pg_catalog.redshift_quotient(a, b, pg_catalog.redshift_scale(p1, s1, p2, s2))$$;
DO $do$
DECLARE
    pair text[];
    kind text;
    digits integer;
BEGIN
    -- Integers count as DECIMAL(5, 0), (10, 0) and (19, 0).
    FOREACH pair SLICE 1 IN ARRAY ARRAY[['smallint', '5'], ['integer', '10'], ['bigint', '19']] LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_divide(a numeric, b %s, p1 integer, s1 integer, '
            'p2 integer, s2 integer) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$SELECT '
            'pg_catalog.redshift_quotient(a, b::numeric, pg_catalog.redshift_scale(p1, s1, %s, 0))$$', pair[1], pair[2]);
        EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_divide(a %s, b numeric, p1 integer, s1 integer, '
            'p2 integer, s2 integer) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$SELECT '
            'pg_catalog.redshift_quotient(a::numeric, b, pg_catalog.redshift_scale(%s, 0, p2, s2))$$', pair[1], pair[2]);
    END LOOP;
    FOREACH pair SLICE 1 IN ARRAY ARRAY[['smallint', 'smallint'], ['integer', 'integer'], ['bigint', 'bigint'],
            ['real', 'real'], ['double precision', 'double precision'], ['interval', 'double precision']] LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_divide(a %1$s, b %2$s, p1 integer, s1 integer, '
            'p2 integer, s2 integer) RETURNS %1$s LANGUAGE sql IMMUTABLE AS $$SELECT a / b$$', pair[1], pair[2]);
    END LOOP;
END $do$;

-- SUM of integers is a bigint, of floats a double: docs r_SUM.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_add_real(state double precision, x real) RETURNS double precision
    LANGUAGE sql IMMUTABLE AS $$SELECT CASE WHEN x IS NULL THEN state ELSE coalesce(state, 0) + x END$$;
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_sum(smallint) (SFUNC = int2_sum, STYPE = bigint);
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_sum(integer) (SFUNC = int4_sum, STYPE = bigint);
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_sum(bigint) (SFUNC = int8pl, STYPE = bigint);
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_sum(numeric)
    (SFUNC = numeric_avg_accum, STYPE = internal, FINALFUNC = numeric_sum);
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_sum(real) (SFUNC = redshift_add_real, STYPE = double precision);
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_sum(double precision) (SFUNC = float8pl, STYPE = double precision);
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_sum(interval) (SFUNC = interval_pl, STYPE = interval);

-- AVG of a DECIMAL has its scale: docs r_AVG.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_decimal_step(state numeric[], x numeric) RETURNS numeric[]
    LANGUAGE sql IMMUTABLE STRICT AS $$SELECT ARRAY[state[1] + 1, state[2] + x]$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_decimal_final(state numeric[]) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    AS $$SELECT CASE WHEN state[1] > 0 THEN pg_catalog.redshift_quotient(state[2], state[1], scale(state[2])) END$$;
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_avg(numeric) (SFUNC = redshift_avg_decimal_step, STYPE = numeric[],
    FINALFUNC = redshift_avg_decimal_final, INITCOND = '{0,0}');

-- ROUND and TRUNC keep the type of an integer, CEIL and FLOOR too: docs r_ROUND, r_TRUNC, r_CEILING_FLOOR, r_FLOOR.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_round(x bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$SELECT x$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_round(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$SELECT x$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_round(x bigint, digits integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.round(x::numeric, digits)::bigint$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_round(x integer, digits integer) RETURNS integer
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.round(x::numeric, digits)::integer$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_trunc(x bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$SELECT x$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_trunc(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$SELECT x$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_trunc(x bigint, digits integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.trunc(x::numeric, digits)::bigint$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_trunc(x integer, digits integer) RETURNS integer
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.trunc(x::numeric, digits)::integer$$;

DO $do$
DECLARE
    name text;
    kind text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ceil', 'floor'] LOOP
        FOREACH kind IN ARRAY ARRAY['integer', 'bigint', 'numeric', 'double precision'] LOOP
            EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_%1$s(x %2$s) RETURNS %2$s '
                'LANGUAGE sql IMMUTABLE AS $$SELECT %3$s$$', name, kind,
                CASE WHEN kind IN ('integer', 'bigint') THEN 'x' ELSE format('pg_catalog.%s(x)', name) END);
        END LOOP;
    END LOOP;
END $do$;

-- PERCENTILE_CONT and MEDIAN: of numbers that are exact a DECIMAL, of moments their own type: docs r_PERCENTILE_CONT,
-- r_MEDIAN. The values are in order and have no NULL among them.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile(p numeric, x numeric[]) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT round((ceil(rn) - rn) * x[floor(rn)::integer] + (CASE WHEN rn = floor(rn) THEN 1 ELSE rn - floor(rn) END)
        * x[ceil(rn)::integer], scale(p) + scale(x[ceil(rn)::integer]))
    FROM (SELECT 1 + p * (cardinality(x) - 1) AS rn) AS r$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile(p numeric, x double precision[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN ceil(rn) = floor(rn) THEN x[floor(rn)::integer] ELSE
        (ceil(rn) - rn)::double precision * x[floor(rn)::integer] + (rn - floor(rn))::double precision * x[ceil(rn)::integer] END
    FROM (SELECT 1 + p * (cardinality(x) - 1) AS rn) AS r$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile(p numeric, x timestamp[]) RETURNS timestamp
    LANGUAGE sql IMMUTABLE AS $$
    SELECT x[floor(rn)::integer] + (rn - floor(rn))::double precision * (x[ceil(rn)::integer] - x[floor(rn)::integer])
    FROM (SELECT 1 + p * (cardinality(x) - 1) AS rn) AS r$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile(p numeric, x timestamptz[]) RETURNS timestamptz
    LANGUAGE sql STABLE AS $$
    SELECT x[floor(rn)::integer] + (rn - floor(rn))::double precision * (x[ceil(rn)::integer] - x[floor(rn)::integer])
    FROM (SELECT 1 + p * (cardinality(x) - 1) AS rn) AS r$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile(p numeric, x date[]) RETURNS date
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.redshift_percentile(p, x::timestamp[])::date$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile(p numeric, x bigint[]) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.redshift_percentile(p, x::numeric[])$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile(p numeric, x integer[]) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.redshift_percentile(p, x::numeric[])$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile(p numeric, x smallint[]) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.redshift_percentile(p, x::numeric[])$$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile(p numeric, x real[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.redshift_percentile(p, x::double precision[])$$;
