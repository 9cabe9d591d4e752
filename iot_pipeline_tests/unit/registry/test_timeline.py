"""What a change does to a history, against a naive model: for each attribute, the moments at which it was set."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.registry.timeline import Recorded, Value, Version, changed, overwritten, version_at

START = datetime(2026, 1, 1, tzinfo=UTC)
ATTRIBUTES = ("site", "firmware", "status")
moments = st.integers(0, 12).map(lambda n: START + timedelta(hours=n))
changes = st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from(["1", "2", "3", None]), max_size=3)
edits = st.lists(st.tuples(moments, changes), max_size=15)


class NaiveModel:
    """For each attribute, value by moment of setting; setting it to what it is already says nothing."""

    def __init__(self) -> None:
        self.set_at: dict[str, dict[datetime, Value]] = {name: {START: "1"} for name in ATTRIBUTES}

    def change(self, at: datetime, values: dict[str, Value]) -> None:
        for name, value in values.items():
            told = dict(sorted({**self.set_at[name], at: value}.items()))
            self.set_at[name] = {START: told[START]} | {
                moment: told[moment] for before, moment in pairwise(told) if told[moment] != told[before]
            }

    def at(self, moment: datetime) -> dict[str, Value]:
        return {
            name: next(told[when] for when in sorted(told, reverse=True) if when <= moment)
            for name, told in self.set_at.items()
        }

    def boundaries(self) -> list[datetime]:
        return sorted({moment for told in self.set_at.values() for moment in told})


def beginning() -> list[Version]:
    return [Version(START, None, dict.fromkeys(ATTRIBUTES, "1"))]


def edited(told: list[tuple[datetime, dict[str, Value]]]) -> tuple[list[Version], NaiveModel]:
    versions, model = beginning(), NaiveModel()
    for at, values in told:
        versions = changed(versions, at, values)
        model.change(at, values)
    return versions, model


@given(edits)
def test_versions_are_what_the_naive_model_says(told: list[tuple[datetime, dict[str, Value]]]) -> None:
    versions, model = edited(told)
    assert [version.valid_from for version in versions] == model.boundaries()
    for version in versions:
        assert version.attributes == model.at(version.valid_from)


@given(edits)
def test_versions_have_no_gap_no_overlap_and_no_twin(told: list[tuple[datetime, dict[str, Value]]]) -> None:
    versions, _ = edited(told)
    assert versions[-1].valid_to is None
    for before, after in pairwise(versions):
        assert before.valid_to == after.valid_from
        assert before.valid_from < after.valid_from
        assert before.attributes != after.attributes


@given(edits, moments)
def test_as_of_is_the_version_whose_validity_holds_the_moment(
    told: list[tuple[datetime, dict[str, Value]]], moment: datetime
) -> None:
    versions, model = edited(told)
    version = version_at(versions, moment)
    assert version is not None
    assert version.attributes == model.at(moment)
    assert version_at(versions, START - timedelta(microseconds=1)) is None


@given(edits, moments, changes)
def test_a_change_twice_is_a_change_once_and_its_input_stays(
    told: list[tuple[datetime, dict[str, Value]]], at: datetime, values: dict[str, Value]
) -> None:
    versions, _ = edited(told)
    before = [Version(v.valid_from, v.valid_to, dict(v.attributes)) for v in versions]
    once = changed(versions, at, values)
    assert changed(once, at, values) == once
    assert versions == before


def test_a_correction_in_the_past_keeps_the_later_change_of_another_attribute() -> None:
    moved = changed(beginning(), START + timedelta(hours=12), {"site": "2"})
    corrected = changed(moved, START + timedelta(hours=10), {"firmware": "2"})
    assert [(v.valid_from.hour, v.attributes["site"], v.attributes["firmware"]) for v in corrected] == [
        (0, "1", "1"),
        (10, "1", "2"),
        (12, "2", "2"),
    ]


def test_a_move_that_happened_earlier_than_recorded_becomes_one_move() -> None:
    moved = changed(beginning(), START + timedelta(hours=12), {"site": "2"})
    corrected = changed(moved, START + timedelta(hours=10), {"site": "2"})
    assert [(v.valid_from.hour, v.attributes["site"]) for v in corrected] == [(0, "1"), (10, "2")]


def test_nothing_changes_before_the_first_version() -> None:
    with pytest.raises(RegistryError, match="before the first version, which begins at 2026-01-01"):
        changed(beginning(), START - timedelta(seconds=1), {"site": "2"})


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


@given(edits, moments, changes)
def test_what_is_overwritten_is_what_the_naive_model_no_longer_tells(
    told: list[tuple[datetime, dict[str, Value]]], at: datetime, values: dict[str, Value]
) -> None:
    versions, model = edited(told)
    before = {Recorded(when, name, value) for name, set_at in model.set_at.items() for when, value in set_at.items()}
    model.change(at, values)
    after = {Recorded(when, name, value) for name, set_at in model.set_at.items() for when, value in set_at.items()}
    lost = overwritten(versions, changed(versions, at, values))
    assert set(lost) == before - after
    assert len(lost) == len(set(lost))
    assert [change.at for change in lost] == sorted(change.at for change in lost)


@pytest.mark.parametrize(
    ("at", "site", "lost"),
    [
        (10, "3", []),  # before the recorded move, to a third site: the recorded one stays
        (10, "2", [Recorded(hour(12), "site", "2")]),  # it happened earlier
        (12, "3", [Recorded(hour(12), "site", "2")]),  # it went elsewhere
        (12, "1", [Recorded(hour(12), "site", "2")]),  # it did not happen
        (12, "2", []),  # the same again
        (14, "3", []),
        (14, "2", []),
        (0, "3", [Recorded(hour(0), "site", "1")]),  # it was installed elsewhere
    ],
)
def test_a_backdated_move_overwrites_a_recorded_one_or_stands_beside_it(
    at: int, site: str, lost: list[Recorded]
) -> None:
    recorded = changed(beginning(), hour(12), {"site": "2"})
    assert overwritten(recorded, changed(recorded, hour(at), {"site": site})) == lost


def test_a_backdated_move_before_the_end_overwrites_where_the_device_was_installed_again() -> None:
    """At the same site: the versions alone do not show that it was said once more."""
    first = Version(START, None, {"site": "1", "status": "active"})
    ended = changed([first], hour(12), {"status": "decommissioned"})
    again = changed(ended, hour(14), {"site": "1", "status": "active"})
    assert overwritten(again, changed(again, hour(10), {"site": "2"})) == [Recorded(hour(14), "site", "1")]
    assert overwritten(again, changed(again, hour(15), {"site": "2"})) == []
