"""Writes the manifest: what was truly sent and acknowledged, one row a reading, as Parquet.

The outbox is the source of truth until a run of batches is settled; then they become one Parquet file and leave the
outbox. The file is renamed into place first and its last message id stored in the step that deletes the messages, so
a crash between the two leaves a file that the next start removes and writes again.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.outbox import REJECTED, BatchRange, Outbox
from simulator.rows import ROWS_SCHEMA

MANIFEST_FOLDER = "manifest"
SUMMARY_FILE = "summary.json"
# The rows of acknowledged messages whose batch still has unacknowledged ones; replaced by each flush.
_OPEN_FILE = "open.parquet"
_PART_ROWS = 50_000

_TIME = pa.timestamp("ms", tz="UTC")
MANIFEST_SCHEMA = pa.schema(
    [
        pa.field("tenant", pa.string()),
        pa.field("site", pa.string()),
        pa.field("device_id", pa.string()),
        pa.field("message", pa.int64()),
        pa.field("publish_order", pa.int64()),
        pa.field("position", pa.int32()),
        *ROWS_SCHEMA,
        pa.field("sent_at", _TIME),
        pa.field("acked_at", _TIME),
        pa.field("sends", pa.int32()),
        pa.field("resent", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Summary:
    """Counts of acknowledged devices, messages and readings; `resent_*` may have reached the broker repeatedly."""

    devices: int
    messages: int
    readings: int
    by_outcome: dict[str, int]
    resent_messages: int
    resent_readings: int
    rejected_messages: dict[str, int]
    unacknowledged_messages: int


class Manifest:
    """Writes the manifest of an outbox into its folder."""

    def __init__(self, folder: Path, outbox: Outbox) -> None:
        """Prepare the folder; remove what an interrupted flush left behind."""
        self._folder, self._outbox = folder, outbox
        self._parts_folder = folder / MANIFEST_FOLDER
        self._parts_folder.mkdir(parents=True, exist_ok=True)
        # Its rows are still in the outbox; `finish` writes it anew.
        (self._parts_folder / _OPEN_FILE).unlink(missing_ok=True)
        flushed = int(self._outbox.get("flushed_to") or 0)
        for part in self._parts_folder.glob("part-*.parquet"):
            if int(part.stem.split("-")[2]) > flushed:
                part.unlink()

    def flush(self, at_least: int = _PART_ROWS) -> None:
        """Move the settled batches from the outbox to Parquet, once they have `at_least` rows together."""
        group: list[BatchRange] = []
        for batch in self._outbox.batches(settled=True):
            group.append(batch)
            if sum(batch.readings for batch in group) >= _PART_ROWS:
                self._write_part(group)
                group = []
        if group and sum(batch.readings for batch in group) >= at_least:
            self._write_part(group)

    def _write_part(self, group: list[BatchRange]) -> None:
        rejected = Counter(self._outbox.get("rejected") or {})
        tables = []
        for batch in group:
            table, refused = self._batch(batch)
            tables.append(table)
            rejected += refused
        first, last = group[0].first_id, group[-1].last_id
        _write(self._parts_folder / f"part-{first:012d}-{last:012d}.parquet", pa.concat_tables(tables))
        self._outbox.forget(last, flushed_to=last, rejected=dict(rejected))

    def finish(self) -> Summary:
        """Write everything that was acknowledged so far, and `summary.json`; returns the summary."""
        self.flush(at_least=0)
        open_tables = [self._batch(batch) for batch in self._outbox.batches()]
        path = self._parts_folder / _OPEN_FILE
        if sum(table.num_rows for table, _ in open_tables):
            _write(path, pa.concat_tables([table for table, _ in open_tables]))
        else:
            path.unlink(missing_ok=True)
        rejected = Counter(self._outbox.get("rejected") or {})
        for _, refused in open_tables:
            rejected += refused
        summary = _summary(self._folder, dict(rejected), len(self._outbox.unsettled()))
        body = orjson.dumps(asdict(summary), option=orjson.OPT_INDENT_2)
        temporary = self._folder / f"{SUMMARY_FILE}.new"
        temporary.write_bytes(body)
        temporary.replace(self._folder / SUMMARY_FILE)
        return summary

    def _batch(self, batch: BatchRange) -> tuple[pa.Table, Counter[str]]:
        """A batch's acknowledged rows with MANIFEST_SCHEMA, and its rejected messages by reason code."""
        fates = self._outbox.fates(batch)
        rows = self._outbox.batch_rows(batch)
        index = rows["message_index"].to_numpy()
        acked = np.array([reason is not None and reason < REJECTED for *_, reason in fates], dtype=bool)
        topics = [topic.split("/") for _, _, _, topic, *_ in fates]
        of_message = pa.table(
            {
                "tenant": pa.array([levels[1] for levels in topics], pa.string()),
                "site": pa.array([levels[2] for levels in topics], pa.string()),
                "device_id": pa.array([fate[1] for fate in fates], pa.string()),
                "message": pa.array([fate[2] for fate in fates], pa.int64()),
                "publish_order": pa.array([fate[0] for fate in fates], pa.int64()),
                "sent_at": pa.array([fate[4] for fate in fates], _TIME),
                "acked_at": pa.array([fate[5] for fate in fates], _TIME),
                "sends": pa.array([fate[6] for fate in fates], pa.int32()),
                "resent": pa.array([fate[6] > 1 for fate in fates], pa.bool_()),
            }
        ).take(pa.array(index))
        columns = {n: (rows if n in rows.column_names else of_message)[n] for n in MANIFEST_SCHEMA.names}
        refused = Counter(str(reason) for *_, reason in fates if reason is not None and reason >= REJECTED)
        return pa.table(columns).cast(MANIFEST_SCHEMA).filter(pa.array(acked[index])), refused


def _write(path: Path, table: pa.Table) -> None:
    temporary = path.with_name(f"{path.name}.new")
    pq.write_table(table, temporary, compression="zstd")
    temporary.replace(path)


def manifest_parts(folder: Path) -> list[Path]:
    """The Parquet files of an output folder's manifest. Raises FileNotFoundError without one."""
    if not (folder / MANIFEST_FOLDER).is_dir():
        raise FileNotFoundError(
            f"{folder / MANIFEST_FOLDER} does not exist; --out must be the folder of a run or replay"
        )
    return sorted((folder / MANIFEST_FOLDER).glob("*.parquet"))


def _summary(folder: Path, rejected: dict[str, int], unacknowledged: int) -> Summary:
    """Counts over the parts, one after the other; the rows of a message are in one part."""
    devices: set[str] = set()
    by_outcome: Counter[str] = Counter()
    messages = readings = resent_messages = resent_readings = 0
    for part in manifest_parts(folder):
        rows = pq.read_table(part, columns=["device_id", "publish_order", "outcome", "resent"])
        resent = rows.filter(rows["resent"])
        devices.update(rows["device_id"].unique().to_pylist())
        by_outcome.update({item["values"]: item["counts"] for item in rows["outcome"].value_counts().to_pylist()})
        messages += len(rows["publish_order"].unique())
        readings += rows.num_rows
        resent_messages += len(resent["publish_order"].unique())
        resent_readings += resent.num_rows
    return Summary(
        devices=len(devices),
        messages=messages,
        readings=readings,
        by_outcome=dict(by_outcome.most_common()),
        resent_messages=resent_messages,
        resent_readings=resent_readings,
        rejected_messages=rejected,
        unacknowledged_messages=unacknowledged,
    )
