"""Whether Spark makes the rows that Athena makes, at full size, and how fast each is (`make bench-spark`).

    python -m iot_pipeline_tests.spark_rows --readings 1000000 --hostile 100000

It starts a local AWS of its own. Every column of the four tables that are built is compared but the ledger's checksum,
of which each engine has its own. Ends with 1 if a hash differs or a book does not balance.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import boto3
from rich.console import Console
from rich.table import Table as Printed

from infra.local.bench.raw_objects import put_raw
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_spark import spark_environment
from infra.local.session.platform import running
from iot_pipeline.contract import Table, tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.resources import LakeResource
from iot_pipeline_tests.support.messages import METER, RawZone
from iot_pipeline_tests.support.payloads import Payloads
from iot_pipeline_tests.table_hashes import FIRST, HOURS, PACK, SEED, hash_of

# Glue pricing page and Athena pricing page: US dollars a DPU-hour, and a terabyte scanned.
DPU_HOUR, TERABYTE = 0.44, 5.0
CHECKSUM = {"content"}
# A G.1X worker is a DPU of 4 virtual processors (AWS Glue guide, "Defining job properties for Spark jobs").
PROCESSORS = 4


@dataclass(frozen=True)
class Built:
    """What an engine made: rows and hash by table, readings, and seconds of judging and of curating."""

    hashes: dict[str, tuple[str, str]]
    readings: int
    judging: float
    curating: float
    balanced: bool


def main() -> int:
    """Build both kinds of data by both engines; compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=200_000, help="readings of the simulator, with its faults")
    parser.add_argument("--hostile", type=int, default=5_000, help="generated payloads of every fault")
    wanted = parser.parse_args()
    os.environ.update(spark_environment())
    console, folder = Console(), Path(tempfile.mkdtemp(prefix="iot-spark-"))
    try:
        with running(folder / "state", CHECKOUT / ".local", console):
            return _compare(wanted.readings, wanted.hostile, console)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _compare(readings: int, hostile: int, console: Console) -> int:
    from iot_pipeline.spark.engine import SparkEngine
    from iot_pipeline.spark.scans import Scans
    from iot_pipeline.spark.session import start_session

    lake = LakeResource().open()
    arrivals, size = put_raw(lake.bucket, FIRST, HOURS, readings, PACK)
    late = FIRST + 48
    RawZone(lake.bucket).put(
        late, Payloads(SEED, lake.contract, late.start + timedelta(minutes=6)).lines(hostile, METER)
    )
    session = start_session(
        "rows", {"spark.master": "local[2]", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "8"}
    )
    scans = Scans(lake.bucket, lake.catalog, Objects(boto3.client("s3")), lake.contract)
    by_spark = replace(lake, athena=SparkEngine(session, scans))
    same = True
    for title, hours in ((f"{readings:,} readings", arrivals), (f"{hostile:,} hostile payloads", [late])):
        console.print(f"{title}: Athena")
        first = _built(lake, lake, hours)
        console.print(f"{title}: Spark")
        second = _built(by_spark, lake, hours)
        same &= first.hashes == second.hashes and first.balanced and second.balanced
        console.print(_printed(title, first, second))
    session.stop()
    console.print(f"the readings are {size / 1e6:.1f} MB of gzip; {'the same rows' if same else 'ROWS DIFFER'}")
    return 0 if same else 1


def _built(engine: Lake, reader: Lake, arrivals: list[Hour]) -> Built:
    """Built anew by an engine; read, for the hashes, always by Athena."""
    judging = _seconds(lambda: engine.judge(arrivals, whole=True))
    balances = engine.quarantine(arrivals)
    event_hours = engine.touched(arrivals)
    curating = _seconds(lambda: engine.curate(event_hours))
    found = tables(reader.contract)

    def of(table: Table, hours: list[Hour]) -> tuple[str, str]:
        return hash_of(reader, table, hours, without=CHECKSUM)

    hashes = {it.name: of(it, arrivals) for it in (found.judged_telemetry, found.ledger, found.quarantined_telemetry)}
    hashes[found.curated_telemetry.name] = of(found.curated_telemetry, event_hours)
    by_event = engine.event_balances(event_hours)
    balanced = all(it.balances for it in balances) and all(it.balances for it in by_event)
    return Built(hashes, sum(it.received for it in balances), judging, curating, balanced)


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _printed(title: str, athena: Built, spark: Built) -> Printed:
    printed = Printed("of " + title, "Athena (DuckDB)", "Spark")
    for name, (rows, value) in athena.hashes.items():
        printed.add_row(name, f"{rows} {value}", "{} {}".format(*spark.hashes[name]))
    for what in ("judging", "curating"):
        printed.add_row(f"{what}, readings/s", *(f"{it.readings / getattr(it, what):,.0f}" for it in (athena, spark)))
    a_core = spark.readings / (spark.judging + spark.curating) / 2
    million = 1e6 / (a_core * PROCESSORS) / 3600 * DPU_HOUR
    printed.add_row("Glue, USD a million readings at this pace", "", f"{million:.5f}")
    return printed


if __name__ == "__main__":
    sys.exit(main())
