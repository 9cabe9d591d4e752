"""Alerts against a manifest: what is missed, and what has no cause, is said."""

from typing import Any

import pandas as pd
import pytest

from infra.local.demo.alert_figures import Limits, Verdict, verdicts

_LIMITS = Limits(silence_s=5.0, leak_readings=10, leak_s=10.0, stuck_readings=10, stuck_s=10.0)


def _rows(**faults: list[str]) -> pd.DataFrame:
    """Readings of devices, one a second, each a message; a fault's name, `gap` for a pause before it, or nothing."""
    rows: list[dict[str, Any]] = []
    for device, names in faults.items():
        at_ms = 0
        for number, name in enumerate(names):
            at_ms += 9000 if name == "gap" else 1000
            outcome = "out_of_range" if name == "out_of_range" else "valid"
            rows.append(
                {
                    "device_id": device,
                    "message": number,
                    "ts_ms": at_ms,
                    "seq": number,
                    "humidity": None if device == "dry" else 50.0,
                    "faults": name,
                    "outcome": outcome,
                    "sent_at": pd.Timestamp(at_ms, unit="ms", tz="UTC"),
                }
            )
    frame = pd.DataFrame(rows)
    return frame.assign(sent_at=frame["sent_at"].astype("datetime64[ms, UTC]"))


def _episode(rule: str, device: str, opened_ms: int, resolved_ms: int | None = None) -> dict[str, Any]:
    end = {} if resolved_ms is None else {"resolved_ms": resolved_ms}
    return {"rule": rule, "device": device, "opened_ms": opened_ms, **end}


def _found(rows: pd.DataFrame, *episodes: dict[str, Any]) -> dict[str, Verdict]:
    return {each.fault: each for each in verdicts(rows, rows, episodes, _LIMITS)}


def test_what_was_injected_and_found_is_right() -> None:
    rows = _rows(
        a=["", "out_of_range", "", "gap", ""], b=["leak"] * 20, c=["", *["stuck"] * 20, ""], dry=["stuck"] * 20
    )
    found = _found(
        rows,
        _episode("range", "a", 2000, 3000),
        _episode("silence", "a", 3000, 12_000),
        _episode("leak", "b", 1000),
        _episode("stuck", "c", 2000, 22_000),
    )
    assert [(each.injected, each.is_right) for each in found.values()] == [(1, True)] * 4


@pytest.mark.parametrize("moved", ["clock_skew", "duplicate", "conflict"])
def test_what_began_with_a_valid_reading_that_was_moved_is_found_from_its_start(moved: str) -> None:
    for fault in ("leak", "stuck"):
        rows = _rows(a=[f"{fault},{moved}", *[fault] * 20], b=["", f"{fault},{moved}", *[fault] * 20])
        found = _found(rows, _episode(fault, "a", 1000), _episode(fault, "b", 2000))
        assert (found[fault].injected, found[fault].is_right) == (2, True)
        early = _found(rows, _episode(fault, "a", -3000), _episode(fault, "b", 2000))
        assert early[fault].found == 1


def test_what_was_stuck_before_the_live_rows_is_history() -> None:
    rows = _rows(a=[*["stuck"] * 20, *[""] * 20])
    live = rows[rows["ts_ms"] > 25_000]
    (stuck,) = (each for each in verdicts(live, rows, [], _LIMITS) if each.fault == "stuck")
    assert stuck == Verdict("stuck", "stuck", 0, 0, 0)


def test_a_sensor_that_sticks_again_at_once_is_stuck_twice() -> None:
    rows = _rows(a=["stuck"] * 130)
    twice = _episode("stuck", "a", 1000, 101_000), _episode("stuck", "a", 101_000)
    assert _found(rows, *twice)["stuck"] == Verdict("stuck", "stuck", 2, 2, 0)
    assert _found(rows, _episode("stuck", "a", 1000))["stuck"] == Verdict("stuck", "stuck", 2, 0, 0)


@pytest.mark.parametrize(("opened_ms", "found"), [(3000, 0), (7000, 1), (10_000, 1), (13_000, 1), (17_000, 0)])
def test_a_sensor_may_have_had_the_value_that_it_sticks_at_just_before(opened_ms: int, found: int) -> None:
    rows = _rows(a=[*[""] * 12, *["stuck"] * 20])
    rows.loc[:5, "humidity"] = 49.0
    told = _found(rows, _episode("stuck", "a", opened_ms))["stuck"]
    assert (told.injected, told.found) == (1, found)


@pytest.mark.parametrize(("value", "before", "found"), [(50.0, 49.0, 1), (49.0, 49.0, 0), (50.0, 50.0, 1)])
def test_a_reading_out_of_order_may_be_the_first_of_the_value(value: float, before: float, found: int) -> None:
    rows = _rows(a=[*[""] * 5, "out_of_order", *[""] * 6, *["stuck"] * 20])
    rows.loc[:4, "humidity"] = before
    rows.loc[5, "humidity"] = value
    told = _found(rows, _episode("stuck", "a", 3500))["stuck"]
    assert (told.injected, told.found) == (1, found)


def test_what_is_missed_or_has_no_cause_is_not() -> None:
    rows = _rows(a=["", "out_of_range", "", "gap", ""], b=["leak"] * 20, c=[""] * 9, d=["stuck"] * 20)
    wrong = (("range", 2000), ("leak", 1000), ("silence", 1), ("stuck", 1))
    found = _found(rows, *(_episode(rule, "c", opened_ms) for rule, opened_ms in wrong))
    assert [(each.injected, each.found, each.unfounded) for each in found.values()] == [(1, 0, 1)] * 4


def test_a_wrong_start_or_end_is_no_find() -> None:
    rows = _rows(a=["", "", "", "gap", ""], b=["", "", "", "", "", *["leak"] * 20])
    found = _found(rows, _episode("silence", "a", 3000), _episode("leak", "b", 0))
    assert (found["outage"].found, found["leak"].found) == (0, 0)
