"""Reads the manifest, and the ledger it implies: what the platform must hold if it lost and invented nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.manifest_writer import MANIFEST_SCHEMA, manifest_parts
from simulator.rows import METRIC_NAMES, VALID

_KEY = ["device_id", "ts_ms", "seq"]
_VALUES = [*METRIC_NAMES, "lat", "lon", "extras"]


@dataclass(frozen=True)
class ExpectedLedger:
    """What the lake must hold, if each message arrived exactly once.

    Of each key (device_id, ts_ms, seq) the last received copy is curated; a losing copy with the same values is a
    duplicate, with others a conflict: valid = curated + duplicates + conflicts. Messages marked `resent` may have
    arrived more than once, up to `sends` times; each further time adds their readings to raw, and there to quarantine,
    duplicates or conflicts, and never to curated.
    """

    messages: int
    readings: int
    valid: int
    quarantined: dict[str, int]
    curated: int
    duplicates: int
    conflicts: int
    resent_messages: int
    resent_readings: int


def read_manifest(folder: Path) -> pd.DataFrame:
    """The manifest of an output folder, one row a reading, in publish order. Raises FileNotFoundError without one.

    A killed run's last acknowledgements are in the outbox until the next run or `simulator summary`.
    """
    tables = [MANIFEST_SCHEMA.empty_table(), *(pq.read_table(part) for part in manifest_parts(folder))]
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas(types_mapper=_nullable)
    return frame.sort_values(["publish_order", "position"], ignore_index=True)


def _nullable(kind: pa.DataType) -> Any:
    """Whole numbers that may be null stay whole numbers."""
    return pd.Int64Dtype() if kind == pa.int64() else None


def expected_curated(rows: pd.DataFrame) -> pd.DataFrame:
    """The curated rows that a manifest (`read_manifest`) implies: of each key the last received copy.

    The manifest's columns, and `duplicates` and `conflicts`: how many copies with the same and with other values lost.
    """
    valid = rows[rows["outcome"] == VALID]
    # Rows are in publish order, which is each device's order of reception.
    winners = valid.drop_duplicates(_KEY, keep="last")
    losers = valid[valid.duplicated(_KEY, keep="last")]
    pairs = losers.merge(winners, on=_KEY, suffixes=("", "_won"), validate="many_to_one")
    same = pd.Series(True, index=pairs.index)
    for name in _VALUES:
        mine, won = pairs[name], pairs[f"{name}_won"]
        same &= (mine == won).fillna(False).astype(bool) | (mine.isna() & won.isna())
    counts = pairs[_KEY].assign(duplicates=same.astype(int), conflicts=(~same).astype(int))
    curated = winners.merge(counts.groupby(_KEY, as_index=False).sum(), on=_KEY, how="left")
    filled = curated[["duplicates", "conflicts"]].fillna(0).astype(int)
    return curated.assign(duplicates=filled["duplicates"], conflicts=filled["conflicts"])


def expected_ledger(folder: Path) -> ExpectedLedger:
    """The ledger that the manifest of an output folder implies. Raises FileNotFoundError without a manifest."""
    rows = read_manifest(folder)
    curated = expected_curated(rows)
    quarantined = rows.loc[rows["outcome"] != VALID, "outcome"].value_counts()
    resent = rows[rows["resent"].astype(bool)]
    return ExpectedLedger(
        messages=int(rows["publish_order"].nunique()),
        readings=len(rows),
        valid=int((rows["outcome"] == VALID).sum()),
        quarantined={str(name): int(count) for name, count in quarantined.items()},
        curated=len(curated),
        duplicates=int(curated["duplicates"].sum()),
        conflicts=int(curated["conflicts"].sum()),
        resent_messages=int(resent["publish_order"].nunique()),
        resent_readings=len(resent),
    )
