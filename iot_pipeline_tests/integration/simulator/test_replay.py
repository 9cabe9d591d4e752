"""Real, dirty data (NAB's machine temperature) through the real broker, and straight through the build."""

import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.local.servers.checkout import CHECKOUT
from infra.local.session import fleet_commands
from infra.local.session.platform import Platform
from iot_pipeline.contract import Contract
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.messages import build, curated
from simulator.fleet import load_fleet
from simulator.manifest import ExpectedLedger, expected_ledger, read_manifest

NAB = CHECKOUT.parent / "shared" / "data" / "machine_temperature.csv"
ROWS = 22_695

pytestmark = pytest.mark.skipif(
    not NAB.exists(), reason=f"{NAB} is not there: the real data set lies beside the checkout, in ../shared/data"
)


@pytest.fixture(scope="module")
def folder(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet of two devices, one for each test."""
    found = tmp_path_factory.mktemp("nab")
    fleet_commands.onboard(found, 2, 1, 1)
    return found


def replay(platform: Platform, folder: Path, device: str, out: Path, *options: str) -> ExpectedLedger:
    """Send the file through the broker as one device; what the lake must hold."""
    emulator = platform.emulator
    command = [sys.executable, "-m", "simulator", "replay", str(NAB), str(folder), "--device", device]
    command += ["--endpoint", f"localhost:{emulator.mqtt_port}", "--ca", str(emulator.ca_pem), "--out", str(out)]
    command += ["--map", "temperature=value", "--unit", "temperature=F", "--time-zone", "UTC", *options]
    subprocess.run(command, cwd=CHECKOUT, check=True, timeout=120)
    return expected_ledger(out)


def landed(lake: Lake, since: datetime, device: str, messages: int) -> list[Hour]:
    """The arrival hours, once all messages of the device are in raw."""
    arrivals = [Hour.of(since), Hour.of(since) + 1]
    sql = f"SELECT count(*) FROM raw_telemetry WHERE iot_device = '{device}' AND {partition_predicate(arrivals)}"
    while int(lake.athena.run(sql).rows[0][0]) < messages:
        time.sleep(0.3)
    return arrivals


def count(lake: Lake, table: str, device: str, what: str = "count(*)") -> int:
    """An aggregate over a table's rows of one device."""
    return int(lake.athena.run(f"SELECT {what} FROM {table} WHERE device_id = '{device}'").rows[0][0])


def test_every_row_moved_to_now_is_accounted_for(platform: Platform, lake: Lake, folder: Path, tmp_path: Path) -> None:
    """The last 30 days are curated; the rest is too late, by name."""
    since, device = datetime.now(UTC), load_fleet(folder).devices[0].device_id
    expected = replay(platform, folder, device, tmp_path, "--rebase")
    assert expected.readings == ROWS
    assert expected.resent_messages == 0
    arrivals = landed(lake, since, device, expected.messages)
    event_hours = build(lake, arrivals)
    assert all(balance.balances for balance in lake.arrival_balances(arrivals))
    assert all(balance.balances for balance in lake.event_balances(event_hours))
    assert set(expected.quarantined) == {"too_late"}
    assert count(lake, "quarantined_telemetry", device) == expected.quarantined["too_late"]
    assert count(lake, "curated_telemetry", device) == expected.curated
    assert expected.curated + expected.quarantined["too_late"] == ROWS


def test_years_old_rows_go_in_when_the_bound_is_raised(
    platform: Platform, lake: Lake, folder: Path, tmp_path: Path
) -> None:
    """Keyed by time, 12 rows of the file contradict another: conflicts, of which the last received wins."""
    since, device = datetime.now(UTC), load_fleet(folder).devices[1].device_id
    options = ("--seq-from-time", "--lateness-bound", "5000d")
    expected = replay(platform, folder, device, tmp_path, *options)
    assert (expected.readings, expected.valid, expected.curated, expected.conflicts) == (ROWS, ROWS, ROWS - 12, 12)
    arrivals = landed(lake, since, device, expected.messages)
    patient = replace(lake, contract=Contract(lateness_bound=timedelta(days=5000)))
    patient.judge(arrivals)
    patient.quarantine(arrivals)
    assert count(lake, "quarantined_telemetry", device) == 0

    rows = read_manifest(tmp_path)
    repeated = rows[rows.duplicated(["ts_ms", "seq"], keep=False)]
    event_hours = {Hour.of(datetime.fromtimestamp(ms / 1000, UTC)) for ms in repeated["ts_ms"]}
    patient.curate(event_hours)
    held = [row for row in curated(patient, event_hours) if row["device_id"] == device]
    assert (sum(row["conflicts"] for row in held), sum(row["duplicates"] for row in held)) == (12, 0)
    last = repeated.drop_duplicates(["ts_ms"], keep="last").sort_values("ts_ms")
    assert [row["temperature"] for row in held if row["conflicts"]] == pytest.approx(last["temperature"].tolist())
    assert patient.stale(event_hours) == []
