"""What publishing costs with Hive partitions and with Apache Iceberg (`python -m infra.local.bench.table_formats`).

The same readings, in the same Parquet: an hour is published after the other, then a hundred at once, then one hour is
re-opened by a late reading. Iceberg's side is PyIceberg with a catalog in SQLite and its files in a folder; it needs
`pyiceberg[sql-sqlite,pyarrow]`, which the product does not. Counted are files and bytes that a publication writes
beside the data, and those that a reader of one hour opens before it reads any; of Hive partitions it is calls to Glue,
as `iot_pipeline/lake/catalog.py` makes them. No time is measured: neither is AWS.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from rich.console import Console
from rich.progress import track
from rich.table import Table as Shown

from infra.local.bench.bench_session import bench_session

if TYPE_CHECKING:
    from collections.abc import Iterator

HOURS, ROWS = 1000, 1000
# Else a reader opens a manifest for each publication there ever was.
MERGED = {"commit.manifest-merge.enabled": "true", "commit.manifest.min-count-to-merge": "10"}
FIRST = datetime(2026, 1, 1)  # noqa: DTZ001  # Iceberg's timestamp without zone, as Athena's; UTC


@dataclass(frozen=True)
class Cost:
    """What one publication wrote beside the data: files, bytes."""

    files: int
    bytes: int


@dataclass(frozen=True)
class Measured:
    """A table in a folder, and what its metadata weighs."""

    table: Any
    folder: Path

    def cost(self, change: Callable[[], object]) -> Cost:
        """What a change writes beside the data."""
        before = dict(self._metadata())
        change()
        new = {path: size for path, size in self._metadata() if path not in before}
        return Cost(len(new), sum(new.values()))

    def opened(self, hour: datetime) -> Cost:
        """What a reader of one hour opens before it reads data: the table's metadata, its list of manifests, those."""
        self.table.refresh()
        snapshot = self.table.current_snapshot()
        names = [self.table.metadata_location, snapshot.manifest_list]
        names += [manifest.manifest_path for manifest in snapshot.manifests(self.table.io)]
        sizes = [Path(name.removeprefix("file://")).stat().st_size for name in names]
        planned = list(self.table.scan(row_filter=f"event_hour = '{hour.isoformat()}'").plan_files())
        if len(planned) != 1:
            raise AssertionError(f"one file holds an hour, not {planned}")
        return Cost(len(sizes), sum(sizes))

    def _metadata(self) -> "Iterator[tuple[Path, int]]":
        for path in self.folder.rglob("metadata/*"):
            yield path, path.stat().st_size


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print. It says what to install where PyIceberg is not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=HOURS, help="hours of history")
    options = parser.parse_args(arguments)
    try:
        sql = import_module("pyiceberg.catalog.sql")
    except ImportError:
        raise SystemExit(
            "PyIceberg is not installed: .venv/bin/uv pip install 'pyiceberg[sql-sqlite,pyarrow]'"
        ) from None
    console = Console()
    with bench_session("table-formats") as folder:
        catalog = sql.SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/lake")
        _measure(console, catalog, folder / "lake", options.hours)


def _measure(console: Console, catalog: Any, folder: Path, hours: int) -> None:
    catalog.create_namespace("telemetry")
    table = catalog.create_table("telemetry.curated", schema=_rows(0).schema, properties=MERGED)
    with table.update_spec() as spec:
        spec.add_identity("event_hour")
    measured = Measured(table, folder)
    shown = Shown("", "Iceberg: files, bytes beside the data", "Hive partitions: calls to Glue")

    def add(name: str, cost: Cost, calls: str) -> None:
        shown.add_row(name, f"{cost.files:,} files, {cost.bytes:,} B", calls)

    add("publish the first hour", measured.cost(lambda: _publish(table, [0])), "3: table, look, create")
    for number in track(range(1, hours - 1), "publishing hour after hour", console=console):
        _publish(table, [number])
    add(f"publish hour {hours:,}", measured.cost(lambda: _publish(table, [hours - 1])), "3: table, look, create")
    whole = range(hours, hours + 100)
    add("publish 100 hours at once", measured.cost(lambda: _publish(table, whole)), "3, not atomic over the 100")
    late = measured.cost(lambda: table.dynamic_partition_overwrite(_rows(5, late=True)))
    add("re-open one hour for a late reading", late, "3: table, look, update; atomic")
    add("a reader of one hour opens first", measured.opened(FIRST + timedelta(hours=5)), "2: table, partitions")
    console.print(shown)
    console.print(f"{hours:,} hours of {ROWS:,} readings; snapshots: {len(table.refresh().metadata.snapshots):,}")


def _publish(table: Any, numbers: Sequence[int] | range) -> None:
    table.append(pa.concat_tables([_rows(number) for number in numbers]))


def _rows(hour: int, *, late: bool = False) -> pa.Table:
    """The readings of an hour."""
    count = ROWS + late
    start = FIRST + timedelta(hours=hour)
    return pa.table(
        {
            "device_id": [f"device-{n % 50:04d}" for n in range(count)],
            "event_time": pa.array([start + timedelta(seconds=3 * n) for n in range(count)], pa.timestamp("us")),
            "temperature": [20 + n % 17 / 10 for n in range(count)],
            "event_hour": pa.array([start] * count, pa.timestamp("us")),
        }
    )


if __name__ == "__main__":
    main()
