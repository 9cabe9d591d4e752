"""What was to come of an hour, and what did."""

from datetime import UTC, datetime, timedelta

from iot_pipeline.lake.expected_readings import MEMORY, ActiveDevice, Flow, Group, Heard, grouped
from iot_pipeline.lake.hours import Hour

HOUR = Hour(datetime(2026, 11, 28, 3, tzinfo=UTC))
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def _device(name: str, site: str = "north", model: str = "meter", since: datetime = LONG_AGO) -> ActiveDevice:
    return ActiveDevice(name, "acme", site, model, 60.0, since)


def _flows(groups: list[Group], hour: Hour = HOUR) -> dict[str, Flow]:
    return {f"{group.kind} {group.name}": group.flow(hour) for group in groups}


def test_a_model_is_behind_in_sites_that_are_not() -> None:
    devices = [_device("a"), _device("b"), _device("c", model="pump"), _device("d", "south"), _device("e", "east")]
    groups, strangers, heard = grouped(devices, [("a", 60), ("b", 55), ("c", 10), ("d", 29), ("x", 7)], HOUR, Heard())
    assert _flows(groups) == {
        "site acme/north": Flow.AS_EXPECTED,
        "site acme/south": Flow.BEHIND,
        "site acme/east": Flow.NEVER_HEARD_OF,
        "model meter": Flow.AS_EXPECTED,
        "model pump": Flow.BEHIND,
    }
    assert strangers == 7
    meters = next(group for group in groups if group.name == "meter")
    assert (meters.devices, meters.sending, meters.expected, meters.received) == (4, 3, 240.0, 144)
    assert "site acme/east" not in heard.hours


def test_a_site_that_is_known_to_be_silent_makes_no_model_fall_behind() -> None:
    devices = [_device("a"), _device("b", "south"), _device("c", "south"), _device("d", "south", model="pump")]
    _, _, heard = grouped(devices, [(name, 60) for name in "abcd"], HOUR, Heard())
    groups, _, still = grouped(devices, [("a", 60), ("b", 10)], HOUR + 1, heard, silent=["acme/south"])
    assert _flows(groups, HOUR + 1) == {
        "site acme/north": Flow.AS_EXPECTED,
        "site acme/south": Flow.SITE_IS_SILENT,
        "model meter": Flow.AS_EXPECTED,
        "model pump": Flow.AS_EXPECTED,
    }
    assert set(still.hours) == set(heard.hours), "what was heard of them before is not forgotten"
    again = grouped(devices, [("a", 60)], HOUR + 2, still)[0]
    assert _flows(again, HOUR + 2)["model pump"] is Flow.SILENT


def test_what_was_heard_of_is_missed_for_a_week() -> None:
    _, _, heard = grouped([_device("a")], [("a", 60)], HOUR, Heard())
    silent, _, still = grouped([_device("a")], [], HOUR + 1, Heard.decode(heard.encode()))
    assert set(_flows(silent, HOUR + 1).values()) == {Flow.SILENT}
    assert still == heard, "nothing but readings of a later hour makes it fresh"
    assert silent[0].last_heard == HOUR
    late = Hour(HOUR.start + MEMORY) + 1
    assert set(_flows(grouped([_device("a")], [], late, heard)[0], late).values()) == {Flow.NO_LONGER_MISSED}
    assert grouped([], [], HOUR + 1, heard)[2] == Heard(), "a site that has no devices any more is forgotten"


def test_a_device_is_expected_from_its_first_moment_on() -> None:
    assert _device("a", since=HOUR.start + timedelta(minutes=45)).expected(HOUR) == 15.0
    assert _device("a", since=HOUR.start + timedelta(hours=2)).expected(HOUR) == 0.0
    groups, _, _ = grouped([_device("a", since=HOUR.start + timedelta(hours=2))], [], HOUR, Heard())
    assert set(_flows(groups).values()) == {Flow.AS_EXPECTED}
