"""The join of curated and live values: nothing twice, nothing lost, no spike smoothed away."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.console.devices.series import Bucket, Curated, Window, joined, statement
from iot_pipeline.console.live.fleet import Fleet, LiveReading
from iot_pipeline_tests.support.messages import judged, message, reading

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WINDOW = Window.until(NOON, 1, 60)


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def live(*values: tuple[datetime, int, float]) -> list[LiveReading]:
    """What the live page holds of real messages."""
    fleet = Fleet()
    for at, seq, value in values:
        fleet.take(judged(message(reading(at, seq, temperature=value)), "meter-1", ms(at) + 500), 1)
    return fleet.devices["meter-1"].readings() if values else []


def curated_without(rows: Sequence[tuple[datetime, int, float]], named: Sequence[LiveReading]) -> Curated:
    """What Athena would give of these rows."""
    names = {(each.at_ms, each.seq) for each in named}
    found = Curated({"temperature": {}}, max((at for at, _, _ in rows), default=None))
    for at, seq, value in rows:
        if (ms(at), seq) in names:
            found.named += 1
        elif (number := WINDOW.bucket(ms(at))) is not None:
            held = found.buckets["temperature"].setdefault(number, Bucket(value, value, 0.0, 0))
            held.add(value)
            held.live = 0
    return found


@given(st.timedeltas(timedelta(), timedelta(days=365)), st.integers(1, 48), st.integers(10, 1440))
def test_a_window_holds_now_and_all_the_hours(later: timedelta, hours: int, points: int) -> None:
    now = NOON + later
    window = Window.until(now, hours, points)
    assert window.end - window.width <= now < window.end
    assert window.start <= now - timedelta(hours=hours) + window.width
    assert window.start.timestamp() % window.width.total_seconds() == 0
    assert window.count <= points + 1
    assert window.bucket(window.start_ms) == 0
    assert window.bucket(window.start_ms - 1) is None
    assert window.bucket(ms(window.end) - 1) == window.count - 1
    assert window.bucket(ms(window.end)) is None


@given(st.lists(st.tuples(st.integers(0, 3500), st.integers(1, 3)), unique=True, max_size=40), st.data())
def test_each_reading_is_there_once_wherever_it_is_kept(ids: list[tuple[int, int]], data: st.DataObject) -> None:
    rows = [(NOON - timedelta(seconds=back), seq, float(seq * 10)) for back, seq in ids]
    in_curated = [row for row in rows if data.draw(st.booleans())]
    in_live = [row for row in rows if row not in in_curated or data.draw(st.booleans())]
    kept = live(*in_live)
    found = joined("meter-1", ["temperature"], WINDOW, curated_without(in_curated, kept), kept)
    points = found.series[0].points
    assert sum(point.readings for point in points) == len(rows)
    assert sum(point.live for point in points) == len(in_live)
    assert found.in_both == len(set(in_curated) & set(in_live))
    assert sum(point.mean * point.readings for point in points) == pytest.approx(sum(value for _, _, value in rows))


def test_a_spike_stays_visible_in_its_bucket() -> None:
    rows = [(NOON - timedelta(minutes=5) + timedelta(seconds=n), n, 20.0) for n in range(30)]
    kept = live((NOON - timedelta(minutes=5) + timedelta(seconds=40), 99, 80.0))
    found = joined("meter-1", ["temperature"], WINDOW, curated_without(rows, kept), kept)
    (point,) = found.series[0].points
    assert (point.min, point.max, point.readings, point.live) == (20.0, 80.0, 31, 1)
    assert point.mean == pytest.approx((30 * 20.0 + 80.0) / 31)


def test_the_answer_says_where_the_seam_is() -> None:
    rows = [(NOON - timedelta(minutes=n), n, 20.0) for n in (30, 20)]
    kept = live((NOON - timedelta(minutes=20), 20, 20.0), (NOON - timedelta(minutes=1), 1, 21.0))
    found = joined("meter-1", ["temperature"], WINDOW, curated_without(rows, kept), kept)
    assert found.curated_until == NOON - timedelta(minutes=20)
    assert (found.live_from, found.live_until) == (NOON - timedelta(minutes=20), NOON - timedelta(minutes=1))
    assert (found.in_both, found.live_newer, found.unknown_between) == (1, 1, None)


def test_a_time_of_which_neither_side_has_all_is_named() -> None:
    rows = [(NOON - timedelta(minutes=30), 1, 20.0)]
    kept = live((NOON - timedelta(minutes=1), 2, 21.0))
    found = joined("meter-1", ["temperature"], WINDOW, curated_without(rows, kept), kept)
    assert found.unknown_between == (NOON - timedelta(minutes=30), NOON - timedelta(minutes=1))


def test_a_clock_that_is_ahead_is_counted_and_not_drawn() -> None:
    kept = live((NOON + timedelta(minutes=10), 1, 20.0))
    found = joined("meter-1", ["temperature"], WINDOW, curated_without([], kept), kept)
    assert (found.ahead, found.series[0].points) == (1, [])


def test_names_that_are_no_names_stay_texts_in_sql() -> None:
    sql = statement("x' OR 'a' = 'a", ["temperature"], WINDOW, [], "y' OR 'a' = 'a")
    assert "device_id = 'x'' OR ''a'' = ''a'" in sql
    assert "tenant = 'y'' OR ''a'' = ''a'" in sql
