"""What is expected of each reading that was sent: one row, and batches of rows as Arrow tables."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from iot_pipeline.contract import METRICS, Reason

VALID = "valid"
METRIC_NAMES = tuple(metric.name for metric in METRICS)


@dataclass(frozen=True)
class Row:
    """The expectation for one reading.

    `ts_ms` is epoch milliseconds UTC, `values` are in canonical units, `extras` is the JSON text of the unknown
    fields, `faults` names what was done to the reading, comma-separated; `outcome` is `valid` or a Reason.
    """

    ts_ms: int | None
    seq: int | None
    values: dict[str, float] = field(default_factory=dict)
    lat: float | None = None
    lon: float | None = None
    extras: str | None = None
    faults: str = ""
    outcome: str = VALID

    def quarantined(self, fault: str, reason: Reason, **changes: Any) -> "Row":
        """The row with a fault that puts it into quarantine for a reason; no values are expected of it then."""
        changed = replace(self, values={}, lat=None, lon=None, extras=None, outcome=str(reason), **changes)
        return changed.also(fault)

    def also(self, fault: str) -> "Row":
        """The row with one more fault's name."""
        return replace(self, faults=f"{self.faults},{fault}" if self.faults else fault)


def whole_message(fault: str, reason: Reason) -> Row:
    """The one row that stands for a message whose readings cannot be told apart."""
    return Row(ts_ms=None, seq=None).quarantined(fault, reason)


def extras_text(fields: dict[str, Any]) -> str:
    """Unknown fields in a form that compares: JSON with sorted keys."""
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()


def rows_table(rows: list[Row]) -> pa.Table:
    """Rows as an Arrow table with the columns of ROWS_SCHEMA."""
    columns: dict[str, Any] = {
        "ts_ms": [row.ts_ms for row in rows],
        "seq": [row.seq for row in rows],
        **{name: [row.values.get(name) for row in rows] for name in METRIC_NAMES},
        "lat": [row.lat for row in rows],
        "lon": [row.lon for row in rows],
        "extras": [row.extras for row in rows],
        "faults": [row.faults for row in rows],
        "outcome": [row.outcome for row in rows],
    }
    return pa.table(columns, schema=ROWS_SCHEMA)


ROWS_SCHEMA = pa.schema(
    [
        pa.field("ts_ms", pa.int64()),
        pa.field("seq", pa.int64()),
        *(pa.field(name, pa.float64()) for name in METRIC_NAMES),
        pa.field("lat", pa.float64()),
        pa.field("lon", pa.float64()),
        pa.field("extras", pa.string()),
        pa.field("faults", pa.string()),
        pa.field("outcome", pa.string()),
    ]
)


def array_or_null(values: np.ndarray[Any, np.dtype[np.float64]]) -> "pa.Array[Any]":
    """A float column in which NaN means absent."""
    return pa.array(values, type=pa.float64(), from_pandas=True)
