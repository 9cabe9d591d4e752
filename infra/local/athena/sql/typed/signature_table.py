"""The table that `signatures.py` reads."""

TABLE = r"""
count() bigint
count(any) bigint
count_if(boolean) bigint
sum(int) bigint := sum({0})
sum(decimal) decimal38 := sum({0})
sum(real) real := sum({0})
sum(double) double := sum({0})
avg(int) double := avg({0})
avg(decimal) $1
avg(real) real := avg({0})
avg(double) double := avg({0})
min(orderable) $1
max(orderable) $1
bool_and(boolean) boolean
every(boolean) boolean
bool_or(boolean) boolean
arbitrary(any) $1
any_value(any) $1
array_agg(any) array[$1]
max_by(any, orderable) $1
min_by(any, orderable) $1
approx_percentile(int, double) $1
approx_percentile(float, double) $1
approx_distinct(any) bigint
map_agg(any, any) map[$1,$2]
histogram(any) map[$1,bigint]
checksum(any) varbinary
stddev(double) double
stddev_samp(double) double
stddev_pop(double) double
variance(double) double
var_samp(double) double
var_pop(double) double
corr(exact_double, exact_double) double
grouping(any...) integer
row_number() bigint
rank() bigint
dense_rank() bigint
percent_rank() double
cume_dist() double
ntile(int) bigint
lag(any) $1
lag(any, int) $1
lag(any, int, any) $1
lead(any) $1
lead(any, int) $1
lead(any, int, any) $1
first_value(any) $1
last_value(any) $1
nth_value(any, int) $1
coalesce(any...) common
nullif(any, any) $1
greatest(orderable...) common
least(orderable...) common
abs(number) $1
ceil(int) $1 := {0}
ceil(float) $1
ceil(decimal) whole
ceiling(int) $1 := {0}
ceiling(float) $1
ceiling(decimal) whole
floor(int) $1 := {0}
floor(float) $1
floor(decimal) whole
round(int) $1 := {0}
round(float) $1
round(decimal) whole
round(float, int) $1 := CAST(trino_to_digits({0}, trino_digits({1})) AS {kind})
round(decimal, int) rounded
truncate(float) $1
sign(int) $1 := CAST(sign({0}) AS {kind})
sign(float) $1 := CASE WHEN isnan({0}) THEN {0} ELSE CAST(sign({0}) AS {kind}) END
mod(number, number) ?
power(double, double) double := pow(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE))
pow(double, double) double := pow(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE))
sqrt(double) double := trino_sqrt(CAST({0} AS DOUBLE))
cbrt(double) double := CASE WHEN isnan(CAST({0} AS DOUBLE)) THEN 'nan'::DOUBLE ELSE cube_root(CAST({0} AS DOUBLE)) END
exp(double) double := exp(CAST({0} AS DOUBLE))
ln(double) double := trino_ln(CAST({0} AS DOUBLE))
log2(double) double := trino_log2(CAST({0} AS DOUBLE))
log10(double) double := trino_log10(CAST({0} AS DOUBLE))
log(double, double) double := (trino_ln(CAST({1} AS DOUBLE)) / trino_ln(CAST({0} AS DOUBLE)))
pi() double
e() double
radians(double) double
degrees(double) double
sin(double) double := trino_or_nan({0}, sin(trino_finite(CAST({0} AS DOUBLE))))
cos(double) double := trino_or_nan({0}, cos(trino_finite(CAST({0} AS DOUBLE))))
tan(double) double := trino_or_nan({0}, tan(trino_finite(CAST({0} AS DOUBLE))))
asin(double) double := trino_or_nan({0}, asin(trino_unit(CAST({0} AS DOUBLE))))
acos(double) double := trino_or_nan({0}, acos(trino_unit(CAST({0} AS DOUBLE))))
atan(double) double := atan(CAST({0} AS DOUBLE))
atan2(double, double) double := atan2(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE))
is_nan(float) boolean := isnan({0})
is_finite(double) boolean := isfinite(CAST({0} AS DOUBLE))
is_infinite(double) boolean := isinf(CAST({0} AS DOUBLE))
nan() double
infinity() double
width_bucket(double, double, double, int) bigint
bitwise_and(int, int) bigint := (CAST({0} AS BIGINT) & CAST({1} AS BIGINT))
bitwise_or(int, int) bigint := (CAST({0} AS BIGINT) | CAST({1} AS BIGINT))
bitwise_xor(int, int) bigint := xor(CAST({0} AS BIGINT), CAST({1} AS BIGINT))
bitwise_not(int) bigint := (-CAST({0} AS BIGINT) - 1)
lower(text) varchar
upper(text) varchar
length(text) bigint
length(binary) bigint
substr(text, int) varchar
substr(text, int, int) varchar
substring(text, int) varchar
substring(text, int, int) varchar
strpos(text, text) bigint
replace(text, text) varchar
replace(text, text, text) varchar
trim(text) varchar
ltrim(text) varchar
rtrim(text) varchar
lpad(text, int, text) varchar
rpad(text, int, text) varchar
split(text, text) array[varchar]
split_part(text, text, int) varchar
concat(text...) varchar
concat(array...) common
concat_ws(text...) varchar
starts_with(text, text) boolean
reverse(text) varchar
reverse(array) $1 := list_reverse({0})
chr(int) varchar
codepoint(text) integer
levenshtein_distance(text, text) bigint
translate(text, text, text) varchar
regexp_like(text, text) boolean
regexp_extract(text, text) varchar
regexp_extract(text, text, int) varchar
regexp_replace(text, text) varchar
regexp_replace(text, text, text) varchar
regexp_split(text, text) array[varchar]
regexp_extract_all(text, text) array[varchar]
to_utf8(text) varbinary
from_utf8(binary) varchar
to_hex(binary) varchar
from_hex(text) varbinary
to_base64(binary) varchar
from_base64(text) varbinary
sha256(binary) varbinary
sha1(binary) varbinary
md5(binary) varbinary
json_parse(text) json
json_format(json) varchar
json_extract(text, text) json
json_extract(json, text) json
json_extract_scalar(text, text) varchar
json_extract_scalar(json, text) varchar
json_size(text, text) bigint
json_size(json, text) bigint
json_array_length(text) bigint
json_array_length(json) bigint
cardinality(array) bigint := CAST(len({0}) AS BIGINT)
cardinality(map) bigint := CAST(cardinality({0}) AS BIGINT)
contains(array, any) boolean
element_at(array, int) item := trino_array_element({0}, {1})
element_at(map, any) value
array_join(array, text) varchar
array_join(array, text, text) varchar
array_sort(orderable_array) $1
array_max(orderable_array) item
array_min(orderable_array) item
array_position(array, any) bigint
array_distinct(array) $1 := trino_array_distinct({0})
arrays_overlap(array, array) boolean
flatten(array) item
sequence(int, int) array[bigint] := trino_sequence({0}, {1}, CASE WHEN {0} <= {1} THEN 1 ELSE -1 END)
sequence(int, int, int) array[bigint] := trino_sequence({0}, {1}, {2})
sequence(date, date) array[date] := trino_date_sequence({0}, {1}, CASE WHEN {0} <= {1} THEN 1 ELSE -1 END)
sequence(date, date, daytime) array[date] := CAST(trino_time_sequence({0}, {1}, trino_day_step({2})) AS DATE[])
sequence(date, date, yearmonth) array[date] := CAST(trino_time_sequence({0}, {1}, {2}) AS DATE[])
sequence(timestamp, timestamp, interval) array[both] := trino_time_sequence({0}, {1}, {2})
slice(array, int, int) $1
map() map[unknown,unknown]
map(array, array) ?
map_keys(map) array[key]
map_values(map) array[value]
map_concat(map...) common
map_entries(map) ?
map_from_entries(array) ?
date(text) date
date(timestamp) date := CAST({0} AS DATE)
date(date) date := {0}
date(zoned) date := CAST(CAST({0} AS TIMESTAMP) AS DATE)
date_trunc(text, timestamp) $2
date_trunc(text, date) $2
date_trunc(text, zoned) $2
date_add(text, int, timestamp) $3
date_add(text, int, date) $3
date_add(text, int, zoned) $3
date_diff(text, date, date) bigint
date_diff(text, moment, moment) bigint
date_format(moment, text) varchar
date_parse(text, text) timestamp
format_datetime(moment, text) varchar
parse_datetime(text, text) zoned
from_unixtime(double) zoned
from_unixtime(double, text) zoned
to_unixtime(clock) double
to_unixtime(date) double := epoch(CAST({0} AS TIMESTAMP))
from_iso8601_timestamp(text) zoned
from_iso8601_date(text) date
to_iso8601(date) varchar := strftime({0}, '%Y-%m-%d')
now() zoned
current_timezone() varchar := 'UTC'
year(moment) bigint
month(moment) bigint
day(moment) bigint
day_of_month(moment) bigint := day({0})
quarter(moment) bigint
week(moment) bigint
week_of_year(moment) bigint := weekofyear({0})
year_of_week(moment) bigint := isoyear({0})
yow(moment) bigint := isoyear({0})
day_of_week(moment) bigint
dow(moment) bigint
day_of_year(moment) bigint
doy(moment) bigint
hour(clock) bigint
minute(clock) bigint
second(clock) bigint
millisecond(clock) bigint
day(daytime) bigint := trunc(epoch_us({0}) / 86400000000)::BIGINT
hour(daytime) bigint := (trunc(epoch_us({0}) / 3600000000) % 24)::BIGINT
minute(daytime) bigint := (trunc(epoch_us({0}) / 60000000) % 60)::BIGINT
second(daytime) bigint := (trunc(epoch_us({0}) / 1000000) % 60)::BIGINT
to_milliseconds(daytime) bigint := (epoch_us({0}) // 1000)
last_day_of_month(moment) date
"""

_COMPLETE = (
    "sha256 sha1 md5 to_hex from_hex to_utf8 count_if lower upper trim ltrim rtrim concat "
    "json_parse json_format starts_with regexp_like hour minute second year month day abs bool_and bool_or every "
)
COMPLETE = frozenset(_COMPLETE.split())
"""Functions of which the table has every form that Trino has: other arguments are the user's error."""
