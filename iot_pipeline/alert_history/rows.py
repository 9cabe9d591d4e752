"""Episodes as rows of the lake's table `alert_history`."""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from iot_pipeline.alerting.episodes import Item
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.contract import tables
from iot_pipeline.lake.hours import Day

Row = dict[str, Any]

# The warehouse's column of a text holds so many bytes of UTF-8; COPY refuses a whole day for one that is longer.
TEXT_BYTES = 1024

_TYPES = {
    "string": pa.string(),
    "timestamp": pa.timestamp("us"),
    "double": pa.float64(),
    "boolean": pa.bool_(),
}
COLUMNS = tables().alert_history.columns
SCHEMA = pa.schema([(column.name, _TYPES[column.type]) for column in COLUMNS])
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # the lake's timestamps mean UTC and have no zone


def is_episode(item: Item) -> bool:
    """Whether an item of the alerts table is one; silences, and how far the stream was taken, stand there too."""
    return "rule" in item


def row_of(item: Item) -> Row:
    """An episode as a row. Raises KeyError, ValueError or TypeError for an item that the alerts' library did not write.

    A text of more than TEXT_BYTES, as a person may give for a reason, is cut.
    """
    return {column.name: _value(column.type, *_SOURCES[column.name], item) for column in COLUMNS}


def day_of(row: Row) -> Day:
    """The partition of a row: the day on which the episode opened."""
    return Day.of(row["opened_at"].replace(tzinfo=UTC))


def merged(kept: Iterable[Row], news: Iterable[Row]) -> list[Row]:
    """Each episode once, by its id, as it was written last; in the order of their starts.

    What is kept in the lake stays, since the edge forgets an episode 90 days after its end, and stays too where the
    news is older, as an answer from an index may be.
    """
    found = {row["episode_id"]: row for row in kept}
    for row in news:
        known = found.get(row["episode_id"])
        if known is None or _written(known) <= _written(row):
            found[row["episode_id"]] = row
    return sorted(found.values(), key=lambda row: (row["opened_at"], row["episode_id"]))


def content_of(rows: Iterable[Row]) -> str:
    """The content id of rows: the same for the same rows."""
    lines = (json.dumps(row, sort_keys=True, default=datetime.isoformat) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def to_parquet(rows: list[Row]) -> bytes:
    """The rows as one object."""
    body = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), body, compression="zstd")
    return body.getvalue()


def from_parquet(body: bytes) -> list[Row]:
    """The rows of an object; a column that is newer than the object is null."""
    rows = pq.read_table(io.BytesIO(body)).to_pylist()
    return [{column.name: row.get(column.name) for column in COLUMNS} for row in rows]


def _written(row: Row) -> datetime:
    return row["written_at"] or _EPOCH


def _time(at_ms: Any) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(at_ms))


def _text(value: Any) -> str | None:
    """A text; what is empty in an item is none."""
    encoded = str(value).encode()[:TEXT_BYTES]
    return encoded.decode(errors="ignore") or None


def _severity(value: Any) -> str:
    return Severity(int(value)).label


def _moment(value: Any) -> datetime:
    """Of ISO 8601, as items have it where an index sorts by it."""
    return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)


_PLAIN: Mapping[str, Callable[[Any], Any]] = {"string": _text, "timestamp": _time, "double": float, "boolean": bool}


def _value(kind: str, name: str, read: Callable[[Any], Any] | None, item: Item) -> Any:
    value = item.get(name)
    return None if value is None else (read or _PLAIN[kind])(value)


# Of each column: the attribute of the item, and how it is read where its type does not say.
_SOURCES: dict[str, tuple[str, Callable[[Any], Any] | None]] = {
    **{column.name: (column.name, None) for column in COLUMNS},
    **{column.name: (column.name.removesuffix("_at") + "_ms", None) for column in COLUMNS if column.name[-3:] == "_at"},
    "episode_id": ("id", None),
    "device_id": ("device", None),
    "arrived_at": ("arrival_ms", None),
    "severity": ("severity", _severity),
    "opened_severity": ("opened_severity", _severity),
    "resolution_recorded_at": ("resolution_ms", None),
    "last_value": ("value", None),
    "limit_value": ("limit", None),
    "worst_value": ("worst", None),
    "parent_id": ("parent", None),
    "written_at": ("written_at", _moment),
}
