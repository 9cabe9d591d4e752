"""A simulated quarter that is stopped goes on where it was: the same readings, the same clock, the same contract."""

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import create_autospec

import pytest

from infra.local.bench.quarter.daemon_steps import DaemonSteps
from infra.local.bench.quarter.pausing import Paused, put_aside, stop_asked, take_up
from infra.local.bench.quarter.simulated_time import SimulatedTime
from infra.local.bench.quarter.simulation import Simulation
from infra.local.bench.quarter.small_fleet import HOT_TEMPERATURE, SmallFleet
from infra.local.bench.quarter.timetable import HOUR, Trouble, timetable
from iot_pipeline.settings import Policy
from simulator.fleet import Device, Kind

START = datetime(2026, 8, 3, tzinfo=UTC)
TABLE = timetable(START, 1)
DEVICES = [Device(f"acme-berlin-000{n}", "acme", "berlin", Kind.CLIMATE, "1.0", 52.5, 13.4, 34.0) for n in range(4)]


def _simulation() -> Simulation:
    return Simulation(SimulatedTime(START), TABLE, SmallFleet(DEVICES, TABLE, 7))


def _live(simulation: Simulation, hours: int) -> list[bytes]:
    """The lines that so many hours deliver."""
    found = []
    with simulation.clock.running(), simulation.alive(create_autospec(DaemonSteps)):
        for hour in simulation.left[:hours]:
            simulation.clock.move_to(hour)
            messages = simulation.fleet.deliver(hour)
            found += [line for lines in simulation.fleet.lines(messages).values() for line in lines]
            simulation.hours += 1
    return found


def _stopped_and_taken_up(simulation: Simulation, tmp_path: Path) -> Simulation:
    ran, folder, kept = tmp_path / "ran", tmp_path / "quarter", tmp_path / "kept"
    (ran / "state").mkdir(parents=True)
    (ran / "lock").touch()
    put_aside(ran, Paused(simulation, 60.0), kept)
    assert not ran.exists()
    folder.mkdir()
    (folder / "lock").touch()
    paused = take_up(folder, 1, 7, kept)
    assert paused
    assert paused.seconds == 60.0
    assert (folder / "state").is_dir()
    assert not kept.exists()
    return paused.simulation


def test_the_same_readings_come_as_without_a_stop(tmp_path: Path) -> None:
    whole = _live(_simulation(), 24)
    first = _simulation()
    lines = _live(first, 13)
    second = _stopped_and_taken_up(first, tmp_path)
    assert second.left == TABLE.hours[13:]
    assert lines + _live(second, 11) == whole


def test_the_clock_goes_on_from_where_it_was(tmp_path: Path) -> None:
    simulation, began = _simulation(), time.monotonic()
    _live(simulation, 3)
    ran = time.monotonic() - began
    time.sleep(0.2)
    began = time.monotonic()
    clock = _stopped_and_taken_up(simulation, tmp_path).clock
    written = datetime.now(UTC)
    with clock.running():
        now = datetime.now(UTC)
    ran += time.monotonic() - began
    assert START + 3 * HOUR <= clock.of_real(written) <= now <= START + 3 * HOUR + timedelta(seconds=ran)


def test_after_a_change_the_contract_is_the_new_one(tmp_path: Path) -> None:
    simulation = _simulation()
    changes = next(each.first for each in TABLE.periods if each.trouble is Trouble.CONTRACT_CHANGE)
    for hours, takes_hot in ((TABLE.hours.index(changes), False), (1, True)):
        _live(simulation, hours)
        simulation = _stopped_and_taken_up(simulation, tmp_path)
        with simulation.alive(create_autospec(DaemonSteps)):
            (temperature,) = (each for each in Policy().contract.metrics if each.name == "temperature")
            assert temperature.maximum is not None
            assert (temperature.maximum >= HOT_TEMPERATURE) == takes_hot
        for name in ("quarter", "kept"):
            assert not (tmp_path / name / "simulation.pickle").exists()
        (tmp_path / "quarter" / "lock").unlink()
        (tmp_path / "quarter" / "state").rmdir()
        (tmp_path / "quarter").rmdir()


def test_another_quarter_than_the_kept_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ran").mkdir()
    put_aside(tmp_path / "ran", Paused(_simulation(), 60.0), tmp_path / "kept")
    with pytest.raises(SystemExit, match="0 hours of 1 days with seed 7, and 2 days with seed 7 are asked for"):
        take_up(tmp_path, 2, 7, tmp_path / "kept")
    assert take_up(tmp_path, 1, 7, tmp_path / "nothing") is None


def test_a_signal_asks_to_stop() -> None:
    with stop_asked() as asked:
        assert not asked.is_set()
        os.kill(os.getpid(), signal.SIGUSR1)
        assert asked.wait(10)
