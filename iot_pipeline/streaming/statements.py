"""The views on what was streamed, and its comparison with the batch result, in Athena's SQL. Pure text."""

from collections.abc import Iterable
from datetime import datetime

from iot_pipeline.contract import PARTITION_KEYS, Contract, tables
from iot_pipeline.lake import winners
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.transformation import literal

# What is streamed and not yet replaced, as the curated table would hold it; and the batch result with it.
RECENT_VIEW = "recent_telemetry"
NOW_VIEW = "telemetry_now"

_FORMATS = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H"}
_KEYS = ", ".join(PARTITION_KEYS)
_IDENTITY = ("device_id", "event_time", "seq")
_SAME_KEY = " AND ".join(f"b.{name} = s.{name}" for name in (*PARTITION_KEYS, *_IDENTITY))
# How often and when a key was received, which a repeated delivery changes; all else is what the reading says.
_RECEIVED = ("received_at", "duplicates", "conflicts")


def recent_view(contract: Contract) -> str:
    """The view on what was streamed: the curated columns, each key once, by the rule of the curated table."""
    keys = ", ".join(f"date_format(event_time, '{_FORMATS[key]}') AS {key}" for key in PARTITION_KEYS)
    return f"""\
CREATE OR REPLACE VIEW {RECENT_VIEW} AS
WITH {winners.ranked(contract, "sum(receptions)", "FROM streamed_telemetry")}
SELECT {winners.curated_columns(contract)},
    {keys}
FROM ranked
WHERE {winners.IS_FIRST}"""


def now_view(contract: Contract) -> str:
    """The view on each reading once: the curated row where there is one, else what was streamed.

    `layer` is 'batch' or 'stream'. Who asks names the hours, as of every table here.
    """
    columns = ", ".join(column.name for column in tables(contract).curated_telemetry.columns)
    return f"""\
CREATE OR REPLACE VIEW {NOW_VIEW} AS
SELECT {columns}, 'batch' AS layer, {_KEYS}
FROM curated_telemetry
UNION ALL
SELECT {columns}, 'stream' AS layer, {_KEYS}
FROM {RECENT_VIEW} AS s
WHERE NOT EXISTS (
    SELECT 1
    FROM curated_telemetry AS b
    WHERE {_SAME_KEY})"""


def compared_hours(contract: Contract, event_hours: Iterable[Hour], first_received: datetime) -> str:
    """By event hour, the keys of stream and batch by what became of them.

    `first_received` (aware) is the earliest arrival that the micro-batches hold: what came before cannot be in them.
    """
    hours = partition_predicate(event_hours)
    names = [column.name for column in tables(contract).curated_telemetry.columns if column.name not in _IDENTITY]
    values = "\n        OR ".join(f"s.{name} IS DISTINCT FROM b.{name}" for name in names if name not in _RECEIVED)
    received = " OR ".join(f"s.{name} IS DISTINCT FROM b.{name}" for name in _RECEIVED)
    keys = ", ".join(f"coalesce(s.{key}, b.{key}) AS {key}" for key in PARTITION_KEYS)
    return f"""\
WITH compared AS (
    SELECT {keys},
        s.device_id IS NULL AS is_missing, b.device_id IS NULL AS is_waiting, b.received_at AS received_at,
        {values} AS other_values,
        {received} AS other_receptions
    FROM (SELECT * FROM {RECENT_VIEW} WHERE {hours}) AS s
    FULL OUTER JOIN (SELECT * FROM curated_telemetry WHERE {hours}) AS b ON {_SAME_KEY}
)
SELECT {_KEYS},
    count_if(NOT is_missing AND NOT is_waiting AND NOT other_values AND NOT other_receptions) AS equal,
    count_if(NOT is_missing AND NOT is_waiting AND NOT other_values AND other_receptions) AS other_receptions,
    count_if(NOT is_missing AND NOT is_waiting AND other_values) AS other_values,
    count_if(is_waiting) AS waiting,
    count_if(is_missing AND received_at < {_moment(first_received)}) AS before_stream,
    count_if(is_missing AND received_at >= {_moment(first_received)}) AS missed
FROM compared
GROUP BY {_KEYS}"""


def waiting_batches(event_hours: Iterable[Hour], batches: Iterable[str]) -> str:
    """Of these micro-batches, all of whose rows are of these event hours: those with keys that curated has not."""
    names = ", ".join(literal(name) for name in batches)
    return f"""\
SELECT s.batch, count(*) AS waiting
FROM streamed_telemetry AS s
LEFT JOIN (SELECT device_id, event_time, seq FROM curated_telemetry WHERE {partition_predicate(event_hours)}) AS b
    ON b.device_id = s.device_id AND b.event_time = s.event_time AND b.seq = s.seq
WHERE s.batch IN ({names})
    AND b.device_id IS NULL
GROUP BY s.batch"""


def _moment(at: datetime) -> str:
    return f"TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}'"
