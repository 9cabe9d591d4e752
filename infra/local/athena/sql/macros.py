"""DuckDB macros that give Trino's meaning where DuckDB's own function differs.

`typeof` is folded when DuckDB binds, so a CASE over it costs nothing at run time.
"""

import re

from infra.local.athena.shortcuts import json_numbers
from infra.local.athena.sql import typed_macros

SETTINGS = [
    "SET timezone = 'UTC'",
    "SET integer_division = true",
    "SET preserve_insertion_order = false",
    # DuckDB 2.0 pushes casts into the CSV reader and then fails on malformed lines instead of returning NULL.
    # Without statistics, as Glue's tables are, Trino keeps the order of a join as written and hashes its right side.
    # DuckDB would guess, hash the raw lines of a build and then read them from the hash table, in one thread.
    "SET disabled_optimizers = 'type_pushdown,build_side_probe_side'",
    "SET autoinstall_known_extensions = false",
]

# Casts to whole numbers. Most texts are the number's own; the regular expression decides about the rest
# (+5 and 007 are numbers, 1.5 and 1e3 are none). Doubles round half away from zero.
_INTEGER = """
trino_json_{name}(x) AS
    CASE WHEN left(CAST(TRY_CAST(x AS JSON) AS VARCHAR), 1) IN ('{{', '[') THEN NULL
    ELSE TRY_CAST(round(TRY_CAST(x AS DOUBLE)) AS {kind}) END;

trino_try_{name}(x) AS
    CASE WHEN typeof(x) = 'VARCHAR' THEN
        CASE WHEN CAST(TRY_CAST(x AS {kind}) AS VARCHAR) = x::VARCHAR
            OR regexp_full_match(x::VARCHAR, '\\s*[+-]?[0-9]+\\s*') THEN
            TRY_CAST(trim(x::VARCHAR, e' \\t\\n\\r') AS {kind}) END
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN TRY_CAST(round(TRY_CAST(x AS DOUBLE)) AS {kind})
    WHEN typeof(x) = 'JSON' THEN trino_json_{name}(x)
    ELSE TRY_CAST(x AS {kind}) END
"""

_GUARDS = r"""
trino_kind(t) AS
    CASE WHEN t = 'VARCHAR' THEN 'varchar' WHEN t = 'BOOLEAN' THEN 'boolean' WHEN t LIKE 'DECIMAL%' OR t IN
    ('TINYINT','SMALLINT','INTEGER','BIGINT','HUGEINT','FLOAT','DOUBLE') THEN 'number' WHEN t LIKE 'TIMESTAMP%'
    OR t = 'DATE' THEN 'timestamp' WHEN t = 'BLOB' THEN 'varbinary' WHEN t = 'JSON' THEN 'json' ELSE NULL END;

trino_same(a, b, v) AS
    CASE WHEN trino_kind(typeof(a)) <> trino_kind(typeof(b)) THEN
    error('TYPE_MISMATCH: Cannot apply operator to ' || lower(typeof(a)) || ', ' || lower(typeof(b))) ELSE v
    END;

trino_div(a, b) AS
    CASE WHEN (typeof(a) LIKE 'DECIMAL%' AND (typeof(b) LIKE 'DECIMAL%' OR typeof(b) IN
    ('TINYINT','SMALLINT','INTEGER','BIGINT','HUGEINT'))) OR (typeof(b) LIKE 'DECIMAL%' AND typeof(a) IN
    ('TINYINT','SMALLINT','INTEGER','BIGINT','HUGEINT')) THEN
    error('NOT_SUPPORTED_LOCALLY: division of decimals (cast one side to double)') WHEN b = 0 AND (typeof(a) IN
    ('DOUBLE','FLOAT') OR typeof(b) IN ('DOUBLE','FLOAT')) THEN
    error('NOT_SUPPORTED_LOCALLY: division of a double by zero (Infinity or NaN in Trino)') ELSE a / b END;

trino_try_div(a, b) AS
    CASE WHEN b = 0 AND typeof(a) NOT IN ('DOUBLE','FLOAT') AND typeof(b) NOT IN ('DOUBLE','FLOAT') THEN NULL
    ELSE trino_div(a, b) END;

trino_number(x) AS
    CASE WHEN typeof(x) = 'VARCHAR' THEN
    error('FUNCTION_NOT_FOUND: Unexpected parameters (varchar) for function sum') ELSE x END;

trino_not_decimal(x) AS
    CASE WHEN typeof(x) LIKE 'DECIMAL%' THEN error('NOT_SUPPORTED_LOCALLY: avg(decimal) (cast to double)') ELSE
    x END;

trino_not_date(x, v) AS
    CASE WHEN typeof(x) = 'DATE' THEN
    error('NOT_SUPPORTED_LOCALLY: arithmetic on a DATE that is not written as one (write CAST(x AS DATE))')
    ELSE v END;

trino_minus(a, b) AS
    CASE WHEN typeof(a) = 'DATE' THEN error('NOT_SUPPORTED_LOCALLY: subtraction from a DATE (use date_diff)')
    ELSE a - b END;

trino_binary(x) AS
    CASE WHEN typeof(x) <> 'BLOB' AND x IS NOT NULL THEN error('FUNCTION_NOT_FOUND: Unexpected parameters (' ||
    typeof(x) || '): varbinary expected') ELSE x END;

trino_text(x) AS
    CASE WHEN trino_kind(typeof(x)) IN ('number', 'timestamp', 'boolean') THEN
    error('FUNCTION_NOT_FOUND: Unexpected parameters for function concat: varchar expected, not '
    || lower(typeof(x))) ELSE x END;

trino_must(x, v, t) AS
    CASE WHEN v IS NULL AND x IS NOT NULL AND NOT (typeof(x) = 'JSON' AND TRY_CAST(x AS VARCHAR) = 'null') THEN
    CASE WHEN typeof(x) IN ('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT') THEN
    error('NUMERIC_VALUE_OUT_OF_RANGE: Out of range for ' || t || ': ' || coalesce(TRY_CAST(x AS VARCHAR), '?'))
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN
    error('INVALID_CAST_ARGUMENT: Cannot cast ' || double_text(TRY_CAST(x AS DOUBLE)) || ' to ' || t)
    ELSE error('INVALID_CAST_ARGUMENT: Cannot cast ''' || coalesce(TRY_CAST(x AS VARCHAR), '?') || ''' to ' || upper(t))
    END ELSE v END
"""

_FUNCTIONS = r"""
trino_try_double(x) AS
    CASE WHEN typeof(x) = 'VARCHAR' THEN CASE WHEN (isfinite(TRY_CAST(x AS DOUBLE)) AND NOT
    contains(x::VARCHAR, '_')) OR regexp_full_match(x::VARCHAR,
    '\s*[+-]?(NaN|Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)\s*') THEN TRY_CAST(x AS DOUBLE) END
    WHEN typeof(x) = 'JSON' THEN CASE WHEN left(CAST(TRY_CAST(x AS JSON) AS VARCHAR), 1) IN ('{', '[') THEN
    NULL ELSE TRY_CAST(x AS DOUBLE) END ELSE TRY_CAST(x AS DOUBLE) END;

trino_try_real(x) AS
    CASE WHEN typeof(x) = 'DOUBLE' AND NOT isnan(TRY_CAST(x AS DOUBLE)) AND
    abs(TRY_CAST(x AS DOUBLE)) > 3.4028235677973366e38 THEN
    CASE WHEN TRY_CAST(x AS DOUBLE) > 0 THEN 'inf'::FLOAT ELSE '-inf'::FLOAT END
    ELSE TRY_CAST(trino_try_double(x) AS FLOAT) END;

trino_try_boolean(x) AS
    CASE WHEN typeof(x) = 'VARCHAR' AND lower(x::VARCHAR) NOT IN ('t','true','1','f','false','0') THEN NULL
    ELSE TRY_CAST(x AS BOOLEAN) END;

trino_try_date(x) AS
    CASE WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(x::VARCHAR,
    '\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\s*') THEN NULL ELSE TRY_CAST(x AS DATE) END;

trino_cast_date(x) AS
    trino_must(x, trino_try_date(x), 'date');

trino_ms(t) AS
    date_trunc('millisecond', t + INTERVAL 500 MICROSECOND);

trino_try_timestamp(x) AS
    CASE WHEN typeof(x) = 'VARCHAR' THEN CASE WHEN regexp_full_match(x::VARCHAR,
    '\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]{1,12})?)?)?\s*') THEN
    trino_ms(TRY_CAST(x AS TIMESTAMP)) END ELSE TRY_CAST(x AS TIMESTAMP) END;

trino_try_timestamptz(x) AS
    CASE WHEN typeof(x) = 'VARCHAR' THEN
    error('NOT_SUPPORTED_LOCALLY: CAST(varchar AS timestamp with time zone)') ELSE TRY_CAST(x AS TIMESTAMPTZ)
    END;

trino_json_text_of(x) AS
    CASE WHEN left(CAST(TRY_CAST(x AS JSON) AS VARCHAR), 1) IN ('{', '[') THEN NULL WHEN json_type(TRY_CAST(x
    AS JSON)) = 'DOUBLE' THEN trino_double_text(TRY_CAST(x AS DOUBLE)) ELSE json_extract_string(TRY_CAST(x AS
    JSON), '$') END;

trino_try_varchar(x) AS
    CASE WHEN typeof(x) IN ('DOUBLE','FLOAT') THEN trino_double_text(TRY_CAST(x AS DOUBLE)) WHEN typeof(x) =
    'TIMESTAMP' THEN strftime(TRY_CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g') WHEN typeof(x) =
    'TIMESTAMP WITH TIME ZONE' THEN strftime(TRY_CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g') || ' UTC' WHEN
    typeof(x) = 'JSON' THEN trino_json_text_of(x) WHEN trino_kind(typeof(x)) IS NULL OR typeof(x) = 'BLOB' THEN
    error('TYPE_MISMATCH: Cannot cast ' || lower(typeof(x)) || ' to varchar') ELSE TRY_CAST(x AS VARCHAR) END;

trino_length(x) AS
    CASE WHEN typeof(x) = 'BLOB' THEN octet_length(TRY_CAST(x AS BLOB)) ELSE length(TRY_CAST(x AS VARCHAR)) END;

trino_substr(s, a) AS
    CASE WHEN a = 0 OR a > length(s) OR a < -length(s) THEN CASE WHEN s IS NOT NULL THEN '' END ELSE substr(s, a) END,
    (s, a, n) AS CASE WHEN a = 0 OR n <= 0 OR a > length(s) OR a < -length(s) THEN CASE WHEN s IS NOT NULL AND a IS NOT
    NULL AND n IS NOT NULL THEN '' END ELSE substr(s, a, n) END;

trino_split_part(s, d, i) AS
    CASE WHEN d IS NULL THEN NULL WHEN i <= 0 AND s IS NOT NULL AND d IS NOT NULL THEN
    error('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero') ELSE
    string_split(s, d)[i] END;

trino_regexp_extract(s, p, g) AS
    CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;

trino_from_utf8(x) AS
    coalesce(TRY(decode(x)), utf8_lossy(x));

trino_json_text(x) AS
    -- yyjson also reads trailing commas, NaN and Infinity; such text, rare, goes to a strict parser. A text without
    -- blanks that has none of these pieces has none of the three, which is found sooner than by a regular expression.
    CASE WHEN NOT contains(x, ' ') AND NOT contains(x, ',}') AND NOT contains(x, ',]') AND NOT contains(x, e'\t')
    AND NOT contains(x, e'\n') AND NOT contains(x, e'\r') AND NOT contains(lower(x), 'nan') AND NOT
    contains(lower(x), 'inf') THEN x WHEN regexp_matches(x,
    ',[ \t\r\n]*[}\]]|[:,\[][ \t\r\n]*[-+]?[nNiI][aAnN]|^[ \t\r\n]*[-+]?[nNiI][aAnN]') THEN strict_json(x) ELSE x END;

trino_unique_keys(j) AS
    -- A JSON value, unlike a text, holds no key twice: json_parse has kept the last.
    len(list_distinct(json_keys(j)));

trino_value_unique(x) AS
    CASE WHEN x IS NULL OR len(json_keys(x)) < 2 OR len(json_keys(x)) = trino_unique_keys(x) THEN x ELSE
    TRY_CAST(java_json(CAST(x AS VARCHAR)) AS JSON) END;

trino_json_unique(x) AS
    CASE WHEN typeof(x) <> 'JSON' THEN TRY_CAST(x AS JSON) ELSE trino_value_unique(TRY_CAST(x AS JSON)) END;

trino_json_size_of_keys(x, k, n) AS
    CASE WHEN x IS NULL THEN NULL WHEN left(CAST(x AS VARCHAR), 1) = '{' THEN CASE WHEN len(k) = n OR typeof(x) <>
    'JSON' THEN len(k) ELSE len(list_distinct(k)) END WHEN left(CAST(x AS VARCHAR), 1) = '[' THEN
    json_array_length(TRY_CAST(x AS JSON))::BIGINT ELSE 0 END;

trino_json_fields(x, k, n, v, p) AS
    CASE WHEN x IS NULL OR typeof(x) <> 'JSON' OR len(k) = n OR len(list_distinct(k)) = len(k) THEN v ELSE
    json_extract(TRY_CAST(java_json(CAST(x AS VARCHAR)) AS JSON), p) END;

trino_json_size_of(j) AS
    CASE WHEN j IS NULL THEN NULL WHEN left(CAST(j AS VARCHAR), 1) = '{' THEN len(json_keys(j)) WHEN
    left(CAST(j AS VARCHAR), 1) = '[' THEN json_array_length(j)::BIGINT ELSE 0 END;

trino_to_json(x) AS
    CASE WHEN x IS NULL THEN NULL ELSE to_json(x) END;

trino_text_trimmed(x) AS
    TRY_CAST(trim(x::VARCHAR, e' \t\r\n') AS JSON);

trino_trimmed(x) AS
    CASE WHEN typeof(x) = 'JSON' THEN TRY_CAST(x AS JSON) ELSE trino_text_trimmed(x) END;

trino_json_size(x, p) AS
    CASE WHEN p = '$' AND typeof(x) <> 'JSON' THEN trino_json_size_of(trino_trimmed(x))
    WHEN p = '$' THEN trino_json_size_of(trino_json_unique(x)) WHEN typeof(x) = 'JSON' THEN
    trino_json_size_of(trino_json_unique(json_extract(trino_json_unique(x), p))) ELSE
    trino_json_size_of(json_extract(TRY_CAST(x AS JSON), p)) END;

trino_json_extract(x, p) AS
    CASE WHEN p = '$' THEN trino_trimmed(x) ELSE json_extract(trino_json_unique(x), p) END;

trino_json_scalar_of(j) AS
    -- A text without escapes is what stands between its quotes.
    CASE WHEN left(CAST(j AS VARCHAR), 1) IN ('{', '[') THEN NULL WHEN left(CAST(j AS VARCHAR), 1) = '"' AND NOT
    contains(CAST(j AS VARCHAR), '\') THEN substr(CAST(j AS VARCHAR), 2, length(CAST(j AS VARCHAR)) - 2) ELSE
    json_extract_string(j, '$') END;

trino_value_scalar(j) AS
    CASE WHEN json_type(j) = 'DOUBLE' THEN java_double(TRY_CAST(j AS DOUBLE)) ELSE trino_json_scalar_of(j) END;

trino_text_scalar(x, p, j) AS
    -- A number of a text stays as it is written there; one of a JSON value is a double's or a whole number's text.
    CASE WHEN json_type(j) = 'DOUBLE' THEN json_number(CAST(x AS VARCHAR), p) ELSE trino_json_scalar_of(j) END;

trino_json_scalar_at(x, p, j) AS
    CASE WHEN typeof(x) = 'JSON' THEN trino_value_scalar(j) ELSE trino_text_scalar(x, p, j) END;

trino_json_scalar(x, p) AS
    CASE WHEN p = '$' THEN trino_json_scalar_at(x, p, trino_trimmed(x)) ELSE
    trino_json_scalar_at(x, p, json_extract(trino_json_unique(x), p)) END;

trino_java_json(x) AS
    -- Most texts are Trino's already: strings of plain characters, whole numbers, words.
    CASE WHEN left(CAST(x AS VARCHAR), 1) = '"' AND right(CAST(x AS VARCHAR), 1) = '"' THEN
    CASE WHEN contains(CAST(x AS VARCHAR), '\') OR strlen(CAST(x AS VARCHAR)) <> length(CAST(x AS VARCHAR)) THEN
    java_json(CAST(x AS VARCHAR)) ELSE CAST(x AS VARCHAR) END
    WHEN regexp_full_match(CAST(x AS VARCHAR), '-?[1-9][0-9]*|0|null|true|false') THEN CAST(x AS VARCHAR)
    WHEN CAST(x AS VARCHAR) IS NOT NULL THEN java_json(CAST(x AS VARCHAR)) END;

trino_json_array_length(x) AS
    CASE WHEN starts_with(TRY_CAST(x AS JSON)::VARCHAR, '{') THEN NULL WHEN json_type(TRY_CAST(x AS JSON)) = 'ARRAY'
    THEN json_array_length(TRY_CAST(x AS JSON))::BIGINT END;

trino_contains(a, x) AS
    CASE WHEN list_contains(a, x) THEN true WHEN a IS NULL OR x IS NULL OR len(list_filter(a, lambda e: e IS
    NULL)) > 0 THEN NULL ELSE false END;

trino_array_join(a, d) AS
    trino_joined(list_transform(a, lambda e: trino_try_varchar(e)), d), (a, d, n) AS
    CASE WHEN n IS NOT NULL THEN trino_joined(list_transform(a, lambda e: coalesce(trino_try_varchar(e), n)), d) END;

trino_array_extreme(a, v) AS
    CASE WHEN len(list_filter(a, lambda e: e IS NULL)) > 0 THEN NULL ELSE v END;

trino_array_position(a, x) AS
    CASE WHEN a IS NULL OR x IS NULL THEN NULL ELSE coalesce(list_position(a, x), 0)::BIGINT END;

trino_slice(a, s, n) AS
    CASE WHEN a IS NULL OR s IS NULL OR n IS NULL THEN NULL
    WHEN s = 0 THEN error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
    WHEN n < 0 THEN error('INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0')
    WHEN s > len(a) OR s < -len(a) OR n = 0 THEN list_slice(a, 1, 0) ELSE list_slice(a, s,
    CASE WHEN n >= len(a) OR (s < 0 AND s + n >= 0) THEN -1 ELSE s::BIGINT + n::BIGINT - 1 END) END;

trino_any(l) AS
    CASE WHEN list_contains(l, true) THEN true WHEN len(list_filter(l, lambda e: e IS NULL)) > 0 THEN NULL WHEN
    l IS NULL THEN NULL ELSE false END;

trino_all(l) AS
    CASE WHEN list_contains(l, false) THEN false WHEN len(list_filter(l, lambda e: e IS NULL)) > 0 THEN NULL
    WHEN l IS NULL THEN NULL ELSE true END;

trino_subscript(a, i) AS
    CASE WHEN a IS NOT NULL AND i IS NOT NULL AND typeof(a) LIKE 'MAP%' AND a[i] IS NULL THEN
    error('INVALID_FUNCTION_ARGUMENT: Key not present in map') WHEN typeof(a) LIKE '%[]' AND (TRY_CAST(i AS
    BIGINT) < 1 OR TRY_CAST(i AS BIGINT) > cardinality(a)) THEN
    error('INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length') ELSE a[i]
    END;

trino_dedup(l) AS
    map_from_entries(list_filter(l, lambda x, i: list_position(list_transform(l, lambda y: y.k), x.k) = i));

trino_map_agg(k, v) AS
    trino_dedup(list({'k': k, 'v': v}) FILTER (WHERE k IS NOT NULL));

trino_histogram(x) AS
    histogram(x);

trino_checksum(x) AS
    unhex(format('{:016X}', ((sum(hash(x)::HUGEINT) % 18446744073709551616))::UBIGINT));

trino_width_bucket(x, a, b, n) AS
    CASE WHEN x IS NULL OR a IS NULL OR b IS NULL OR n IS NULL THEN NULL
    WHEN n <= 0 THEN error('INVALID_FUNCTION_ARGUMENT: bucketCount must be greater than 0')
    WHEN isnan(x) THEN error('INVALID_FUNCTION_ARGUMENT: operand must not be NaN')
    WHEN NOT isfinite(a) THEN error('INVALID_FUNCTION_ARGUMENT: first bound must be finite')
    WHEN NOT isfinite(b) THEN error('INVALID_FUNCTION_ARGUMENT: second bound must be finite')
    WHEN a = b THEN error('INVALID_FUNCTION_ARGUMENT: bounds cannot equal each other')
    WHEN (a < b AND x < a) OR (a > b AND x > a) THEN 0 WHEN (a < b AND x >= b) OR (a > b AND x <= b) THEN n + 1
    ELSE CAST(floor(n * abs(a - x) / abs(b - a)) AS BIGINT) + 1 END;

openx_json(x) AS
    -- The openx SerDe: keys in any case; a line that is no object is NULL (or an error, trino_must_json).
    CASE WHEN starts_with(x, '{') AND NOT regexp_matches(x,
    ',[ \t\r\n]*[}\]]|[:,\[][ \t\r\n]*[-+]?[nNiI][aAnN]|[A-Z][A-Za-z_0-9]*\"[ \t\r\n]*:') THEN TRY_CAST(x AS
    JSON) WHEN starts_with(x, '{') THEN TRY_CAST(openx_slow(x) AS JSON) END;

trino_must_json(x, j) AS
    CASE WHEN j IS NULL AND starts_with(x, '{') THEN
    error('HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException: ' || left(x, 80)) ELSE j END;

trino_count(n) AS
    CASE WHEN n NOT BETWEEN -2147483648 AND 2147483647 THEN error('INVALID_FUNCTION_ARGUMENT: integer overflow')
    ELSE n END;

trino_from_unixtime(x) AS
    trino_ms(to_timestamp(CASE WHEN isnan(x::DOUBLE) THEN 0 ELSE x END));

trino_try_iso8601(x) AS
    CASE WHEN regexp_full_match(x,
    '[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?')
    THEN trino_ms(TRY_CAST(replace(x, ',', '.') AS TIMESTAMPTZ))
    WHEN regexp_full_match(x, '[+-]?[0-9]{1,9}(-(W[0-9]{1,2}(-[0-9])?|[0-9]{3}|[0-9]{1,2}(-[0-9]{1,2})?))?' ||
    '(T[0-9]{0,2}([:.,+-][0-9:.,]*)?Z?)?')
    THEN error('NOT_SUPPORTED_LOCALLY: from_iso8601_timestamp of "' || x || '" (write YYYY-MM-DDTHH:MM:SS)') END;

trino_iso8601_day(x) AS
    CASE WHEN regexp_full_match(x, '[0-9]{4}-(W[0-9]{1,2}(-[0-9])?|[0-9]{3}|[0-9]{2})|[0-9]{4}') THEN
    error('NOT_SUPPORTED_LOCALLY: from_iso8601_date of "' || x || '" (write YYYY-MM-DD)') ELSE trino_cast_date(x) END;

trino_iso8601(x) AS
    CASE WHEN x IS NOT NULL AND trino_try_iso8601(x) IS NULL THEN
    error('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || x || '"') ELSE trino_try_iso8601(x) END
"""

_NAMES = ("bigint", "integer", "smallint", "tinyint")
_INTEGERS = [_INTEGER.format(name=name, kind=name.upper()) for name in _NAMES]
_MACRO_TEXTS = (_GUARDS, *_INTEGERS, typed_macros.MACROS, _FUNCTIONS, json_numbers.MACROS)
MACROS = [macro.strip() for text in _MACRO_TEXTS for macro in text.split(";\n")]


def _refusing() -> re.Pattern[str]:
    bodies = dict(macro.partition("(")[::2] for macro in MACROS)
    found = {name for name, body in bodies.items() if "NOT_SUPPORTED_LOCALLY" in body}
    while more := {n for n, body in bodies.items() if n not in found and any(f"{f}(" in body for f in found)}:
        found |= more
    return re.compile(r"\b(?:" + "|".join(sorted(found)) + r")\(")


REFUSING = _refusing()
"""A call of a macro that may refuse a value by name."""
