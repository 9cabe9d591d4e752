"""What a simulation cost, beside what its builds alone would have."""

import pytest

from infra.local.bench.quarter.quarter_outcome import Builds, Outcome


def test_the_ideal_is_what_the_builds_cost_that_had_something_new_or_closed_an_hour() -> None:
    builds = {"judged": Builds(published=60, needed=30, closing=20), "curated": Builds(40, 10, 20)}
    outcome = Outcome(
        hours=20,
        readings=1,
        differences=[],
        builds=builds,
        runs={},
        told=[],
        other_alerts=[],
        under_way=[],
        statements=500,
        dollars=3.0,
        dollars_of_builds=1.0,
    )
    assert outcome.ideal_dollars == pytest.approx(0.8)
    assert outcome.is_wrong, "40 builds where 30 were meant"
    assert Builds(published=33, needed=10, closing=20).ratio == pytest.approx(1.1)
