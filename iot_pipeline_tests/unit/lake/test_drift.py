"""Drift as a fold from look to look."""

from datetime import UTC, datetime, timedelta

from iot_pipeline.contract import CONTRACT
from iot_pipeline.lake.drift import ENOUGH_READINGS, Kind, Known, drift_of

NOW = datetime(2026, 11, 28, 2, 45, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = [metric.name for metric in CONTRACT.metrics]


def _valid(firmware: str | None, *sent: str, readings: int = 1000) -> tuple[object, ...]:
    return (firmware, "valid", readings, 3, *(readings if name in sent else 0 for name in NAMES))


def test_a_new_field_is_told_by_firmware_since_it_was_first_seen() -> None:
    first = (NOW - 5 * timedelta(hours=1)).replace(tzinfo=None)
    found, known = drift_of(CONTRACT, [("2.0", "moisture", 12, 4, first)], [], Known(), NOW)
    (new,) = found
    assert (new.kind, new.firmware, new.field, new.readings, new.devices) == (Kind.NEW, "2.0", "moisture", 12, 4)
    assert new.first_seen == first.replace(tzinfo=UTC)
    later = [("2.0", "moisture", 500, 9, NOW.replace(tzinfo=None))]
    (same,), _ = drift_of(CONTRACT, later, [], Known.decode(known.encode()), NOW + DAY)
    assert (same.first_seen, same.readings) == (new.first_seen, 500), "it is as old as it was"
    assert drift_of(CONTRACT, [], [], known, NOW + DAY)[0] == []


def test_a_metric_that_a_firmware_used_to_send_is_missed_if_enough_was_sent() -> None:
    found, known = drift_of(CONTRACT, [], [_valid("1.0", "temperature", "humidity")], Known(), NOW)
    assert found == []
    few = _valid("1.0", "temperature", readings=ENOUGH_READINGS - 1)
    assert drift_of(CONTRACT, [], [few], known, NOW + DAY)[0] == []
    (vanished,), known = drift_of(CONTRACT, [], [_valid("1.0", "temperature")], known, NOW + DAY)
    assert (vanished.kind, vanished.field, vanished.firmware) == (Kind.VANISHED, "humidity", "1.0")
    (still,), known = drift_of(CONTRACT, [], [_valid("1.0", "temperature")], known, NOW + 2 * DAY)
    assert still.first_seen == NOW + DAY
    assert drift_of(CONTRACT, [], [_valid("1.0", "temperature", "humidity")], known, NOW + 3 * DAY)[0] == []


def test_types_and_units_are_told_and_a_firmware_may_be_unsaid() -> None:
    nothing = (0,) * len(NAMES)
    rows = [(None, "invalid_value", 7, 1, *nothing), ("1.0", "unknown_unit", 9, 2, *nothing)]
    found, _ = drift_of(CONTRACT, [], rows, Known(), NOW)
    assert [(d.kind, d.firmware, d.readings) for d in found] == [
        (Kind.UNIT, "1.0", 9),
        (Kind.TYPE, "not said", 7),
    ]
