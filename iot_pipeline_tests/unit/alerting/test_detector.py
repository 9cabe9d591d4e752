"""The detector: what it finds, what leaves it calm, and that its state is small and goes on where it was stored."""

import math
import random
from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from iot_pipeline.alerting.detector import (
    ALERT_SCORE,
    DEFAULT,
    HOLD_STEPS,
    MOST_BYTES,
    WARM_UP_STEPS,
    Settings,
    State,
    decode,
    encode,
    new_state,
    surprise_of,
    update,
    update_many,
)

STEP = 300_000
DAY_STEPS = 288
START = 1_767_225_600_000


def _noise(count: int, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [chance.gauss(20.0, 1.0) for _ in range(count)]


def _scores(
    values: Sequence[float], state: State | None = None, apart_ms: int = STEP, start: int = START
) -> list[float]:
    state = state or new_state()
    return [update(state, start + i * apart_ms, value) for i, value in enumerate(values)]


def _alerts(scores: Sequence[float]) -> list[int]:
    return [i for i, score in enumerate(scores) if score >= ALERT_SCORE]


@pytest.mark.parametrize("apart_ms", [STEP, 420_000, 1_800_000, 3_600_000])
def test_a_spike_is_alerted_at_its_own_reading(apart_ms: int) -> None:
    values = _noise(1000)
    values[900] = 60.0
    scores = _scores(values, apart_ms=apart_ms)
    assert scores[900] > 0.5
    assert len(_alerts(scores)) <= 3


def test_a_lasting_shift_is_alerted_once() -> None:
    values = _noise(2000)
    values[1500:] = [value + 15.0 for value in values[1500:]]
    alerts = _alerts(_scores(values))
    assert 1500 in alerts
    assert len([i for i in alerts if i >= 1500]) <= 4


def test_a_missing_peak_of_the_day_is_alerted() -> None:
    """No value of that day is unusual by itself."""
    values = [value + 30.0 * (96 <= i % DAY_STEPS < 192) for i, value in enumerate(_noise(10 * DAY_STEPS))]
    missing = 8 * DAY_STEPS
    values[missing : missing + DAY_STEPS] = _noise(DAY_STEPS, 2)
    alerts = _alerts(_scores(values))
    assert any(missing + 96 <= i < missing + 204 for i in alerts)


def test_what_repeats_each_day_is_not_alerted_for_long() -> None:
    values = [value + 30.0 * (96 <= i % DAY_STEPS < 98) for i, value in enumerate(_noise(14 * DAY_STEPS))]
    alerts = _alerts(_scores(values))
    assert [i for i in alerts if i > 5 * DAY_STEPS] == []


@pytest.mark.parametrize("value", [0.0, 45.0, -3.3e9, 1e300])
def test_a_constant_series_is_calm(value: float) -> None:
    assert set(_scores([value] * 2000)) == {0.0}


def test_a_change_within_the_resolution_is_no_news() -> None:
    values = [21.0] * 1000 + [21.1] * 5 + [21.0] * 100
    trusted, coarse = new_state(), new_state()
    settings = Settings(resolution=0.1)
    at = [START + i * STEP for i in range(len(values))]
    assert max(update(trusted, t, v) for t, v in zip(at, values, strict=True)) > ALERT_SCORE
    assert max(update(coarse, t, v, settings) for t, v in zip(at, values, strict=True)) < ALERT_SCORE


def test_a_gap_is_no_anomaly_and_keeps_the_profile() -> None:
    """The series stops at night and returns in the middle of a day, whose level is 30 higher."""
    values = [value + 30.0 * (96 <= i % DAY_STEPS < 192) for i, value in enumerate(_noise(12 * DAY_STEPS))]
    state = new_state()
    before = 6 * DAY_STEPS + 10
    _scores(values[:before], state)
    resumed = 8 * DAY_STEPS + 140
    scores = _scores(values[resumed:], state, start=START + resumed * STEP)
    assert _alerts(scores[:200]) == []


def test_warm_up_is_silent_and_ends_within_a_day() -> None:
    values = _noise(DAY_STEPS)
    values[WARM_UP_STEPS - 10] = 90.0
    values[DAY_STEPS - 20] = 300.0
    scores = _scores(values)
    assert set(scores[:WARM_UP_STEPS]) == {0.0}
    assert scores[DAY_STEPS - 20] > ALERT_SCORE


def test_an_alert_is_said_once_until_it_is_outdone() -> None:
    state = new_state()
    values = [*_noise(1000), 60.0, 60.0, 61.0]
    first, second, third = _scores(values, state)[-3:]
    assert first > ALERT_SCORE
    assert second == 0.0 or second > first
    assert surprise_of(state) > 10 * ALERT_SCORE
    assert third == 0.0 or third > max(first, second)
    assert HOLD_STEPS == 144


def test_readings_of_a_second_are_judged_as_steps() -> None:
    """A lone outlier of 300 readings moves the mean of none; five minutes of a shift do."""
    chance = random.Random(5)
    values = [chance.gauss(20.0, 1.0) for _ in range(300 * 300)]
    values[250 * 300 + 17] = 26.0
    for i in range(280 * 300, 281 * 300):
        values[i] += 4.0
    scores = _scores(values, apart_ms=1000)
    alerts = _alerts(scores)
    assert alerts
    assert alerts[0] == 281 * 300, "the first reading after the step says how unusual it was"


@pytest.mark.parametrize("late", [0, 1, STEP, 10 * STEP])
def test_late_and_repeated_readings_change_nothing(late: int) -> None:
    state = new_state()
    _scores(_noise(500), state)
    before = encode(state)
    assert update(state, START + 499 * STEP - late, 1e6) == 0.0
    assert update_many(state, [START, START + 1], [1e6, 1e6]) == 0.0
    assert encode(state) == before


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_change_nothing(value: float) -> None:
    state = new_state()
    _scores(_noise(500), state)
    before = encode(state)
    assert update(state, START + 500 * STEP, value) == 0.0
    assert update_many(state, [START + 500 * STEP], [value]) == 0.0
    assert update_many(state, [START + 499 * STEP + 1, START + 499 * STEP + 2], [value, 1.0]) == 0.0
    assert decode(encode(state)).count == decode(before).count + 1


def test_enormous_values_do_no_harm() -> None:
    scores = _scores([*_noise(500), 1.7e308, -1.7e308, 5.0, *_noise(300)])
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert scores[500] > ALERT_SCORE


@pytest.mark.parametrize("apart_ms", [1000, 7000, STEP])
def test_a_message_of_readings_scores_as_its_readings_do(apart_ms: int) -> None:
    values = _noise(5000)
    values[4000:4300] = [40.0] * 300
    times = [START + i * apart_ms for i in range(len(values))]
    one, many = new_state(), new_state()
    for i in range(0, len(values), 25):
        expected = max(update(one, at, value) for at, value in zip(times[i : i + 25], values[i : i + 25], strict=True))
        assert update_many(many, times[i : i + 25], values[i : i + 25]) == pytest.approx(expected, abs=1e-6)


_MESSAGES = st.lists(
    st.lists(
        st.tuples(
            st.integers(-STEP, 3 * STEP),
            st.floats(-50, 50) | st.sampled_from([math.nan, math.inf, 1e300, -1e300, 0.1]),
        ),
        max_size=12,
    ),
    max_size=8,
)


@given(_MESSAGES, st.integers(0, 400))
def test_a_message_leaves_the_very_state_that_its_readings_leave(
    messages: list[list[tuple[int, float]]], warm: int
) -> None:
    one, many = new_state(), new_state()
    for state in (one, many):
        _scores(_noise(warm), state)
    at = START + warm * STEP
    for message in messages:
        times = list(accumulate((step for step, _ in message), initial=at))[1:]
        values = [value for _, value in message]
        expected = [update(one, time, value) for time, value in zip(times, values, strict=True)]
        assert update_many(many, times, values) == max(expected, default=0.0)
        assert encode(many) == encode(one)
        at = times[-1] if times else at


def test_a_message_out_of_order_is_taken_reading_by_reading() -> None:
    state = new_state()
    _scores(_noise(300), state)
    at = START + 299 * STEP
    update_many(state, [at + 10, at + 30, at + 20, at + 30], [1.0, 2.0, 1000.0, 1000.0])
    assert (state.count, state.last_ms) == (3, at + 30)
    with pytest.raises(ValueError, match="2 times and 1 values"):
        update_many(state, [1, 2], [1.0])
    assert update_many(state, [], []) == 0.0


READINGS = st.lists(
    st.tuples(
        st.sampled_from([-60_000, 0, 1, 1000, 60_000, STEP, STEP, STEP, 2 * STEP, 3_600_000, 86_400_000]),
        st.one_of(st.floats(10, 30), st.floats(), st.integers(-(2**40), 2**40).map(float)),
    ),
    max_size=60,
)


@given(readings=READINGS, split=st.integers(0, 60), warm=st.sampled_from([0, 400]))
@hypothesis_settings(max_examples=60)
def test_a_stored_state_goes_on_as_if_it_had_not_been_stored(
    readings: list[tuple[int, float]], split: int, warm: int
) -> None:
    state = new_state()
    _scores(_noise(warm), state)
    times = list(accumulate((apart for apart, _ in readings), initial=START + warm * STEP))[1:]
    values = [value for _, value in readings]
    stored = decode(encode(state))
    for i, (at, value) in enumerate(zip(times, values, strict=True)):
        if i >= split:
            stored = decode(encode(stored))
        score = update(state, at, value)
        assert update(stored, at, value) == score
        assert 0.0 <= score <= 1.0
        assert len(encode(stored)) <= MOST_BYTES
    assert encode(stored) == encode(state)


def test_the_state_is_small() -> None:
    assert MOST_BYTES < 1500
    state = new_state()
    _scores(_noise(5000), state)
    assert len(encode(state)) == MOST_BYTES
    assert len(encode(new_state())) < 50


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x07" * MOST_BYTES, b"\x01" * (MOST_BYTES - 1)])
def test_what_is_no_state_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no state of this version"):
        decode(data)


@pytest.mark.parametrize(
    ("step_ms", "resolution"), [(0, 0.0), (-1, 0.0), (7_000_000, 0.0), (STEP, -1.0), (STEP, math.nan)]
)
def test_settings_that_make_no_sense_are_refused(step_ms: int, resolution: float) -> None:
    with pytest.raises(ValueError, match="should"):
        Settings(step_ms, resolution)


def test_the_first_reading_of_all_scores_nothing() -> None:
    assert update(new_state(), 0, 5.0) == 0.0
    assert update(new_state(), 0, 5.0, DEFAULT) == 0.0
