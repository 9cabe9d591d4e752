"""Whether Spark makes the rows that Athena makes, at full size, and how fast each is (`make bench-spark`).

    python -m iot_pipeline_tests.spark_rows --readings 1000000 --hostile 100000

It starts a local AWS of its own. Every column of the four tables that are built is compared but the ledger's checksum,
of which each engine has its own. Bare DuckDB, which judges nothing, copies the readings beside them. CPU seconds are of
each engine's own processes, so that they say something on a busy machine too; what the emulated S3 takes for Spark's
requests is not among them. Ends with 1 if a hash differs or a book does not balance.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import psutil
from rich.console import Console
from rich.table import Table as Printed

from infra.local.bench.bare_copy import Turn, athena_process, copied, cpu_seconds, plain_readings, raw_files
from infra.local.bench.raw_objects import put_raw
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_spark import spark_environment
from infra.local.session.platform import Platform, running
from iot_pipeline.contract import Table, tables
from iot_pipeline.contract.tables import Column
from iot_pipeline.defs.spark_backfill.jobs import DOLLARS_PER_DPU_HOUR
from iot_pipeline.lake.balances import ArrivalHourBalance
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.pricing import DOLLARS_PER_TERABYTE
from iot_pipeline.resources import LakeResource
from iot_pipeline_tests.support.messages import METER, RawZone
from iot_pipeline_tests.support.payloads import Payloads
from iot_pipeline_tests.table_hashes import FIRST, HOURS, PACK, SEED, hash_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CHECKSUM = {"content"}
# A DPU is 4 virtual processors with 16 GB (AWS Glue pricing page).
PROCESSORS = 4
# As the local Glue starts the job (infra/local/emulator/glue/job_runs.py).
SETTINGS = {
    "spark.master": "local[2]",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "8",
}


@dataclass(frozen=True)
class Engine:
    """A lake whose statements one engine runs, and how many CPU seconds the engine's processes have taken so far."""

    lake: Lake
    cpu: Callable[[], float]


@dataclass(frozen=True)
class Built:
    """What an engine made: rows and hash by table, readings, how long judging and curating took.

    `scanned_bytes` are those that the build's statements scanned, without Athena's 10 MB at least a statement.
    """

    hashes: dict[str, tuple[str, str]]
    readings: int
    judging: Turn
    quarantining: Turn
    curating: Turn
    balanced: bool
    scanned_bytes: int

    @property
    def steps(self) -> dict[str, Turn]:
        """Each step, and all of them together, by name."""
        each = {"judging": self.judging, "quarantining and counting": self.quarantining, "curating": self.curating}
        seconds, cpu = (sum(getattr(it, name) for it in each.values()) for name in ("seconds", "cpu"))
        return {**each, "all": Turn(self.readings, seconds, cpu)}


def main() -> int:
    """Build both kinds of data by both engines; compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=200_000, help="readings of the simulator, with its faults")
    parser.add_argument("--hostile", type=int, default=5_000, help="generated payloads of every fault")
    wanted = parser.parse_args()
    os.environ.update(spark_environment())
    console, folder = Console(), Path(tempfile.mkdtemp(prefix="iot-spark-"))
    try:
        with running(folder / "state", CHECKOUT / ".local", console) as local:
            return _compare(local, wanted.readings, wanted.hostile, console)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _compare(local: Platform, readings: int, hostile: int, console: Console) -> int:
    from iot_pipeline.spark.engine import SparkEngine
    from iot_pipeline.spark.scans import Scans
    from iot_pipeline.spark.session import start_session

    lake = LakeResource().open()
    arrivals, size = put_raw(lake.bucket, FIRST, HOURS, readings, PACK)
    late = FIRST + 48
    RawZone(lake.bucket).put(
        late, Payloads(SEED, lake.contract, late.start + timedelta(minutes=6)).lines(hostile, METER)
    )
    copy = copied(plain_readings(raw_files(local, lake, arrivals), arrivals), local.state_dir / "copy")
    session = start_session("rows", SETTINGS)
    scans = Scans(lake.bucket, lake.catalog, Objects(boto3.client("s3")), lake.contract)
    by_athena = Engine(lake, lambda: cpu_seconds(athena_process()))
    by_spark = Engine(replace(lake, athena=SparkEngine(session, scans)), lambda: _cpu_of(session))
    same = True
    for title, hours, bare in (
        (f"{readings:,} readings", arrivals, copy),
        (f"{hostile:,} hostile payloads", [late], None),
    ):
        console.print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, {title}: Athena")
        first = _built(by_athena, lake, hours)
        console.print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, {title}: Spark")
        second = _built(by_spark, lake, hours)
        same &= first.hashes == second.hashes and first.balanced and second.balanced
        console.print(_printed(title, first, second, bare))
    session.stop()
    console.print(
        f"The readings are {size / 1e6:.1f} MB of gzip. {psutil.cpu_count()} cores, of which others had a share: the "
        f"load was {os.getloadavg()[2]:.1f}. {'The same rows.' if same else 'ROWS DIFFER.'}"
    )
    return 0 if same else 1


def _built(engine: Engine, reader: Lake, arrivals: list[Hour]) -> Built:
    """Built anew by an engine; read, for the hashes, always by Athena."""
    lake, before = engine.lake, engine.lake.athena.scanned_bytes
    balances: list[ArrivalHourBalance] = []
    judging = _taken(lambda: lake.judge(arrivals, whole=True), engine.cpu)
    quarantining = _taken(lambda: balances.extend(lake.quarantine(arrivals)), engine.cpu)
    event_hours = lake.touched(arrivals)
    curating = _taken(lambda: lake.curate(event_hours, whole=True), engine.cpu)
    scanned = lake.athena.scanned_bytes - before
    zones = tables(reader.contract)
    hashes = {
        zones.judged_telemetry.name: _checksum(reader, zones.judged_telemetry, arrivals),
        zones.ledger.name: hash_of(reader, zones.ledger, arrivals, without=CHECKSUM),
        zones.quarantined_telemetry.name: _checksum(reader, zones.quarantined_telemetry, arrivals),
        zones.curated_telemetry.name: _checksum(reader, zones.curated_telemetry, event_hours),
    }
    by_event = lake.event_balances(event_hours)
    balanced = all(it.balances for it in balances) and all(it.balances for it in by_event)
    readings = sum(it.received for it in balances)
    return Built(hashes, readings, judging, quarantining, curating, balanced, scanned)


def _checksum(lake: Lake, table: Table, hours: list[Hour]) -> tuple[str, str]:
    """As `hash_of`, summed up by Athena: a million rows would be read a thousand a page. The least zero has no sign."""

    def value(column: Column) -> str:
        if column.type.startswith("map"):
            return f"json_format(CAST({column.name} AS JSON))"
        return f"{column.name} + 0e0" if column.type == "double" else column.name

    values = ", ".join(value(column) for column in table.columns)
    where = partition_predicate(hours)
    sql = f"SELECT count(*), to_hex(checksum(ROW({values}))) FROM {table.name} WHERE {where}"
    ((rows, total),) = lake.athena.run(sql).rows
    # Of no rows Athena has no checksum.
    return f"{int(rows):,}", (total or "none").lower()


def _taken(work: Callable[[], object], cpu: Callable[[], float]) -> Turn:
    """How long a piece of work took; whoever counts its rows fills them in."""
    began, before = time.monotonic(), cpu()
    work()
    return Turn(0, time.monotonic() - began, cpu() - before)


def _cpu_of(session: "SparkSession") -> float:
    """CPU seconds of this process, which is Spark's driver, of its Java and of all workers so far."""
    gateway = session.sparkContext._gateway
    assert gateway is not None
    java = psutil.Process(gateway.proc.pid)
    total = cpu_seconds(psutil.Process())
    for process in (java, *java.children(recursive=True)):
        # What ends meanwhile is counted by its parent.
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _printed(title: str, athena: Built, spark: Built, bare: Turn | None) -> Printed:
    printed = Printed("of " + title, "Athena (DuckDB)", "Spark", "bare DuckDB COPY")
    for name, (rows, value) in athena.hashes.items():
        printed.add_row(name, f"{rows} {value}", "{} {}".format(*spark.hashes[name]))
    turns: list[Turn] = []
    for step in athena.steps:
        turns = [replace(it.steps[step], rows=it.readings) for it in (athena, spark)]
        turns += [bare] if bare and step == "all" else []
        printed.add_row(f"{step}, readings/s", *map(_per_second, turns))
    printed.add_row("all, readings a CPU second", *(f"{it.rows / it.cpu:,.0f}" for it in turns))
    glue = spark.steps["all"].cpu / spark.readings * 1e6 / PROCESSORS / 3600 * DOLLARS_PER_DPU_HOUR
    scanned = athena.scanned_bytes / athena.readings * 1e6 / 1024**4 * DOLLARS_PER_TERABYTE
    printed.add_row("USD a million readings", f"{scanned:.6f} for bytes", f"{glue:.6f} for this CPU time")
    return printed


def _per_second(turn: Turn) -> str:
    return f"{turn.rows / turn.seconds:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
