"""A real Spark query over the stream's records, killed again and again: nothing is lost, nothing is there twice."""

import gzip
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pandas as pd
import pytest

from infra.local.micro_batches.stream_files import StreamFiles
from infra.local.session import fleet_commands
from infra.local.session.fleet_commands import FAULTS
from infra.local.session.platform import Platform
from iot_pipeline.connections.streaming import open_reconciliation
from iot_pipeline.contract.layout import RAW
from iot_pipeline.lake.hours import Hour, hours_between
from iot_pipeline.settings import edge
from iot_pipeline_tests.support.emulator import eventually
from iot_pipeline_tests.support.messages import build
from iot_pipeline_tests.support.micro_batches import (
    QueryProcess,
    expected_rows,
    moments,
    needs_spark,
    rows_of_view,
)
from simulator.manifest import expected_ledger

pytestmark = [pytest.mark.integration, needs_spark]

KILLS = 5


def _messages_landed(bucket: str, hours: list[Hour]) -> int:
    """Lines in the raw zone."""
    s3, found = boto3.client("s3"), 0
    for hour in hours:
        for item in s3.list_objects_v2(Bucket=bucket, Prefix=RAW + hour.path).get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            found += gzip.decompress(body).count(b"\n")
    return found


def _published_by_the_fleet(platform: Platform, folder: Path) -> Path:
    """A fleet with every fault on has published through MQTT; the simulator's output."""
    fleet_commands.onboard(folder, devices=20, tenants=2, sites=2)
    options = ["--history", "3h", "--readings", "20000", "--pack", "5"]
    fleet_commands.publish(platform, folder, *options, *FAULTS)
    return folder / "out"


def test_killed_five_times_the_stream_has_what_the_devices_sent_and_the_batch_replaces_it(
    empty_platform: Platform, tmp_path: Path
) -> None:
    out = _published_by_the_fleet(empty_platform, tmp_path / "fleet")
    expected, messages = expected_rows(out), expected_ledger(out).messages
    files = StreamFiles(boto3.client("kinesis"), edge().stream, tmp_path / "files", limit=150)
    taken = 0

    def all_taken() -> bool:
        nonlocal taken
        taken += files.take()
        return taken >= messages

    eventually(all_taken, timeout=120)

    query = QueryProcess(tmp_path, 1, {**os.environ, **empty_platform.environment})
    for batch, seconds in moments(random.Random(15), KILLS, batches=4, seconds=2.0):
        assert not query.run(seconds, batch), "the query was over before it could be killed"
    assert query.run(), (tmp_path / "spark.log").read_text()[-4000:]

    reconciliation = open_reconciliation()
    reconciliation.make_views()
    athena = reconciliation.lake.athena
    held = reconciliation.batches.all()
    assert sum(batch.notes.records for batch in held) == taken
    assert len({batch.name for batch in held}) == len(held) > KILLS
    pd.testing.assert_frame_equal(rows_of_view(athena, "recent_telemetry"), expected)
    pd.testing.assert_frame_equal(rows_of_view(athena, "telemetry_now"), expected)

    now = datetime.now(UTC)
    landed = hours_between(Hour.of(now - timedelta(hours=1)), Hour.of(now))
    eventually(lambda: _messages_landed(reconciliation.lake.bucket, landed) >= taken, timeout=180)
    build(reconciliation.lake, landed)
    pd.testing.assert_frame_equal(rows_of_view(athena, "telemetry_now"), expected)

    done = reconciliation.run(now + timedelta(hours=2))
    assert all(hour.agrees for hour in done.hours), [str(hour) for hour in done.hours]
    assert sum(hour.equal + hour.other_receptions for hour in done.hours) == len(expected)
    assert not done.waiting
    assert set(done.removed) == {batch.name for batch in held}
    assert reconciliation.batches.all() == []
    pd.testing.assert_frame_equal(rows_of_view(athena, "telemetry_now"), expected)
    assert {row[0] for row in athena.run("SELECT DISTINCT layer FROM telemetry_now").rows} == {"batch"}
