"""kill -9 in the middle: the next run ends in the same tables as an undisturbed one."""

import contextlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL

import boto3
import dagster as dg
import pytest

from infra.local.servers.loopback import free_port
from infra.local.session.dagster_runs import record_arrivals
from infra.local.session.platform import Platform
from iot_pipeline.contract import tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.emulator import eventually
from iot_pipeline_tests.support.hours import fill
from iot_pipeline_tests.support.messages import RawZone, build, content, curated_content

Z = tables()
CHECKOUT = Path(__file__).resolve().parents[3]
BUILD = """\
import sys
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.lake.hours import Hour
arrivals = [Hour.from_values(text.split("-")) for text in sys.argv[1:]]
lake = open_lake(lambda text: print(text, flush=True))
lake.judge(arrivals)
lake.quarantine(arrivals)
lake.curate(lake.touched(arrivals))
"""


def test_a_build_killed_anywhere_ends_as_an_undisturbed_one(
    lake: Lake, raw: RawZone, arrival: Hour, environment: dict[str, str]
) -> None:
    fill(raw, arrival)
    event_hours = build(lake, [arrival])
    fill(raw, arrival, messages=7)  # the builds below have something to change

    def start() -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", BUILD, "-".join(arrival.values)]
        return subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True)

    chance = random.Random(1)
    for steps in (1, 2, 4, 5, 6, 8):
        process = start()
        assert process.stdout
        for _ in range(steps):  # so many lines of progress, then a moment more
            process.stdout.readline()
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        assert process.wait() in {-signal.SIGKILL, 0}
        assert all(balance.built.rows for balance in lake.event_balances(event_hours)), (
            "some version is served throughout"
        )
    process = start()
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    after_kills = [content(lake, table, [arrival]) for table in (Z.ledger, Z.quarantined_telemetry)]
    curated_after_kills = curated_content(lake, event_hours)
    assert lake.stale(event_hours) == []
    assert all(balance.balances for balance in lake.event_balances(event_hours))

    build(lake, [arrival])
    assert [content(lake, table, [arrival]) for table in (Z.ledger, Z.quarantined_telemetry)] == after_kills
    assert curated_content(lake, event_hours) == curated_after_kills


DAGSTER_BUILD = """\
import dagster as dg
from infra.local.session.dagster_runs import judge_arrivals, curate_stale_hours, record_arrivals
from infra.local.session.dead_runs import fail_orphaned_runs
print("started", flush=True)
with dg.DagsterInstance.get() as instance:
    fail_orphaned_runs(instance)
    judge_arrivals(instance, record_arrivals(instance))
    curate_stale_hours(instance)
"""


def hidden(platform: Platform) -> int:
    """How many notifications somebody has received and not deleted: a killed process's come again after a minute."""
    asked = boto3.client("sqs").get_queue_attributes(
        QueueUrl=platform.environment["IOT_RAW_QUEUE_URL"], AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    return int(asked["Attributes"]["ApproximateNumberOfMessagesNotVisible"])


def test_dagster_killed_anywhere_ends_as_an_undisturbed_run(
    lake: Lake,
    raw: RawZone,
    dagster_hour: Hour,
    environment: dict[str, str],
    tmp_path: Path,
    platform: Platform,
) -> None:
    record_arrivals(dg.DagsterInstance.ephemeral())  # what other tests left
    hidden_before = hidden(platform)
    fill(raw, dagster_hour)
    there = {**environment, "DAGSTER_HOME": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    shutil.copy(CHECKOUT / "dagster.yaml", tmp_path)
    command = [sys.executable, "-c", DAGSTER_BUILD]
    for seconds in (0.5, 2.0, 4.0):
        with subprocess.Popen(command, cwd=CHECKOUT, env=there, stdout=subprocess.PIPE, stderr=DEVNULL) as process:
            assert process.stdout
            assert process.stdout.readline() == b"started\n"
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
        assert eventually(lambda: hidden(platform) <= hidden_before, timeout=90)
    subprocess.run(command, cwd=CHECKOUT, env=there, stdout=DEVNULL, stderr=DEVNULL, check=True, timeout=120)
    event_hours = lake.touched([dagster_hour])
    assert len(event_hours) == 3
    assert lake.stale(event_hours) == []
    assert all(balance.built.rows and balance.balances for balance in lake.event_balances(event_hours))
    after_kills = curated_content(lake, event_hours)
    build(lake, [dagster_hour])
    assert curated_content(lake, event_hours) == after_kills


class OtherAthena:
    """A second Athena over the same objects and tables, which may be killed."""

    def __init__(self, platform: Platform, state: Path) -> None:
        self.platform, self.state = platform, state
        self.port = free_port()
        self.process = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        ready = self.state / "ready.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "infra.local.athena", "--port", str(self.port), "--ready-file", str(ready)]
        command += ["--state-dir", str(self.state), "--s3-data-dir", str(self.platform.state_dir / "aws" / "s3")]
        command += ["--endpoint-url", self.platform.emulator.endpoint_url]
        process = subprocess.Popen(command, cwd=CHECKOUT)
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.05)
        return process

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def other_athena(platform: Platform, tmp_path: Path) -> Iterator[OtherAthena]:
    other = OtherAthena(platform, tmp_path)
    yield other
    other.kill()


def test_an_engine_killed_in_the_middle_of_a_query(
    lake: Lake, raw: RawZone, arrival: Hour, environment: dict[str, str], other_athena: OtherAthena
) -> None:
    fill(raw, arrival)
    event_hours = build(lake, [arrival])
    before = curated_content(lake, event_hours)
    command = [sys.executable, "-c", BUILD, "-".join(arrival.values)]
    there = {**environment, "AWS_ENDPOINT_URL_ATHENA": f"http://127.0.0.1:{other_athena.port}", "AWS_MAX_ATTEMPTS": "2"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process: subprocess.Popen[str] = subprocess.Popen(command, cwd=CHECKOUT, env=there, **pipes)  # type: ignore[call-overload]  # options in a dict
    assert process.stdout
    while not process.stdout.readline().startswith("building curated_telemetry"):
        assert process.poll() is None
    assert process.stdout.readline().startswith("Athena query")
    other_athena.kill()
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Error" in output
    assert curated_content(lake, event_hours) == before, "the last version is served"

    other_athena.process = other_athena.start()
    again = subprocess.run(command, cwd=CHECKOUT, env=there, capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 0, again.stderr
    assert curated_content(lake, event_hours) == before
    assert all(balance.balances for balance in lake.event_balances(event_hours))
