"""DuckDB macros for values whose Trino type the translation knows: zones, intervals, decimals, Java's numbers."""

MACROS = r"""
trino_rounded_ms(us) AS
    (us + CASE WHEN us < 0 THEN -500 ELSE 500 END) // 1000;

trino_joined(a, d) AS
    CASE WHEN a IS NOT NULL AND d IS NOT NULL THEN coalesce(array_to_string(a, d), '') END;

trino_must_be_finite(x, j) AS
    CASE WHEN x IS NOT NULL AND (j IS NULL OR regexp_matches(j::VARCHAR, '[\[:,]-?(?i:inf|nan)')) THEN
    error('NOT_SUPPORTED_LOCALLY: CAST of NaN or Infinity within an array, map or row AS json') ELSE j END;

trino_numbers(a) AS
    list_filter(a, lambda e: e IS NULL OR NOT isnan(e));

trino_span(us) AS
    -- Days apart, since Arrow holds no more nanoseconds than those of 292 years.
    to_days(CAST(us // 86400000000 AS INTEGER)) + to_microseconds(us % 86400000000);

trino_double_text(x) AS
    double_text(CAST(x AS DOUBLE));

trino_real_text(x) AS
    real_cast_text(CAST(x AS DOUBLE));

trino_day_time_text(x) AS
    interval_text(epoch_us(x) // 1000);

trino_months(x) AS
    CAST(date_part('year', x) * 12 + date_part('month', x) AS BIGINT);

trino_year_month_text(x) AS
    CASE WHEN trino_months(x) < 0 THEN '-' ELSE '' END || (abs(trino_months(x)) // 12) || '-' ||
    (abs(trino_months(x)) % 12);

trino_micros(x) AS
    CASE WHEN regexp_full_match(x::VARCHAR,
    '\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]{1,6})?)?)?\s*') THEN
    TRY_CAST(x AS TIMESTAMP) END;

trino_must_decimal(x, v, p, t) AS
    CASE WHEN v IS NULL AND x IS NOT NULL THEN
    error('INVALID_CAST_ARGUMENT: Cannot cast ' || p || '''' || x::VARCHAR || ''' to ' || t) ELSE v END;

trino_float_div(a, b) AS
    CASE WHEN b = 0 THEN CASE WHEN a = 0 OR isnan(a) THEN 'nan'::FLOAT WHEN (a > 0) = (NOT signbit(b)) THEN
    'inf'::FLOAT WHEN a IS NOT NULL THEN '-inf'::FLOAT END ELSE a / CASE WHEN b <> 0 THEN b END END;

trino_float_mod(a, b) AS
    CASE WHEN b = 0 THEN CASE WHEN a IS NOT NULL THEN 'nan'::FLOAT END ELSE a % CASE WHEN b <> 0 THEN b END END;

trino_no_nan(x) AS
    CASE WHEN isnan(x) THEN NULL ELSE x END;

trino_finite(x) AS
    CASE WHEN isfinite(x) THEN x END;

trino_unit(x) AS
    CASE WHEN x BETWEEN -1 AND 1 THEN x END;

trino_or_nan(x, v) AS
    CASE WHEN x IS NOT NULL AND v IS NULL THEN 'nan'::DOUBLE ELSE v END;

trino_sqrt(x) AS
    CASE WHEN x < 0 THEN 'nan'::DOUBLE ELSE sqrt(CASE WHEN x < 0 THEN NULL ELSE x END) END;

trino_ln(x) AS
    CASE WHEN x < 0 THEN 'nan'::DOUBLE WHEN x = 0 THEN '-inf'::DOUBLE ELSE ln(CASE WHEN x > 0 THEN x END) END;

trino_log2(x) AS
    CASE WHEN x < 0 THEN 'nan'::DOUBLE WHEN x = 0 THEN '-inf'::DOUBLE ELSE log2(CASE WHEN x > 0 THEN x END) END;

trino_log10(x) AS
    CASE WHEN x < 0 THEN 'nan'::DOUBLE WHEN x = 0 THEN '-inf'::DOUBLE ELSE log10(CASE WHEN x > 0 THEN x END) END;

trino_whole_days(x) AS
    CASE WHEN epoch_us(x) % 86400000000 <> 0 THEN
    error('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date') ELSE x END;

trino_sequence(a, b, s) AS
    CASE WHEN a IS NULL OR b IS NULL OR s IS NULL THEN NULL WHEN s = 0 OR (s > 0 AND b < a) OR (s < 0 AND b > a) THEN
    error('INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if step is '
    || 'greater than zero otherwise stop should be less than or equal to start')
    WHEN abs((b::HUGEINT - a) // s) >= 10000 THEN
    error('INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries')
    -- DuckDB makes the series of constants before it decides which branch to take.
    ELSE generate_series(a::BIGINT, CASE WHEN abs((b::HUGEINT - a) // CASE WHEN s = 0 THEN 1 ELSE s END) < 10000 THEN b
    ELSE a END::BIGINT, CASE WHEN s = 0 THEN 1 ELSE s END::BIGINT) END;

trino_day_step(s) AS
    CASE WHEN epoch_us(s) % 86400000000 <> 0 THEN
    error('INVALID_FUNCTION_ARGUMENT: sequence step must be a day interval if start and end values are dates')
    ELSE s END;

trino_date_sequence(a, b, s) AS
    list_transform(trino_sequence(0, b - a, s), lambda e: CAST(a + CAST(e AS INTEGER) AS DATE));

trino_time_sequence(a, b, s) AS
    CASE WHEN a IS NULL OR b IS NULL OR s IS NULL THEN NULL WHEN trino_months(s) = 0 AND epoch_us(s) = 0 THEN
    error('INVALID_FUNCTION_ARGUMENT: step must not be zero') WHEN (trino_months(s) > 0 AND b < a) OR
    (trino_months(s) < 0 AND b > a) THEN
    error('INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if step is '
    || 'greater than zero otherwise stop should be less than or equal to start')
    WHEN trino_months(s) <> 0 AND date_diff('month', a, b) // trino_months(s) > 10000 THEN
    error('INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries')
    WHEN trino_months(s) <> 0 THEN
    list_filter(list_transform(range(0, abs(date_diff('month', a, b) // trino_months(s)) + 1),
    lambda e: CAST(a AS TIMESTAMP) + to_months(CAST(e * trino_months(s) AS INTEGER))),
    lambda e: CASE WHEN trino_months(s) > 0 THEN e <= CAST(b AS TIMESTAMP) ELSE e >= CAST(b AS TIMESTAMP) END)
    ELSE list_transform(trino_sequence(epoch_us(CAST(a AS TIMESTAMP)), epoch_us(CAST(b AS TIMESTAMP)), epoch_us(s)),
    lambda e: make_timestamp(e)) END;

trino_array_distinct(a) AS
    list_filter(a, lambda x, i: len(list_filter(list_slice(a, 1, i - 1), lambda y: y IS NOT DISTINCT FROM x)) = 0);

trino_at_share(l, q) AS
    CASE WHEN q < 0 OR q > 1 THEN error('INVALID_FUNCTION_ARGUMENT: Percentile must be between 0 and 1')
    WHEN len(l) > 0 THEN l[least(floor(q * len(l))::BIGINT + 1, len(l))] END;

trino_array_concat(a, b) AS
    CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE list_concat(a, b) END;

trino_array_subscript(a, i) AS
    CASE WHEN a IS NULL THEN NULL WHEN i = 0 THEN error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
    WHEN i < 0 THEN error('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || i)
    WHEN i > len(a) THEN error('INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: '
    || i || ' > ' || len(a)) ELSE a[i] END;

trino_map_subscript(a, i) AS
    CASE WHEN a IS NOT NULL AND i IS NOT NULL AND NOT map_contains(a, i) THEN
    error('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || i::VARCHAR) ELSE a[i] END;

trino_array_element(a, i) AS
    CASE WHEN i = 0 AND a IS NOT NULL THEN error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
    ELSE a[i] END;

trino_zone_minutes(z) AS
    (CAST(substr(z, 2, 2) AS BIGINT) * 60 + CAST(substr(z, 5, 2) AS BIGINT)) * CASE WHEN z[1] = '-' THEN -1 ELSE 1 END;

trino_offset(z) AS
    to_minutes(trino_zone_minutes(CASE WHEN z[1] IN ('+', '-') THEN z ELSE '+00:00' END));

trino_wall(t, z) AS
    CASE WHEN z[1] IN ('+', '-') THEN timezone('UTC', t) + trino_offset(z)
    ELSE timezone(CASE WHEN z[1] IN ('+', '-') THEN 'UTC' ELSE z END, t) END;

trino_instant(t, z) AS
    CASE WHEN z[1] IN ('+', '-') THEN timezone('UTC', t - trino_offset(z))
    ELSE timezone(CASE WHEN z[1] IN ('+', '-') THEN 'UTC' ELSE z END, t) END;

trino_iso8601_offset(x) AS
    regexp_extract(x, 'T.*([+-][0-9]{2}:?[0-9]{0,2})$', 1);

trino_iso8601_zone(x) AS
    CASE WHEN x IS NULL THEN NULL WHEN replace(replace(trino_iso8601_offset(x), ':', ''), '0', '') IN ('', '+', '-')
    THEN 'UTC' ELSE left(trino_iso8601_offset(x), 3) || ':' ||
    rpad(replace(substr(trino_iso8601_offset(x), 4), ':', ''), 2, '0') END;

trino_utc(t, z) AS
    CASE WHEN t IS NOT NULL AND z <> 'UTC' THEN
    error('NOT_SUPPORTED_LOCALLY: a timestamp in the time zone ' || z || ' in a column, array, aggregate or other '
    || 'expression (write AT TIME ZONE ''UTC'')') ELSE t END;

trino_same_padding(s, p, n) AS
    CASE WHEN s IS NULL OR p IS NULL OR n IS NULL THEN NULL
    WHEN p = '' THEN error('INVALID_FUNCTION_ARGUMENT: Padding string must not be empty')
    WHEN n < 0 THEN error('INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]')
    WHEN n > 1000000 THEN error('NOT_SUPPORTED_LOCALLY: padding to more than 1,000,000 characters') ELSE s END;

trino_digits(n) AS
    CASE WHEN n NOT BETWEEN -300 AND 300 THEN error('NOT_SUPPORTED_LOCALLY: round to more than 300 digits') ELSE n END;

trino_unless_infinite(x, otherwise) AS
    CASE WHEN isfinite(x) THEN x ELSE otherwise END;

trino_to_digits(x, n) AS
    -- By Trino's formula, since releases of DuckDB differ in theirs: 2.675 to 2 digits is 2.68, whatever its bits say.
    CASE WHEN NOT isfinite(x) THEN x
    WHEN n < 0 THEN trino_unless_infinite(round(x / pow(10.0, -n)) * pow(10.0, -n), 0.0)
    ELSE trino_unless_infinite(round(x * pow(10.0, n)) / pow(10.0, n), x) END;

trino_codepoint(x) AS
    CASE WHEN length(x) <> 1 THEN error('INVALID_FUNCTION_ARGUMENT: Input string must be a single character string')
    ELSE unicode(x) END;

trino_split(s, d) AS
    CASE WHEN d IS NULL THEN NULL WHEN d = '' AND s IS NOT NULL THEN
    error('INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string') ELSE string_split(s, d) END;

trino_replace(s, f, t) AS
    CASE WHEN f = '' THEN t || regexp_replace(s, '(?s)(.)', '\1' || replace(t, '\', '\\'), 'g')
    ELSE replace(s, f, t) END;

trino_reverse(s) AS
    array_to_string(list_reverse(regexp_extract_all(s, '(?s).')), '');

trino_ascii(x, f) AS
    CASE WHEN strlen(x) <> length(x) THEN error('NOT_SUPPORTED_LOCALLY: ' || f || ' of text beyond ASCII') ELSE x END;

trino_upper(x) AS
    CASE WHEN contains(x, 'ß') THEN array_to_string(list_transform(string_split(x, 'ß'), lambda e: upper(e)), 'ß')
    ELSE upper(x) END;

trino_from_base64(x) AS
    -- Java's decoder needs no padding.
    from_base64(CASE WHEN contains(x, '=') THEN x ELSE x || repeat('=', (4 - length(x) % 4) % 4) END);

trino_from_hex(x) AS
    -- Without error(), which DuckDB takes in no TRY.
    unhex(CASE WHEN length(x) % 2 = 1 THEN 'odd length' ELSE x END);

trino_taken_group(x) AS
    CASE WHEN x = '' THEN error('NOT_SUPPORTED_LOCALLY: regexp_extract of an optional group that may have taken '
    || 'no part (NULL in Trino) or be empty') ELSE x END;

trino_arrays_overlap(a, b) AS
    CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(a, b) THEN true
    WHEN len(a) > 0 AND len(b) > 0 AND (len(list_filter(a, lambda e: e IS NULL)) > 0
    OR len(list_filter(b, lambda e: e IS NULL)) > 0) THEN NULL ELSE false END;

trino_map_concat(a, b) AS
    map_from_entries(list_concat(map_entries(b), list_filter(map_entries(a), lambda e: NOT map_contains(b, e.key))));

trino_number_max(a) AS
    coalesce(list_max(list_filter(a, lambda e: NOT isnan(e))), list_max(a));

trino_number_min(a) AS
    coalesce(list_min(list_filter(a, lambda e: NOT isnan(e))), list_min(a));

trino_comparable(a) AS
    CASE WHEN len(list_filter(a, lambda e: e IS NULL)) > 0 THEN
    error('NOT_SUPPORTED_LOCALLY: comparison of arrays that hold NULL') ELSE a END;

trino_parsed(x, v) AS
    CASE WHEN trim(x, e' \t\n') <> x THEN error('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || x || '"') ELSE v END;

trino_levenshtein(a, b) AS
    levenshtein(trino_ascii(a, 'levenshtein_distance'), trino_ascii(b, 'levenshtein_distance'));

trino_no_line(x) AS
    CASE WHEN ends_with(x, chr(10)) THEN
    error('NOT_SUPPORTED_LOCALLY: a regular expression with $ of text that ends with a line feed') ELSE x END
"""
