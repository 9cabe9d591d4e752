"""`python -m infra.local stream`: devices publish, the streaming query shows it, the batch replaces it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import dagster as dg
from rich.console import Console

from infra.local.demo import lake_steps
from infra.local.demo.lake_steps import Scale
from infra.local.demo.steps import Steps
from infra.local.micro_batches.stream_files import StreamFiles
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError
from infra.local.servers.patience import wait_while_it_moves
from infra.local.session.platform import Platform
from iot_pipeline.connections.streaming import open_reconciliation
from iot_pipeline.lake.athena import Athena
from iot_pipeline.settings import edge
from iot_pipeline.streaming.statements import NOW_VIEW
from simulator.manifest import expected_ledger

RECORDS_OF_A_FILE, FILES_OF_A_BATCH = 500, 2


def run_stream(platform: Platform, readings: int, console: Console) -> bool:
    """Publish, stream, build, reconcile. True if the view has each valid reading once, before the batch and after.

    Needs Spark (`infra.local.servers.local_spark`). Raises LocalError.
    """
    steps, scale = Steps(console), Scale(devices=20, tenants=2, sites=2, backlog_readings=readings, backlog_pack=5)
    lake_steps.onboard(steps, platform, scale)
    lake_steps.publish_backlog(steps, platform, scale)
    expected = expected_ledger(platform.state_dir / "fleet" / "out")
    with steps.step("Spark: micro-batches of what the stream carried"):
        _stream(platform.state_dir, expected.messages)
    reconciliation = open_reconciliation()
    reconciliation.make_views()
    athena = reconciliation.lake.athena
    right = _shown(athena, console, expected.curated)
    lake_steps.wait_until_landed(steps, platform, "waiting for Firehose to land it in S3")
    with dg.DagsterInstance.get() as instance:
        lake_steps.build_lake(steps, instance)
    with steps.step("comparing stream and batch, hour by hour, and replacing the one by the other"):
        # Of a backlog the last hour is open: an hour and a half later it would have closed.
        done = reconciliation.run(datetime.now(UTC) + timedelta(hours=1, minutes=31))
    for hour in done.hours:
        console.print(f"   {hour}")
    console.print(f"   {len(done.removed)} micro-batches replaced, {len(done.waiting)} wait")
    return _shown(athena, console, expected.curated) and right and all(hour.agrees for hour in done.hours)


def _stream(folder: Path, messages: int) -> None:
    files = StreamFiles(boto3.client("kinesis"), edge().stream, folder / "files", RECORDS_OF_A_FILE)
    taken = 0

    def take() -> int:
        nonlocal taken
        taken += files.take()
        return taken

    wait_while_it_moves("the stream to carry every message", take, lambda count: count >= messages)
    options = [f"--source={folder / 'files'}", f"--checkpoint={folder / 'checkpoint'}", f"--files={FILES_OF_A_BATCH}"]
    command = [sys.executable, "-m", "infra.local.micro_batches.file_query", *options]
    with (folder / "spark.log").open("ab") as log:
        code = subprocess.run(command, cwd=CHECKOUT, stderr=log, check=False).returncode
    if code:
        raise LocalError(f"the streaming query ended with exit code {code}; see {folder / 'spark.log'}")


def _shown(athena: Athena, console: Console, expected: int) -> bool:
    rows = athena.run(f"SELECT layer, count(*) FROM {NOW_VIEW} GROUP BY layer ORDER BY layer").rows
    total = sum(int(row[1]) for row in rows)
    layers = ", ".join(f"{int(row[1]):,} of the {row[0]}" for row in rows)
    console.print(f"   {NOW_VIEW}: {layers}; the devices sent {expected:,} valid readings")
    return total == expected
