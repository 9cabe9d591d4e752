"""Every statement the lake issues, in Athena's SQL. Pure text: a test renders them all into a snapshot."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from iot_pipeline.contract import PARTITION_KEYS, Contract, Reason, Table, tables
from iot_pipeline.contract.tables import DAY_KEYS
from iot_pipeline.lake import winners
from iot_pipeline.lake.hours import Day, Hour, arrival_hour_of_key, before_day, partition_predicate, partition_range
from iot_pipeline.lake.judged_by import LONGEST_NAMES, judged_by
from iot_pipeline.lake.transformation import judged_rows, literal, received

# Athena writes at most so many partitions in one CTAS (Athena user guide, "Use CTAS and INSERT INTO to work around
# the 100 partition limit").
MAX_PARTITIONS = 100

_FAR_FUTURE = "TIMESTAMP '9999-12-31 00:00:00'"

# More fields that nobody knows than these are some device's garbage.
MAX_FIELDS = 500

# All readings, each once, wherever it lies: what people query.
TELEMETRY_VIEW = "telemetry"
# The same with what the registry says of device and site at the reading's time.
DEVICE_VIEW = "device_telemetry"

_KEYS = ", ".join(PARTITION_KEYS)


@dataclass(frozen=True)
class Target:
    """Where a build writes: a throw-away table over a new, versioned location (s3://..., closing slash)."""

    table: str
    location: str


def build_judged(
    contract: Contract, hours: Iterable[Hour], target: Target, unreadable: Mapping[str, str] = MappingProxyType({})
) -> str:
    """CTAS of all readings of these arrival hours, typed and judged: no other statement but the next types raw lines.

    `unreadable` are raw objects (s3://bucket/key) that cannot be read, and why: each becomes one record.
    """
    set_aside = "".join(f"\nUNION ALL\n{_unreadable(contract, uri, why)}" for uri, why in sorted(unreadable.items()))
    return _ctas(target, f"{judged_rows(contract, _lines(hours, without=unreadable))}{set_aside}")


def build_judged_increment(contract: Contract, hour: Hour, fresh: Collection[str], target: Target) -> str:
    """The same of these raw objects of an arrival hour alone."""
    return _ctas(target, judged_rows(contract, _lines([hour], only=fresh)))


def rebuild_judged(
    contract: Contract, hour: Hour, fresh: Collection[str], outdated: Collection[str], target: Target
) -> str:
    """The same, with the rows that are judged already, but those of the outdated objects."""
    columns = ", ".join(column.name for column in tables(contract).judged_telemetry.columns)
    judged_before = f"""\
SELECT {columns}, {_KEYS}
FROM judged_telemetry
WHERE {partition_predicate([hour])}{_without("object", outdated)}"""
    return _ctas(target, f"{judged_rows(contract, _lines([hour], only=fresh))}\nUNION ALL\n{judged_before}")


def build_ledger(contract: Contract, judged_table: str, target: Target, taken_over: Hour | None = None) -> str:
    """CTAS of the ledger of the arrival hours that a judged build holds; of one taken over, with its ledger so far."""
    columns = [column.name for column in tables(contract).ledger.columns]
    so_far = (
        f"""
UNION ALL
SELECT {", ".join(columns)}, {_KEYS}
FROM ledger
WHERE {partition_predicate([taken_over])}"""
        if taken_over
        else ""
    )
    rules = f"{judged_by(contract, just_now=True)} AS judged_by"
    counted = ",\n    ".join(rules if name == "judged_by" else name for name in columns)
    metrics = ", ".join(m.name for m in contract.metrics)
    extremes = ",\n            ".join(
        f"min({m.name}) AS min_{m.name}, max({m.name}) AS max_{m.name}" for m in contract.metrics
    )
    # Sets of unknown names are few, one or two a firmware, however many readings there are.
    return _ctas(
        target,
        f"""\
SELECT {counted},
    {_KEYS}
FROM (
    SELECT *, CASE WHEN with_extras = 0 THEN '[]' WHEN length(names) <= {LONGEST_NAMES} THEN names END AS unknown_fields
    FROM (
        SELECT object, tenant, site, date_trunc('hour', event_time) AS event_hour, outcome,
            count_if(position = 1) AS messages,
            count(*) AS readings,
            count_if(extras IS NOT NULL) AS with_extras,
            json_format(CAST(
                flatten(map_keys(histogram(map_keys(CAST(json_parse(extras) AS MAP(VARCHAR, JSON))))))
            AS JSON)) AS names,
            min(event_time) AS first_event,
            max(event_time) AS last_event,
            max(received_at) AS last_received,
            {extremes},
            to_hex(checksum(ROW(position, device_id, event_time, seq, {metrics}, lat, lon, extras, tenant, site, fw,
                received_at))) AS content,
            {_KEYS}
        FROM {judged_table}
        GROUP BY object, tenant, site, date_trunc('hour', event_time), outcome, {_KEYS}
    )
){so_far}""",
    )


def build_quarantine(hours: Iterable[Hour], target: Target, objects: Collection[str] | None = None) -> str:
    """CTAS of what broke the contract in these arrival hours, from the objects that the ledger has seen.

    `objects` are those of the judged rows (s3://bucket/key) to read; all without them.
    """
    return _ctas(
        target,
        f"""\
SELECT outcome AS reason, detail, record, payload_base64, tenant, site, device_id, event_time, received_at, message_id,
    position, object, {_KEYS}
FROM judged_telemetry
WHERE outcome <> 'valid'
    AND {_ledgered(hours)}{_only('"$path"', objects)}""",
    )


def judged_objects(hour: Hour, objects: Collection[str]) -> str:
    """The raw objects whose rows lie in these objects of an arrival hour's judged rows."""
    return f"""\
SELECT DISTINCT object
FROM judged_telemetry
WHERE {partition_predicate([hour])}{_only('"$path"', objects)}"""


def judged_objects_of_event_hours(event_hours: Iterable[Hour], arrivals: Iterable[Hour]) -> str:
    """The objects of these arrival hours' judged rows that hold valid readings of these event hours.

    It reads one narrow column, where a build would read them all.
    """
    arrivals = list(arrivals)
    wanted = ", ".join(hour.sql for hour in sorted(set(event_hours)))
    return f"""\
SELECT DISTINCT {_KEYS}, "$path" AS judged_object
FROM judged_telemetry
WHERE {partition_predicate(arrivals)}
    AND object IN (
        SELECT object
        FROM ledger
        WHERE {partition_predicate(arrivals)}
            AND outcome = 'valid'
            AND event_hour IN ({wanted})
    )"""


def build_curated(
    contract: Contract,
    event_hours: Iterable[Hour],
    arrivals: Iterable[Hour],
    target: Target,
    objects: Collection[str] | None = None,
) -> str:
    """CTAS of these event hours from exactly the objects that the ledger knows in these arrival hours.

    Which reception of a key wins: lake/winners.py. `objects` are those of the judged rows (s3://bucket/key) to read;
    all without them.
    """
    valid = f"""\
FROM judged_telemetry
    WHERE outcome = 'valid'
        AND {_ledgered(arrivals)}{_only('"$path"', objects)}
        AND date_trunc('hour', event_time) IN (SELECT event_hour FROM wanted)"""
    wanted = ",\n        ".join(
        "({}, '{}', '{}', '{}', '{}')".format(hour.sql, *hour.values) for hour in sorted(set(event_hours))
    )
    return _ctas(
        target,
        f"""\
WITH wanted (event_hour, {_KEYS}) AS (
    VALUES
        {wanted}
),
{winners.ranked(contract, "count(*)", valid)}
SELECT {winners.curated_columns(contract)},
    {_KEYS}
FROM ranked
JOIN wanted ON event_hour = date_trunc('hour', event_time)
WHERE {winners.IS_FIRST}""",
    )


def build_daily(contract: Contract, day: Day, target: Target) -> str:
    """CTAS of the curated rows of a day, in one partition."""
    columns = ", ".join(column.name for column in tables(contract).daily_telemetry.columns)
    # An ORDER BY of a CTAS is dropped; rows leave a window in its order. A tenant's devices have names alike, so that
    # who asks for a device, or for a tenant's, is spared most row groups by their least and greatest values.
    return _ctas(
        target,
        f"""\
SELECT {columns}, {", ".join(DAY_KEYS)}
FROM (
    SELECT *, row_number() OVER (PARTITION BY tenant ORDER BY device_id, event_time, seq) AS place
    FROM curated_telemetry
    WHERE {partition_range(day.hours[0], day.hours[-1])}
)
WHERE place > 0""",
        DAY_KEYS,
    )


def count_day(table: str) -> str:
    """Of a day's build: rows, duplicates, conflicts."""
    return f"""\
SELECT count(*) AS rows, coalesce(sum(duplicates), 0) AS duplicates, coalesce(sum(conflicts), 0) AS conflicts
FROM {table}"""


def telemetry_view(contract: Contract, day: Day) -> str:
    """The view on all readings: days before this one from `daily_telemetry`, it and later ones from their hours."""
    columns = ", ".join(column.name for column in tables(contract).curated_telemetry.columns)
    before = before_day(day)
    return f"""\
CREATE OR REPLACE VIEW {TELEMETRY_VIEW} AS
SELECT {columns}, {_KEYS}
FROM daily_telemetry
WHERE {before}
UNION ALL
SELECT {columns}, {_KEYS}
FROM curated_telemetry
WHERE NOT {before}"""


def device_view() -> str:
    """The view on all readings with model, site, customer and tenant as they were at the reading's time."""
    return f"""\
CREATE OR REPLACE VIEW {DEVICE_VIEW} AS
SELECT t.*, d.device_name, d.status AS device_status, d.model_id, d.model_name, d.manufacturer,
    d.tenant_id AS registered_tenant, s.tenant_name, d.site_id AS registered_site, s.site_name, s.customer_id,
    s.customer_name, s.country, s.timezone
FROM {TELEMETRY_VIEW} AS t
LEFT JOIN registry_devices AS d ON d.device_id = t.device_id AND {_holds("d")}
LEFT JOIN registry_sites AS s ON s.tenant_id = d.tenant_id AND s.site_id = d.site_id AND {_holds("s")}"""


def _holds(version: str) -> str:
    return f"t.event_time >= {version}.valid_from AND t.event_time < coalesce({version}.valid_to, {_FAR_FUTURE})"


def count_built(table: str) -> str:
    """Per event hour of a curated build: rows, duplicates, conflicts."""
    return _counts(table)


def count_added(table: str, hours: Iterable[Hour]) -> str:
    """The same, and how many of its rows have a device and a `seq` that these hours hold already.

    The rest of a key, the time, is nine tenths of the bytes that all of it would read.
    """
    keys = ", ".join(f"added.{key}" for key in PARTITION_KEYS)
    return f"""\
SELECT {keys}, count(*) AS rows, sum(added.duplicates) AS duplicates, sum(added.conflicts) AS conflicts,
    count(standing.device_id) AS known
FROM {table} AS added
LEFT JOIN {_standing(hours, "device_id", "seq")}
GROUP BY {keys}"""


def count_known(table: str, hours: Iterable[Hour]) -> str:
    """Per event hour of a curated build: how many of its rows have a key that these hours hold already."""
    keys = ", ".join(f"added.{key}" for key in PARTITION_KEYS)
    return f"""\
SELECT {keys}, count(*) AS known
FROM {table} AS added
JOIN {_standing(hours, "device_id", "event_time", "seq")}
GROUP BY {keys}"""


def marks_of_build(table: str) -> str:
    """Of a ledger's build: valid readings by arrival and event hour, with the checksum of a mark."""
    return _marks(table, "WHERE outcome = 'valid'")


def marks_in_ledger(hours: Iterable[Hour]) -> str:
    """The same of these arrival hours in the ledger, for those whose build did not note it."""
    return _marks("ledger", f"WHERE outcome = 'valid'\n    AND {partition_predicate(hours)}")


def arrival_hours_judged_otherwise(contract: Contract, hours: Iterable[Hour], *, unnoted_stand: bool) -> str:
    """Those of these arrival hours whose ledger says that other rules judged them than this contract's.

    `unnoted_stand`: rows without a note of what judged them are not named.
    """
    unnoted = "" if unnoted_stand else "judged_by IS NULL\n        OR "
    return f"""\
SELECT DISTINCT {_KEYS}
FROM ledger
WHERE {partition_predicate(hours)}
    AND ({unnoted}judged_by <> {judged_by(contract)})"""


def ledger_of_arrival_hours(hours: Iterable[Hour]) -> str:
    """What these arrival hours hold, by outcome."""
    return f"""\
SELECT {_KEYS}, outcome, sum(messages) AS messages, sum(readings) AS readings, sum(with_extras) AS with_extras,
    count(DISTINCT object) AS objects
FROM ledger
WHERE {partition_predicate(hours)}
GROUP BY {_KEYS}, outcome"""


def objects_of_arrival_hours(hours: Iterable[Hour]) -> str:
    """The raw objects that the ledger knows of these arrival hours."""
    return f"""\
SELECT DISTINCT {_KEYS}, object
FROM ledger
WHERE {partition_predicate(hours)}"""


def judged_of_arrival_hours(hours: Iterable[Hour]) -> str:
    """Judged rows of these arrival hours, by outcome."""
    return f"""\
SELECT {_KEYS}, outcome, count(*) AS readings
FROM judged_telemetry
WHERE {partition_predicate(hours)}
GROUP BY {_KEYS}, outcome"""


def quarantined_of_arrival_hours(hours: Iterable[Hour]) -> str:
    """Quarantined records of these arrival hours, by reason."""
    return f"""\
SELECT {_KEYS}, reason, count(*) AS records
FROM quarantined_telemetry
WHERE {partition_predicate(hours)}
GROUP BY {_KEYS}, reason"""


def unreadable_objects(hours: Iterable[Hour]) -> str:
    """The raw objects of these arrival hours that could not be read when they were judged."""
    return f"""\
SELECT DISTINCT {_KEYS}, object
FROM ledger
WHERE outcome = '{Reason.UNREADABLE_OBJECT}'
    AND {partition_predicate(hours)}"""


def received_in_arrival_hours(
    hours: Iterable[Hour], unreadable: Collection[str] = (), objects: Collection[str] | None = None
) -> str:
    """Messages and readings of these arrival hours, counted from the raw lines that the ledger has seen, before
    anything of a reading is looked at; without the objects that cannot be read. Of `objects` alone, if they are given.
    """
    hours = list(hours)
    source = f"{_lines(hours, without=unreadable, only=objects)}\n    AND {_seen(hours)}"
    return f"""\
WITH {received(source)}
SELECT {_KEYS}, count(*) AS messages, sum(received) AS readings
FROM received
GROUP BY {_KEYS}"""


def lateness_of_event_hours(event_hours: Iterable[Hour], objects: Collection[str] | None = None) -> str:
    """How long after the event the readings of these event hours were received: a histogram by upper bound.

    Of `objects` of their curated rows (s3://bucket/key) alone, if they are given; so do `repeated_keys`,
    `rows_out_of_contract` and `preview`.
    """
    return f"""\
SELECT lateness, count(*) AS readings
FROM (
    SELECT CASE
        WHEN received_at - event_time <= INTERVAL '1' MINUTE THEN '1 <= 1 min'
        WHEN received_at - event_time <= INTERVAL '10' MINUTE THEN '2 <= 10 min'
        WHEN received_at - event_time <= INTERVAL '1' HOUR THEN '3 <= 1 h'
        WHEN received_at - event_time <= INTERVAL '6' HOUR THEN '4 <= 6 h'
        WHEN received_at - event_time <= INTERVAL '1' DAY THEN '5 <= 1 day'
        WHEN received_at - event_time <= INTERVAL '7' DAY THEN '6 <= 7 days'
        ELSE '7 > 7 days' END AS lateness
    FROM curated_telemetry
    WHERE {partition_predicate(event_hours)}{_only('"$path"', objects)}
)
GROUP BY lateness
ORDER BY lateness"""


def balance_of_event_hours(event_hours: Iterable[Hour]) -> str:
    """Per event hour of the curated table: rows, duplicates, conflicts."""
    return _counts("curated_telemetry", f"WHERE {partition_predicate(event_hours)}\n")


def repeated_keys(event_hours: Iterable[Hour], objects: Collection[str] | None = None) -> str:
    """Keys that stand more than once in these event hours; none is expected."""
    return f"""\
SELECT device_id, event_time, seq, count(*) AS copies
FROM curated_telemetry
WHERE {partition_predicate(event_hours)}{_only('"$path"', objects)}
GROUP BY device_id, event_time, seq
HAVING count(*) > 1
LIMIT 100"""


def rows_out_of_contract(
    contract: Contract, event_hours: Iterable[Hour], objects: Collection[str] | None = None
) -> str:
    """Rows of these event hours that no valid reading could have become; none is expected."""
    wrong = "\n        OR ".join(
        f"{m.name} NOT BETWEEN DOUBLE '{m.minimum!r}' AND DOUBLE '{m.maximum!r}'" for m in contract.metrics
    )
    return f"""\
SELECT device_id, event_time, seq
FROM curated_telemetry
WHERE {partition_predicate(event_hours)}{_only('"$path"', objects)}
    AND ({wrong}
        OR date_format(event_time, '%Y%m%d%H') <> year || month || day || hour)
LIMIT 100"""


def readings_by_device(event_hour: Hour) -> str:
    """How many readings of an event hour each device has. Its columns are names alone: almost no bytes in Parquet."""
    return f"""\
SELECT tenant, site, device_id, count(*) AS readings
FROM curated_telemetry
WHERE {partition_predicate([event_hour])}
GROUP BY tenant, site, device_id"""


def preview(event_hour: Hour, objects: Collection[str] | None = None) -> str:
    """A few rows of an event hour, for a person to look at."""
    columns = ", ".join(column.name for column in tables().curated_telemetry.columns)
    return f"""\
SELECT {columns}
FROM curated_telemetry
WHERE {partition_predicate([event_hour])}{_only('"$path"', objects)}
LIMIT 10"""


def last_arrival_by_site(hours: Iterable[Hour]) -> str:
    """When each site was last heard of, within these arrival hours, and how many readings it sent in them."""
    return f"""\
SELECT tenant, site, max(last_received) AS last_received, sum(readings) AS readings
FROM ledger
WHERE tenant IS NOT NULL
    AND {partition_predicate(hours)}
GROUP BY tenant, site
ORDER BY tenant, site"""


def unknown_fields(first: Hour, last: Hour) -> str:
    """Fields unknown to the contract in these arrival hours, by firmware: readings, devices, and when first."""
    return f"""\
SELECT fw, name, count(*) AS readings, count(DISTINCT device_id) AS devices, min(received_at) AS first_seen
FROM judged_telemetry
CROSS JOIN UNNEST(map_keys(CAST(json_parse(extras) AS MAP(VARCHAR, JSON)))) AS sent (name)
WHERE extras IS NOT NULL
    AND received_at IS NOT NULL
    AND {partition_range(first, last)}
GROUP BY fw, name
ORDER BY readings DESC, name
LIMIT {MAX_FIELDS}"""


def values_of_unknown_fields(first: Hour, last: Hour) -> str:
    """What was sent in fields unknown to the contract in these arrival hours: how many numbers, and which."""
    percentiles = ", ".join(f"approx_percentile(number, {share}) AS p{share * 100:.0f}" for share in (0.01, 0.5, 0.99))
    return f"""\
SELECT name, count(*) AS readings, count(DISTINCT device_id) AS devices, min(received_at) AS first_seen,
    count(number) AS numbers, min(number) AS least, {percentiles}, max(number) AS greatest
FROM (
    SELECT name, device_id, received_at, TRY_CAST(element_at(sent, name) AS DOUBLE) AS number
    {_sent_fields(first, last)}
)
GROUP BY name
ORDER BY readings DESC, name
LIMIT {MAX_FIELDS}"""


def units_of_unknown_fields(first: Hour, last: Hour) -> str:
    """The units that devices state of fields unknown to the contract, as JSON texts; null where they state none."""
    return f"""\
SELECT name, unit, count(*) AS readings
FROM (
    SELECT name, element_at(sent, 'unit.' || name) AS unit
    {_sent_fields(first, last)}
)
GROUP BY name, unit
ORDER BY readings DESC, name, unit
LIMIT {MAX_FIELDS}"""


def refused_units(first: Hour, last: Hour) -> str:
    """What stood in `unit` of readings that were refused for it, in these arrival hours."""
    return f"""\
SELECT detail, count(*) AS readings
FROM judged_telemetry
WHERE outcome = '{Reason.UNKNOWN_UNIT}'
    AND {partition_range(first, last)}
GROUP BY detail
ORDER BY readings DESC, detail
LIMIT {MAX_FIELDS}"""


def readings_by_firmware(contract: Contract, first: Hour, last: Hour) -> str:
    """Readings of these arrival hours by firmware and outcome: how many, of how many devices, with which metrics."""
    counts = ", ".join(f"count({metric.name}) AS {metric.name}" for metric in contract.metrics)
    return f"""\
SELECT fw, outcome, count(*) AS readings, count(DISTINCT device_id) AS devices, {counts}
FROM judged_telemetry
WHERE outcome IN ('valid', '{Reason.INVALID_VALUE}', '{Reason.UNKNOWN_UNIT}')
    AND {partition_range(first, last)}
GROUP BY fw, outcome
ORDER BY fw, outcome"""


def tenants_of_hours(zone: Table, hours: Iterable[Hour], tenants: Iterable[str]) -> str:
    """Which of these tenants have data in these hours, or days, of a table; null stands for rows without a tenant."""
    keys = ", ".join(zone.partition_keys)
    names = ", ".join(literal(name) for name in sorted(tenants))
    return f"""\
SELECT DISTINCT {keys}, tenant
FROM {zone.name}
WHERE {_partitions(zone, hours)}
    AND (tenant IS NULL OR tenant IN ({names}))"""


def senders(first: Hour, last: Hour) -> str:
    """Who has sent anything within these arrival hours, by hour: tenants and devices."""
    return f"""\
SELECT DISTINCT {_KEYS}, tenant, device_id
FROM judged_telemetry
WHERE {partition_range(first, last)}
    AND (tenant IS NOT NULL OR device_id IS NOT NULL)"""


def open_alerts_of_days(days: Iterable[Hour]) -> str:
    """Those of these days on which alerts opened that are open still."""
    table = tables().alert_history
    keys = ", ".join(table.partition_keys)
    return f"SELECT DISTINCT {keys}\nFROM {table.name}\nWHERE {_partitions(table, days)}\n    AND status = 'open'"


def _partitions(table: Table, hours: Iterable[Hour]) -> str:
    if table.partition_keys == PARTITION_KEYS:
        return partition_predicate(hours)
    alike = (
        " AND ".join(f"{k} = '{v}'" for k, v in zip(table.partition_keys, hour.values, strict=True)) for hour in hours
    )
    return "(" + "\n    OR ".join(f"({each})" for each in alike) + ")"


def _sent_fields(first: Hour, last: Hour) -> str:
    """The unknown fields of readings, one a row, with all that were sent with it as a map from name to JSON text."""
    return f"""\
FROM (
        SELECT device_id, received_at, CAST(json_parse(extras) AS MAP(VARCHAR, VARCHAR)) AS sent
        FROM judged_telemetry
        WHERE extras IS NOT NULL
            AND received_at IS NOT NULL
            AND {partition_range(first, last)}
    )
    CROSS JOIN UNNEST(map_keys(sent)) AS fields (name)"""


def _lines(hours: Iterable[Hour], without: Collection[str] = (), only: Collection[str] | None = None) -> str:
    read = f'SELECT "$path" AS object, line, {_KEYS}\nFROM raw_lines'
    return f"""{read}\nWHERE {partition_predicate(hours)}{_without('"$path"', without)}{_only('"$path"', only)}"""


def _without(column: str, names: Collection[str]) -> str:
    return f"\n    AND {column} NOT IN ({_literals(names)})" if names else ""


def _only(column: str, names: Collection[str] | None) -> str:
    """Raises ValueError for no names, of which SQL knows no list."""
    if names is None:
        return ""
    if not names:
        raise ValueError(f"no values of {column} are given: there is nothing to read")
    return f"\n    AND {column} IN ({_literals(names)})"


def _literals(names: Collection[str]) -> str:
    return ", ".join(literal(name) for name in sorted(names))


def _unreadable(contract: Contract, uri: str, why: str) -> str:
    """The one record of a raw object that cannot be read."""
    nothing = ", ".join(["NULL"] * (len(contract.metrics) + 8))
    keys = ", ".join(f"'{value}'" for value in arrival_hour_of_key(uri.split("/", 3)[3]).values)
    return (
        f"SELECT {literal(uri)}, NULL, 1, '{Reason.UNREADABLE_OBJECT}', NULL, NULL, {nothing},\n"
        f"    {literal(why)}, NULL, NULL, {keys}"
    )


def _marks(table: str, where: str) -> str:
    return f"""\
SELECT event_hour, {_KEYS}, sum(readings) AS valid,
    to_hex(checksum(object || coalesce(' ' || content, ' ' || judged_by, ''))) AS objects
FROM {table}
{where}
GROUP BY event_hour, {_KEYS}"""


def _counts(table: str, where: str = "") -> str:
    return f"""\
SELECT {_KEYS}, count(*) AS rows, sum(duplicates) AS duplicates, sum(conflicts) AS conflicts
FROM {table}
{where}GROUP BY {_KEYS}"""


def _standing(hours: Iterable[Hour], *columns: str) -> str:
    """What these curated hours hold in some columns, to be joined with what is `added` to them."""
    same = "\n    AND ".join(f"standing.{column} = added.{column}" for column in columns)
    return f"""\
(
    SELECT DISTINCT {", ".join(columns)}
    FROM curated_telemetry
    WHERE {partition_predicate(hours)}
) AS standing ON {same}"""


def _ledgered(hours: Iterable[Hour]) -> str:
    """Of these hours what the ledger has seen: an object that was judged since waits for its ledger."""
    hours = list(hours)
    return f"{partition_predicate(hours)}\n    AND {_seen(hours, 'object')}"


def _seen(hours: Iterable[Hour], column: str = '"$path"') -> str:
    return f"{column} IN (SELECT object FROM ledger WHERE {partition_predicate(hours)})"


def _ctas(target: Target, query: str, partitioned_by: Sequence[str] = PARTITION_KEYS) -> str:
    keys = ", ".join(f"'{key}'" for key in partitioned_by)
    return f"""\
CREATE TABLE {target.table}
WITH (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = '{target.location}',
    partitioned_by = ARRAY[{keys}]
) AS
{query}"""
