"""Raw to typed, judged records: the one transformation, in Athena's SQL, derived from the contract.

Ledger, quarantine and curated table are three selections from what it gives, so that they cannot disagree. Every step
is strict: a JSON text is never taken for a number, a zoneless time never for UTC, and what a device sent meets no
function outside a TRY that could raise. Names are read in their exact case; of a key that comes twice in an object
json_parse keeps the last.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from iot_pipeline.contract import Contract, Metric, Reason
from iot_pipeline.contract.contract import KNOWN_OF_MESSAGE, MAX_EXTRA, MAX_FIRMWARE, READING_FIELDS
from iot_pipeline.contract.envelope import DEVICE, PAYLOAD, RECEIVED_AT, SITE, TENANT, TRACE
from iot_pipeline.contract.event_time import ISO_FORM, LONGEST_MS
from iot_pipeline.contract.json_text import BEYOND_DOUBLE, HALF, MAX_DEPTH, NUL, WHOLE, json_text
from iot_pipeline.contract.judge import OF_LOCATION, OF_MESSAGE, OF_READING, OF_UNIT, PREFIXES

# Raised by one when the same contract gives a line other rows than before: every hour is then judged again.
VERSION = 3

EPOCH = "TIMESTAMP '1970-01-01 00:00:00.000'"
# date_add takes no more milliseconds than an INTEGER holds.
MILLISECOND = "INTERVAL '0.001' SECOND"
_EPOCH_FORM = f"'^[0-9]{{1,{len(str(LONGEST_MS))}}}$'"
# So many levels of a JSON text are taken away at once.
_LEVELS = 10
_FIRST, _LAST = "TIMESTAMP '0001-01-01 00:00:00.000'", "TIMESTAMP '9999-12-31 23:59:59.999'"


def judged_rows(contract: Contract, source: str) -> str:
    """The query that judges lines: a row a reading, or a message without readable readings, as `judged_telemetry`.

    `source` is a SELECT over raw_lines giving `object`, `line` and the partition keys, which are carried along.
    """
    metrics = ", ".join(m.name for m in contract.metrics)
    select = f"""\
SELECT object, if(outcome <> 'valid', message_id) AS message_id, coalesce(position, 1) AS position, outcome, device_id,
    event_time, seq, {metrics}, lat, lon, extras, tenant, site, fw, received_at,
    CASE WHEN outcome <> 'valid' THEN {_detail(contract)} END AS detail,
    CASE WHEN outcome <> 'valid' THEN if(
            refused_text IS NULL, coalesce(payload_text, line), json_format(json_parse(refused_text))) END
        AS record,
    payload_base64, year, month, day, hour
FROM (
    SELECT *, CASE WHEN outcome <> 'valid' THEN nullif(json_format(r), 'null') END AS refused_text
    FROM judged
)"""
    return f"WITH {_steps(contract, source)}\n{select}"


def received(source: str) -> str:
    """The common table expressions that end in `received`, of the same source: how many readings each line holds.

    What a line that is no message of ours holds is one record. Nothing of a reading is looked at.
    """
    steps = {
        "lines": source,
        "parsed": _PARSED,
        "messages": _MESSAGES,
        "identified": _IDENTIFIED,
        "received": _RECEIVED,
    }
    return _in_steps(steps)


def literal(text: str) -> str:
    """A text as a literal in SQL."""
    return "'" + text.replace("'", "''") + "'"


def _steps(contract: Contract, source: str) -> str:
    """The common table expressions that end in `judged`: the curated columns typed and in canonical units (`extras` as
    JSON text), `outcome` ('valid' or a Reason), and what `detail` and `record` are made of.
    """
    steps = {
        "lines": source,
        "parsed": _PARSED,
        "messages": _MESSAGES,
        "identified": _IDENTIFIED,
        "senders": _SENDERS,
        "reasoned": _reasoned(contract),
        "records": _RECORDS,
        "fields": _fields(contract),
        "known": _known(contract),
        "clocks": _CLOCK,
        "timed": _TIMED,
        "typed": _typed(contract),
        "kept": _KEPT,
        "judged": _judged(contract),
    }
    return _in_steps(steps)


def _detail(contract: Contract) -> str:
    """A column over `judged`: which field, what was expected, what was sent. Null for a valid reading."""
    ranges = "\n        ".join(
        f"WHEN {_said(f'{m.name}_sent')} AND ({m.name} IS NULL OR {m.name} NOT BETWEEN {_double(m.minimum)} "
        f"AND {_double(m.maximum)}) THEN '{m.name}: expected a number from {m.minimum:g} to {m.maximum:g} {m.unit}, "
        f"got ' || json_format({m.name}_sent)"
        for m in contract.metrics
    )
    return f"""\
CASE outcome
        WHEN 'unsupported_version' THEN 'v: expected {contract.version}'
        WHEN 'device_mismatch' THEN 'device_id: expected ' || device_id || ', the device of the topic'
        WHEN 'missing_ts' THEN 'ts: expected a time'
        WHEN 'invalid_ts' THEN 'ts: expected ISO-8601 with a zone or epoch milliseconds, got ' || ts_text
        WHEN 'missing_seq' THEN 'seq: expected a whole number'
        WHEN 'invalid_seq' THEN 'seq: expected a whole number, got ' || json_format(seq_sent)
        WHEN 'too_late' THEN 'ts: expected at most {contract.lateness_bound} before arrival, got ' || ts_text
        WHEN 'in_future' THEN 'ts: expected at most {contract.future_bound} after arrival, got ' || ts_text
        WHEN 'unknown_unit' THEN 'unit: expected a unit of the contract, got ' || json_format(unit)
        WHEN 'invalid_value' THEN CASE
        {ranges}
        WHEN wrong_fw
            THEN 'fw: expected a text of at most {MAX_FIRMWARE} characters without U+0000, other than Infinity'
        WHEN {_UNKEPT}
            THEN 'expected names and values of further fields of at most {MAX_EXTRA} characters without U+0000'
        ELSE 'location: expected lat and lon in degrees, got ' || json_format(location) END
        WHEN 'out_of_range' THEN CASE
        {ranges} END
        END"""


def _in_steps(steps: Mapping[str, str]) -> str:
    return ",\n".join(f"{name} AS (\n{_indent(sql)}\n)" for name, sql in steps.items())


def _said(field: str) -> str:
    """Whether a field says something: JSON null and an absent field both do not."""
    return f"({field} IS NOT NULL AND json_format({field}) <> 'null')"


def _said_object(field: str, size: str) -> str:
    """The same of a field that should be an object and has so many items: its text is made only if it has none."""
    return f"CASE WHEN {field} IS NULL THEN false WHEN {size} > 0 THEN true ELSE json_format({field}) <> 'null' END"


def _halved(text: str) -> str:
    """Whether a JSON text says half of a character, which json_parse lets pass and other readers refuse.

    Escapes that are a character, or a pair that is one, are taken away; an escape of a surrogate that is left is half.
    """
    rest = f"regexp_replace({text}, {literal(WHOLE.pattern)}, '')"
    return rf"(strpos({text}, '\u') > 0 AND regexp_like({rest}, {literal(HALF.pattern)}))"


def _too_deep(text: str) -> str:
    """Whether a JSON text is nested deeper than MAX_DEPTH. Few texts have brackets enough to be looked at.

    After its strings, containers are taken away from the inside, some levels at a time, until so many are gone.
    """
    between = r"[^\[\]{}]*"
    levels = rf"[\[{{]{between}[\]}}]"
    for _ in range(_LEVELS - 1):
        levels = rf"[\[{{]{between}(?:{levels}{between})*[\]}}]"
    left = rf"""regexp_replace({text}, '"[^"\\]*(?:\\.[^"\\]*)*"', '')"""
    for _ in range(MAX_DEPTH // _LEVELS):
        left = f"regexp_replace({left}, '{levels}', '')"
    brackets = f"length({text}) - length(replace(replace({text}, '[', ''), '{{', ''))"
    return f"CASE WHEN {brackets} <= {MAX_DEPTH} THEN false ELSE regexp_like({left}, '[\\[{{]') END"


def _untaken(text: str, longest: int) -> str:
    """Whether there is a store that does not take a text: PostgreSQL and Redshift hold no U+0000."""
    return f"(length({text}) > {longest} OR strpos({text}, chr(0)) > 0)"


def _extracted(value: str, columns: Mapping[str, str]) -> str:
    return ",\n    ".join(f"json_extract({value}, '$.{name}') AS {column}" for name, column in columns.items())


def _present(columns: Iterable[str]) -> str:
    return "(" + " + ".join(f"if({column} IS NULL, 0, 1)" for column in columns) + ")"


def _unknown(value: str, known: Iterable[str], name: str) -> str:
    """The fields of an object that are not among the known ones, as a map from `name`, made of k, to JSON."""
    others = f"map_filter(TRY(CAST({value} AS MAP(VARCHAR, JSON))), (k, v) -> NOT contains(ARRAY[{_listed(known)}], k))"
    return f"transform_keys({others}, (k, v) -> {name})"


def _texts(fields: str) -> str:
    """The JSON texts of a map's values.

    The text of a JSON value out of a CAST to MAP or ARRAY is parsed and written once more: characters beyond the basic
    plane are then escapes, as in every other JSON text of Athena, which writes them as they are there.
    """
    # A function a step: an engine may work out a lambda's inner call as often as the outer one names its argument.
    for step in ("json_format(v)", "json_parse(v)", "json_format(v)", "nullif(v, 'null')"):
        fields = f"transform_values({fields}, (k, v) -> {step})"
    return fields


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


_PARSED = f"""\
SELECT object, year, month, day, hour, line,
    CASE WHEN NOT {_halved("line")} AND NOT {_too_deep("line")} THEN TRY(json_parse(line)) END AS j
FROM lines"""

_SENT = {name: f"{name}_sent" for name in (*KNOWN_OF_MESSAGE, PAYLOAD.name)}

_MESSAGES = f"""\
SELECT object, year, month, day, hour, line, j, json_size(j, '$') AS fields,
    {_extracted("j", _SENT)}
FROM parsed"""

_NAMED = " AND ".join(f"json_format({_SENT[field.name]}) LIKE '\"_%\"'" for field in (TENANT, SITE, DEVICE))
_IDENTIFIED = f"""\
SELECT *, coalesce(cardinality(readings) > 0, false) AS has_readings,
    coalesce({_NAMED}
        AND regexp_like(json_format({_SENT[RECEIVED_AT.name]}), {_EPOCH_FORM}), false) AS is_identified
FROM (
    SELECT *, TRY(CAST(readings_sent AS ARRAY(JSON))) AS readings
    FROM messages
)"""

_RECEIVED = """\
SELECT *, CASE WHEN is_identified AND has_readings THEN cardinality(readings) ELSE 1 END AS received
FROM identified"""


def _text(column: str) -> str:
    """The text that a JSON value is, if it is one."""
    return f"CASE WHEN json_format({column}) LIKE '\"%' THEN json_extract_scalar({column}, '$') END"


def _firmware(column: str) -> str:
    """The text; none for what the engine makes of a number beyond a DOUBLE, which nothing tells from a text."""
    beyond = ", ".join(literal(json_text(text)) for text in BEYOND_DOUBLE)
    return f"CASE WHEN json_format({column}) NOT IN ({beyond}) THEN {_text(column)} END"


_SENDERS = f"""\
SELECT *,
    CASE WHEN is_identified THEN {_text(_SENT[TENANT.name])} END AS tenant,
    CASE WHEN is_identified THEN {_text(_SENT[SITE.name])} END AS site,
    CASE WHEN is_identified THEN {_text(_SENT[DEVICE.name])} END AS device_id,
    CASE WHEN is_identified
        THEN {EPOCH} + {MILLISECOND} * TRY_CAST(json_format({_SENT[RECEIVED_AT.name]}) AS BIGINT) END AS received_at,
    CASE WHEN is_identified THEN {_text(_SENT[TRACE.name])} END AS message_id,
    CASE WHEN is_identified AND has_readings THEN {_firmware("fw_sent")} END AS fw,
    CASE WHEN is_identified AND readings_sent IS NULL
        THEN TRY(from_utf8(from_base64({_text(_SENT[PAYLOAD.name])}))) END AS payload_text,
    CASE WHEN is_identified AND has_readings AND fields > {_present(_SENT[name] for name in KNOWN_OF_MESSAGE)}
        THEN {_unknown("j", KNOWN_OF_MESSAGE, f"'{OF_MESSAGE}' || k")} END AS of_message
FROM identified"""


def _reasoned(contract: Contract) -> str:
    """Each message with the reason that all its readings share, if there is one."""
    return f"""\
SELECT object, year, month, day, hour, line, tenant, site, device_id, received_at, message_id, fw, of_message,
    payload_text, CASE WHEN is_identified AND has_readings THEN readings ELSE ARRAY[CAST(NULL AS JSON)] END AS readings,
    {_said("fw_sent")} AND (fw IS NULL OR {_untaken("fw", MAX_FIRMWARE)}) AS wrong_fw,
    CASE WHEN payload_text IS NOT NULL THEN {_text(_SENT[PAYLOAD.name])} END AS payload_base64,
    CASE
        WHEN j IS NULL THEN '{Reason.MALFORMED_JSON}'
        WHEN NOT is_identified THEN '{Reason.NOT_FROM_INGEST}'
        WHEN has_readings THEN CASE
            WHEN coalesce(json_format(v_sent), '') <> '{contract.version}' THEN '{Reason.UNSUPPORTED_VERSION}'
            WHEN {_said("device_id_sent")} AND json_format(device_id_sent) <> json_format({_SENT[DEVICE.name]})
                THEN '{Reason.DEVICE_MISMATCH}'
            END
        WHEN payload_text IS NULL THEN '{Reason.NO_READINGS}'
        WHEN {_halved("payload_text")} OR {_too_deep("payload_text")} THEN '{Reason.MALFORMED_JSON}'
        WHEN TRY(json_parse(payload_text)) IS NULL
            OR to_base64(to_utf8(payload_text)) <> {_text(_SENT[PAYLOAD.name])} THEN '{Reason.MALFORMED_JSON}'
        ELSE '{Reason.NO_READINGS}' END AS message_reason
FROM senders"""


_RECORDS = """\
SELECT object, year, month, day, hour, line, tenant, site, device_id, received_at, message_id, payload_base64, fw,
    wrong_fw, of_message, message_reason, payload_text, position, r
FROM reasoned
CROSS JOIN UNNEST(readings) WITH ORDINALITY AS t(r, position)"""


def _fields(contract: Contract) -> str:
    """The reading's fields as JSON, as they were sent: their own names are for what is made of them."""
    sent = {"ts": "ts_sent", "seq": "seq_sent", "unit": "unit", "location": "location"}
    sent |= {metric.name: f"{metric.name}_sent" for metric in contract.metrics}
    return f"""\
SELECT *, json_size(r, '$') AS fields, json_array_length(r) IS NOT NULL AS is_array,
    {_extracted("r", sent)}
FROM records"""


def _known(contract: Contract) -> str:
    """The fields typed, each by itself; null where it cannot be."""
    values = ",\n    ".join(
        f"TRY_CAST(json_format({m.name}_sent) AS DOUBLE) AS {m.name}_value" for m in contract.metrics
    )
    fields = ["ts_sent", "seq_sent", "unit", "location", *(f"{m.name}_sent" for m in contract.metrics)]
    symbols = {m.name: f"json_format(json_extract(unit, '$.{m.name}'))" for m in contract.metrics}
    units = ",\n    ".join(f"{symbol} AS {name}_unit" for name, symbol in symbols.items())
    return f"""\
SELECT *, json_format(ts_sent) AS ts_text, TRY_CAST(json_format(seq_sent) AS BIGINT) AS seq,
    CASE WHEN r IS NULL OR is_array THEN false WHEN fields > 0 THEN true ELSE json_format(r) = '{{}}' END AS is_object,
    fields > {_present(fields)} AS has_unknown_fields,
    {values},
    CASE WHEN location IS NOT NULL THEN TRY_CAST(json_format(json_extract(location, '$.lat')) AS DOUBLE) END AS lat,
    CASE WHEN location IS NOT NULL THEN TRY_CAST(json_format(json_extract(location, '$.lon')) AS DOUBLE) END AS lon,
    json_size(location, '$') AS places,
    if(json_extract(location, '$.lat') IS NULL, 0, 1)
        + if(json_extract(location, '$.lon') IS NULL, 0, 1) AS known_places,
    {units},
    json_size(unit, '$') AS units
FROM fields"""


def _typed(contract: Contract) -> str:
    metrics = ",\n    ".join(f"{_metric(m)} AS {m.name}" for m in contract.metrics)
    names = [metric.name for metric in contract.metrics]
    prefixed = "|".join(prefix[:-1] for prefix in PREFIXES)
    own_name = rf"if(regexp_like(k, '^({prefixed})\.'), '{OF_READING}' || k, k)"
    none = "CAST(MAP() AS MAP(VARCHAR, JSON))"
    parts = {
        "is_object AND has_unknown_fields": _unknown("r", [*READING_FIELDS, *names], own_name),
        "places > known_places": _unknown("location", ["lat", "lon"], f"'{OF_LOCATION}' || k"),
        f"units > {_present(f'{name}_unit' for name in names)}": _unknown("unit", names, f"'{OF_UNIT}' || k"),
    }
    maps = ",\n        ".join(
        f"CASE WHEN {condition} THEN coalesce({value}, {none}) ELSE {none} END" for condition, value in parts.items()
    )
    # The texts of all at once: of lambdas it is their number that costs.
    unknown = _texts(f"map_concat(coalesce(of_message, {none}),\n        {maps})")
    return f"""\
SELECT *,
    if(moment BETWEEN {_FIRST} AND {_LAST}, moment) AS event_time,
    {metrics},
    CASE WHEN is_object AND (of_message IS NOT NULL OR {" OR ".join(parts)})
        THEN {unknown} END AS unknown_fields
FROM timed"""


# The grammar of contract/event_time.py: `clock` is the time in its own zone, as a cast takes it, `zone` the offset.
_ANY_FORM = literal(f'^"{ISO_FORM}"$')
_HOUR = "if(substr(ts_text, 13, 5) = '24:00', '00', substr(ts_text, 13, 2))"
_SECOND = "if(substr(ts_text, 18, 1) = ':', substr(ts_text, 18, 3), ':00')"
_FRACTION = "coalesce('.' || regexp_extract(ts_text, '[.,]([0-9]+)', 1), '')"
_OFFSET = """'([+-])([0-9]{2}):?([0-9]{2})"$'"""
_CLOCK = f"""\
SELECT *,
    CASE
        WHEN NOT is_usual AND NOT regexp_like(ts_text, {_ANY_FORM}) THEN NULL
        WHEN substr(ts_text, 13, 2) <> '24' OR regexp_like(ts_text, 'T24:00(:00([.,]0+)?)?[Z+-]') THEN
            substr(ts_text, 2, 10) || ' ' || if(is_usual AND substr(ts_text, 13, 2) <> '24',
                substr(ts_text, 13, length(ts_text) - 14),
                {_HOUR} || substr(ts_text, 15, 3) || {_SECOND} || {_FRACTION})
        END AS clock,
    CASE WHEN NOT is_usual THEN regexp_extract(ts_text, {_OFFSET}, 1) END AS zone,
    CASE WHEN NOT is_usual THEN regexp_extract(ts_text, {_OFFSET}, 2) END AS zone_hours,
    CASE WHEN NOT is_usual THEN regexp_extract(ts_text, {_OFFSET}, 3) END AS zone_minutes
FROM (
    SELECT *, ts_text LIKE '"____-__-__T__:__:__.___Z"' OR ts_text LIKE '"____-__-__T__:__:__Z"' AS is_usual
    FROM known
)"""

_MINUTES = "CAST(zone_hours AS BIGINT) * 60 + CAST(zone_minutes AS BIGINT)"
_TIMED = f"""\
SELECT *,
    CASE
        WHEN clock IS NULL THEN
            CASE WHEN regexp_like(ts_text, {_EPOCH_FORM}) THEN {EPOCH} + {MILLISECOND} * CAST(ts_text AS BIGINT) END
        WHEN zone IS NOT NULL THEN local_time - INTERVAL '1' MINUTE * (if(zone = '-', -1, 1) * ({_MINUTES}))
        ELSE local_time END AS moment
FROM (
    SELECT *, TRY_CAST(clock AS TIMESTAMP) + INTERVAL '1' DAY * if(substr(ts_text, 13, 2) = '24', 1, 0) AS local_time
    FROM clocks
)"""


def _metric(metric: Metric) -> str:
    """A metric's value in the canonical unit; null where it is not a number."""
    value = f"{metric.name}_value"
    conversions = " ".join(
        f"WHEN {_quoted(unit.symbol)} THEN {value} * {_double(unit.factor)} + {_double(unit.offset)}"
        for unit in metric.units[1:]
    )
    if not conversions:
        return value
    return f"CASE WHEN unit IS NULL THEN {value} ELSE CASE {metric.name}_unit {conversions} ELSE {value} END END"


def _quoted(symbol: str) -> str:
    """The SQL literal of a symbol's JSON text."""
    return literal(json_text(symbol))


def _judged(contract: Contract) -> str:
    any_metric = " OR ".join(_said(f"{m.name}_sent") for m in contract.metrics)
    reasons = {
        "NOT is_object": Reason.NOT_AN_OBJECT,
        "coalesce(ts_text, 'null') = 'null'": Reason.MISSING_TS,
        "event_time IS NULL": Reason.INVALID_TS,
        f"seq IS NULL AND NOT {_said('seq_sent')}": Reason.MISSING_SEQ,
        "seq IS NULL": Reason.INVALID_SEQ,
        f"event_time < received_at - {_interval(contract.lateness_bound)}": Reason.TOO_LATE,
        f"event_time > received_at + {_interval(contract.future_bound)}": Reason.IN_FUTURE,
        f"coalesce({', '.join(m.name for m in contract.metrics)}) IS NULL AND NOT ({any_metric})": Reason.NO_METRICS,
        _invalid_value(contract): Reason.INVALID_VALUE,
        _unknown_unit(contract): Reason.UNKNOWN_UNIT,
        _out_of_range(contract): Reason.OUT_OF_RANGE,
    }
    whens = "\n        ".join(f"WHEN {condition} THEN '{reason}'" for condition, reason in reasons.items())
    return f"""\
SELECT *,
    CASE
        WHEN message_reason IS NOT NULL THEN message_reason
        {whens}
        ELSE 'valid' END AS outcome
FROM kept"""


def _interval(bound: timedelta) -> str:
    return f"INTERVAL '{round(bound.total_seconds())}' SECOND"


def _any_of(conditions: Iterable[str]) -> str:
    return "\n            OR ".join(conditions)


_KEPT = """\
SELECT *,
    CASE WHEN cardinality(unknown_fields) > 0 THEN json_format(CAST(unknown_fields AS JSON)) END AS extras
FROM typed"""

# Whether a field that the contract does not know has a name or a value that there is a store that does not take. Most
# are short in all.
_UNKEPT = (
    f"CASE WHEN extras IS NULL OR (length(extras) <= {MAX_EXTRA} AND strpos(extras, 'u0000') = 0) THEN false ELSE "
    f"cardinality(map_filter(unknown_fields, (k, v) -> {_untaken('k', MAX_EXTRA)} "
    f"OR length(v) > {MAX_EXTRA} OR regexp_like(v, {literal(NUL.pattern)}))) > 0 END"
)


def _invalid_value(contract: Contract) -> str:
    numbers = [f"({m.name} IS NULL AND {_said(f'{m.name}_sent')})" for m in contract.metrics]
    values = "TRY(CAST(location AS MAP(VARCHAR, JSON)))"
    any_value = f"cardinality(map_filter({values}, (k, v) -> json_format(v) <> 'null')) > 0"
    misplaced = (
        "CASE WHEN location IS NULL THEN false WHEN lat IS NOT NULL AND lon IS NOT NULL "
        f"THEN abs(lat) > 90 OR abs(lon) > 180 ELSE {_said_object('location', 'places')} "
        f"AND coalesce({any_value}, true) END"
    )
    return _any_of([*numbers, "wrong_fw", misplaced, _UNKEPT])


def _unknown_unit(contract: Contract) -> str:
    """A unit is never guessed: all that it says must be understood, or belong to a field that is kept with it."""
    names = [metric.name for metric in contract.metrics]
    other = "map_keys(TRY(CAST(unit AS MAP(VARCHAR, JSON))))"
    sent = "map_keys(TRY(CAST(r AS MAP(VARCHAR, JSON))))"
    elsewhere = f"contains(ARRAY[{_listed(READING_FIELDS)}], k) OR NOT contains({sent}, k)"
    no_object = "json_array_length(unit) IS NOT NULL OR json_extract_scalar(unit, '$') IS NOT NULL"
    no_field = f"NOT contains(ARRAY[{_listed(names)}], k) AND ({elsewhere})"
    unknown = [no_object, f"cardinality(filter({other}, k -> {no_field})) > 0"]
    understood = []
    for metric in contract.metrics:
        symbol, accepted = f"{metric.name}_unit", ", ".join(_quoted(unit.symbol) for unit in metric.units)
        unknown.append(
            f"CASE {symbol} WHEN 'null' THEN {metric.name} IS NOT NULL ELSE {symbol} NOT IN ({accepted}) END"
        )
        understood.append(f"if({symbol} IN ({accepted}), 1, 0)")
    return f"""CASE WHEN unit IS NULL OR (units > 0 AND units = {" + ".join(understood)}) THEN false
            WHEN {_said_object("unit", "units")} THEN {_any_of(unknown)} ELSE false END"""


def _out_of_range(contract: Contract) -> str:
    return _any_of(f"{m.name} NOT BETWEEN {_double(m.minimum)} AND {_double(m.maximum)}" for m in contract.metrics)


def _double(value: float) -> str:
    return f"DOUBLE '{value!r}'"


def _indent(sql: str) -> str:
    return "\n".join(f"    {line}" for line in sql.splitlines())
