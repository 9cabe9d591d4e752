"""Raw to typed, judged records: the one transformation, in Athena's SQL, derived from the contract.

Ledger, quarantine and curated table are three selections from what it gives, so that they cannot disagree. Every step
is strict: a JSON text is never taken for a number, a zoneless time never for UTC.
"""

from collections.abc import Iterable
from datetime import timedelta

from iot_pipeline.contract import Contract, Metric, Reason
from iot_pipeline.contract.contract import MAX_EXTRA, MAX_FIRMWARE
from iot_pipeline.contract.envelope import DEVICE, PAYLOAD, RECEIVED_AT, SITE, TENANT, TRACE, row_fields

# Raised by one when the same contract gives a line other rows than before: every hour is then judged again.
VERSION = 1

EPOCH = "TIMESTAMP '1970-01-01 00:00:00.000'"


def judged(contract: Contract, source: str) -> str:
    """The common table expressions that end in `judged`, without the word WITH.

    `source` is a SELECT over raw_lines giving `object`, `line` and whatever partition keys are to be carried as
    `year`, `month`, `day`, `hour`. `judged` has one row a reading (or a message without readable readings), with the
    curated columns typed and in canonical units (`extras` as JSON text), `outcome` ('valid' or a Reason) and what the
    quarantine and `detail` need.
    """
    steps = {
        "lines": source,
        "messages": _MESSAGES,
        "loose": _LOOSE,
        "identified": _identified(contract),
        "records": _RECORDS,
        "fields": _fields(contract),
        "typed": _typed(contract),
        "judged": _judged(contract),
    }
    return ",\n".join(f"{name} AS (\n{_indent(sql)}\n)" for name, sql in steps.items())


def detail(contract: Contract) -> str:
    """A column over `judged`: which field, what was expected, what was sent. Null for a valid reading."""
    ranges = "\n        ".join(
        f"WHEN {m.name}_text IS NOT NULL AND ({m.name} IS NULL OR {m.name} NOT BETWEEN DOUBLE '{m.minimum!r}' "
        f"AND DOUBLE '{m.maximum!r}') THEN '{m.name}: expected a number from {m.minimum:g} to {m.maximum:g} {m.unit}, "
        f"got ' || {m.name}_text"
        for m in contract.metrics
    )
    return f"""\
CASE outcome
        WHEN 'unsupported_version' THEN 'v: expected {contract.version}'
        WHEN 'device_mismatch' THEN 'device_id: expected ' || device_id || ', the device of the topic'
        WHEN 'missing_ts' THEN 'ts: expected a time'
        WHEN 'invalid_ts' THEN 'ts: expected ISO-8601 with a zone or epoch milliseconds, got ' || ts_text
        WHEN 'missing_seq' THEN 'seq: expected a whole number'
        WHEN 'invalid_seq' THEN 'seq: expected a whole number, got ' || seq_text
        WHEN 'too_late' THEN 'ts: expected at most {contract.lateness_bound} before arrival, got ' || ts_text
        WHEN 'in_future' THEN 'ts: expected at most {contract.future_bound} after arrival, got ' || ts_text
        WHEN 'unknown_unit' THEN 'unit: expected a unit of the contract, got ' || json_format(unit)
        WHEN 'invalid_value' THEN CASE
        {ranges}
        WHEN json_extract_scalar(unit, '$') IS NOT NULL OR json_array_length(unit) IS NOT NULL
            THEN 'unit: expected an object, got ' || json_format(unit)
        WHEN {_TOO_LONG}
            THEN 'expected fw of at most {MAX_FIRMWARE} and further fields of at most {MAX_EXTRA} characters'
        ELSE 'location: expected lat and lon in degrees, got ' || json_format(location) END
        WHEN 'out_of_range' THEN CASE
        {ranges} END
        END"""


_MESSAGES = f"""\
SELECT object, year, month, day, hour, line,
    TRY(CAST(json_parse(line) AS ROW(
        v JSON, device_id JSON, fw JSON, readings ARRAY(JSON), {row_fields(TENANT, SITE)},
        {row_fields(DEVICE, RECEIVED_AT, TRACE)}))) AS m
FROM lines"""

# A message whose `readings` is no array fails the cast as a whole; a looser one still finds who sent it.
_LOOSE = f"""\
SELECT *,
    CASE WHEN m IS NULL OR m.readings IS NULL OR cardinality(m.readings) = 0
        THEN TRY(CAST(json_parse(line) AS ROW(
            readings JSON, {row_fields(TENANT, SITE, DEVICE, RECEIVED_AT)},
            {row_fields(TRACE, PAYLOAD)}))) END AS e
FROM messages"""


def _identified(contract: Contract) -> str:
    payload_text = f"from_utf8(from_base64(e.{PAYLOAD.name}))"
    return f"""\
SELECT object, year, month, day, hour, line,
    coalesce(m.{TENANT.name}, e.{TENANT.name}) AS tenant,
    coalesce(m.{SITE.name}, e.{SITE.name}) AS site,
    coalesce(m.{DEVICE.name}, e.{DEVICE.name}) AS device_id,
    date_add('millisecond', coalesce(m.{RECEIVED_AT.name}, e.{RECEIVED_AT.name}), {EPOCH}) AS received_at,
    coalesce(m.{TRACE.name}, e.{TRACE.name}) AS message_id,
    e.{PAYLOAD.name} AS payload_base64,
    CASE WHEN e.{PAYLOAD.name} IS NOT NULL THEN {payload_text} END AS payload_text,
    json_extract_scalar(m.fw, '$') AS fw,
    coalesce(m.readings, ARRAY[]) AS readings,
    CASE
        WHEN m.readings IS NOT NULL AND cardinality(m.readings) > 0 THEN CASE
            WHEN coalesce(json_format(m.v), '') <> '{contract.version}' THEN '{Reason.UNSUPPORTED_VERSION}'
            WHEN json_extract_scalar(m.device_id, '$') <> m.{DEVICE.name} THEN '{Reason.DEVICE_MISMATCH}'
            END
        WHEN m IS NULL AND e IS NULL THEN '{Reason.MALFORMED_JSON}'
        WHEN e.{PAYLOAD.name} IS NOT NULL AND (
            TRY(json_parse({payload_text})) IS NULL
            OR to_base64(to_utf8({payload_text})) <> e.{PAYLOAD.name}) THEN '{Reason.MALFORMED_JSON}'
        ELSE '{Reason.NO_READINGS}' END AS message_reason
FROM loose"""


_RECORDS = """\
SELECT object, year, month, day, hour, tenant, site, device_id, received_at, message_id, payload_base64,
    fw, message_reason, position, r, CASE WHEN r IS NULL THEN coalesce(payload_text, line) END AS whole
FROM identified
CROSS JOIN UNNEST(
    CASE WHEN cardinality(readings) > 0 THEN readings ELSE ARRAY[CAST(NULL AS JSON)] END
) WITH ORDINALITY AS t(r, position)"""

_CARRIED = (
    "object, year, month, day, hour, tenant, site, device_id, received_at, message_id, payload_base64,\n"
    "    fw, message_reason, position, r, whole"
)


def _scalars(contract: Contract) -> list[str]:
    """The fields of a reading that hold one value; `unit` and `location` are objects."""
    return ["ts", "seq", *(metric.name for metric in contract.metrics)]


def _fields(contract: Contract) -> str:
    """The reading as `f`, a row of JSON; and each scalar's JSON text, null where absent or JSON null."""
    names = _scalars(contract)
    row = ", ".join(f"{name} JSON" for name in [*names, "unit", "location"])
    texts = ",\n    ".join(f"nullif(json_format(f.{name}), 'null') AS {name}_text" for name in names)
    return f"""\
SELECT {_CARRIED}, f, f IS NOT NULL AS is_object, f.unit AS unit, f.location AS location,
    {texts}
FROM (
    SELECT *, CASE WHEN json_array_length(r) IS NULL THEN TRY(CAST(r AS ROW({row}))) END AS f
    FROM records
)"""


def _typed(contract: Contract) -> str:
    names = _scalars(contract)
    texts = ", ".join(f"{name}_text" for name in names)
    present = " + ".join(f"if({name} IS NULL, 0, 1)" for name in [*(f"{n}_text" for n in names), "unit", "location"])
    known = ", ".join(f"'{name}'" for name in [*names, "unit", "location"])
    metrics = ",\n    ".join(f"{_metric(m)} AS {m.name}" for m in contract.metrics)
    return f"""\
SELECT {_CARRIED}, is_object, {texts}, unit, location,
    {_EVENT_TIME} AS event_time,
    TRY_CAST(json_format(f.seq) AS BIGINT) AS seq,
    {metrics},
    CASE WHEN location IS NOT NULL THEN TRY_CAST(json_format(json_extract(location, '$.lat')) AS DOUBLE) END AS lat,
    CASE WHEN location IS NOT NULL THEN TRY_CAST(json_format(json_extract(location, '$.lon')) AS DOUBLE) END AS lon,
    CASE WHEN json_size(r, '$') > {present}
        THEN transform_values(
            map_filter(TRY(CAST(r AS MAP(VARCHAR, JSON))), (k, v) -> NOT contains(ARRAY[{known}], k)),
            (k, v) -> json_format(v)) END AS unknown_fields
FROM (
    SELECT *, substr(ts_text, 2, length(ts_text) - 2) AS ts_unquoted
    FROM fields
)"""


# ISO-8601 with a zone, or epoch milliseconds. The usual form is recognised by LIKE, which is far cheaper than a
# regular expression; the zone of any other must be looked for.
_EVENT_TIME = f"""\
CASE
        WHEN ts_text LIKE '"____-__-__T__:__:__%Z"'
            OR regexp_like(ts_text, '^"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9:.]+(Z|[+-][0-9]{{2}}:?[0-9]{{2}})"$')
            THEN CAST(TRY(from_iso8601_timestamp(ts_unquoted)) AT TIME ZONE 'UTC' AS TIMESTAMP)
        WHEN regexp_like(ts_text, '^[0-9]{{1,14}}$')
            THEN date_add('millisecond', CAST(ts_text AS BIGINT), {EPOCH})
        END"""


def _metric(metric: Metric) -> str:
    """A metric's value in the canonical unit; null where it is not a number or its unit is unknown."""
    value = f"TRY_CAST(json_format(f.{metric.name}) AS DOUBLE)"
    conversions = " ".join(
        f"WHEN '{unit.symbol}' THEN {value} * {_double(unit.factor)} + {_double(unit.offset)}"
        for unit in metric.units[1:]
    )
    if not conversions:
        return value
    return (
        f"CASE WHEN unit IS NULL THEN {value} "
        f"ELSE CASE json_extract_scalar(unit, '$.{metric.name}') {conversions} ELSE {value} END END"
    )


def _judged(contract: Contract) -> str:
    any_metric = ", ".join(f"{m.name}_text" for m in contract.metrics)
    reasons = {
        "NOT is_object": Reason.NOT_AN_OBJECT,
        "ts_text IS NULL": Reason.MISSING_TS,
        "event_time IS NULL": Reason.INVALID_TS,
        "seq_text IS NULL": Reason.MISSING_SEQ,
        "seq IS NULL": Reason.INVALID_SEQ,
        f"event_time < received_at - {_interval(contract.lateness_bound)}": Reason.TOO_LATE,
        f"event_time > received_at + {_interval(contract.future_bound)}": Reason.IN_FUTURE,
        f"coalesce({any_metric}) IS NULL": Reason.NO_METRICS,
        _invalid_value(contract): Reason.INVALID_VALUE,
        _unknown_unit(contract): Reason.UNKNOWN_UNIT,
        _out_of_range(contract): Reason.OUT_OF_RANGE,
    }
    whens = "\n        ".join(f"WHEN {condition} THEN '{reason}'" for condition, reason in reasons.items())
    return f"""\
SELECT *,
    CASE WHEN cardinality(unknown_fields) > 0 THEN json_format(CAST(unknown_fields AS JSON)) END AS extras,
    CASE
        WHEN message_reason IS NOT NULL THEN message_reason
        {whens}
        ELSE 'valid' END AS outcome
FROM typed"""


def _interval(bound: timedelta) -> str:
    return f"INTERVAL '{round(bound.total_seconds())}' SECOND"


def _any_of(conditions: Iterable[str]) -> str:
    return "\n            OR ".join(conditions)


# A text of the message or the reading that no column of the warehouse takes.
_TOO_LONG = (
    f"(length(fw) > {MAX_FIRMWARE} OR (unknown_fields IS NOT NULL AND cardinality(map_filter(unknown_fields, "
    f"(k, v) -> length(k) > {MAX_EXTRA} OR length(v) > {MAX_EXTRA})) > 0))"
)


def _invalid_value(contract: Contract) -> str:
    numbers = [f"({m.name}_text IS NOT NULL AND {m.name} IS NULL)" for m in contract.metrics]
    # An empty object and null both mean that nothing was said.
    said = "json_size(location, '$') > 0"
    place = "lat IS NULL OR lon IS NULL OR abs(lat) > 90 OR abs(lon) > 180"
    return _any_of(
        [
            *numbers,
            f"(unit IS NOT NULL AND {_NOT_AN_OBJECT.format('unit')})",
            f"(location IS NOT NULL AND ({_NOT_AN_OBJECT.format('location')} OR ({said} AND ({place}))))",
            _TOO_LONG,
        ]
    )


_NOT_AN_OBJECT = "(json_extract_scalar({0}, '$') IS NOT NULL OR json_array_length({0}) IS NOT NULL)"


def _unknown_unit(contract: Contract) -> str:
    unknown = []
    for metric in contract.metrics:
        accepted = ", ".join(f"'{unit.symbol}'" for unit in metric.units)
        unknown.append(f"json_extract_scalar(unit, '$.{metric.name}') NOT IN ({accepted})")
    return f"unit IS NOT NULL AND ({_any_of(unknown)})"


def _out_of_range(contract: Contract) -> str:
    return _any_of(f"{m.name} NOT BETWEEN {_double(m.minimum)} AND {_double(m.maximum)}" for m in contract.metrics)


def _double(value: float) -> str:
    return f"DOUBLE '{value!r}'"


def _indent(sql: str) -> str:
    return "\n".join(f"    {line}" for line in sql.splitlines())
