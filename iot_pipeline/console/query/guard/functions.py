"""The functions that a query may call: Trino's that compute from their arguments alone.

Left out, and so refused: what reads elsewhere or tells of the server (table functions, `query`, `current_user`,
`version`), and functions whose names we do not know.
"""

_AGGREGATES = (
    "count sum min max avg count_if bool_and bool_or every any_value arbitrary array_agg max_by min_by "
    "approx_percentile approx_distinct approx_most_frequent map_agg map_union multimap_agg histogram numeric_histogram "
    "checksum stddev stddev_samp stddev_pop variance var_samp var_pop corr covar_pop covar_samp regr_intercept "
    "regr_slope skewness kurtosis entropy geometric_mean grouping listagg bitwise_and_agg bitwise_or_agg set_agg "
    "set_union reduce_agg approx_set merge tdigest_agg qdigest_agg value_at_quantile values_at_quantiles "
)
_WINDOWS = "row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value "
_CONDITIONS = "coalesce nullif if try greatest least typeof "
_NUMBERS = (
    "abs cbrt ceil ceiling cosine_similarity degrees e exp floor ln log log2 log10 mod pi pow power radians round sign "
    "sqrt truncate width_bucket acos asin atan atan2 cos cosh sin sinh tan tanh infinity is_finite is_infinite is_nan "
    "nan rand random from_base to_base bit_count bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift "
    "bitwise_right_shift bitwise_right_shift_arithmetic "
)
_TEXTS = (
    "chr codepoint concat concat_ws format hamming_distance length levenshtein_distance lower lpad ltrim luhn_check "
    "normalize position regexp_count regexp_extract regexp_extract_all regexp_like regexp_position regexp_replace "
    "regexp_split replace reverse rpad rtrim soundex split split_part split_to_map split_to_multimap starts_with "
    "strpos substr substring to_utf8 from_utf8 translate trim upper url_decode url_encode word_stem "
    "human_readable_seconds "
)
_BINARIES = (
    "crc32 from_base32 from_base64 from_base64url from_hex md5 sha1 sha256 sha512 spooky_hash_v2_32 spooky_hash_v2_64 "
    "murmur3 xxhash64 to_base32 to_base64 to_base64url to_hex hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512 uuid "
    "from_big_endian_32 from_big_endian_64 to_big_endian_32 to_big_endian_64 from_ieee754_32 from_ieee754_64 "
    "to_ieee754_32 to_ieee754_64 "
)
_JSON = (
    "json_parse json_format json_extract json_extract_scalar json_size json_array_length json_array_contains "
    "json_array_get is_json_scalar "
)
_COLLECTIONS = (
    "row cardinality contains contains_sequence element_at all_match any_match none_match array_distinct array_except "
    "array_intersect array_join array_max array_min array_position array_remove array_sort array_union arrays_overlap "
    "array_histogram combinations filter flatten ngrams reduce repeat sequence shuffle slice transform trim_array zip "
    "zip_with map map_concat map_entries map_filter map_from_entries map_keys map_values map_zip_with "
    "multimap_from_entries transform_keys transform_values "
)
_TIMES = (
    "at_timezone current_timezone date date_add date_diff date_format date_parse date_trunc day day_of_month "
    "day_of_week day_of_year dow doy format_datetime from_iso8601_date from_iso8601_timestamp "
    "from_iso8601_timestamp_nanos from_unixtime from_unixtime_nanos hour last_day_of_month millisecond minute month "
    "now parse_datetime parse_duration quarter second timezone_hour timezone_minute to_iso8601 "
    "to_milliseconds to_unixtime "
    "week week_of_year with_timezone year year_of_week yow "
)
_PLACES = (
    "bing_tile_at great_circle_distance st_point st_distance st_contains st_within st_x st_y to_spherical_geography "
    "st_geometryfromtext st_polygon "
)

FUNCTIONS = frozenset(
    (
        _AGGREGATES + _WINDOWS + _CONDITIONS + _NUMBERS + _TEXTS + _BINARIES + _JSON + _COLLECTIONS + _TIMES + _PLACES
    ).split()
)
