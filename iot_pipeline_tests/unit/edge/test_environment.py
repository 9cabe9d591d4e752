"""What the edge's functions read from their environment."""

import pytest

from iot_pipeline.contract import CONTRACT
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.environment import (
    MissingSettingError,
    WrongSettingError,
    contract,
    edge_settings,
)
from iot_pipeline.settings import Policy
from iot_pipeline_tests.support.edge import NOON_MS, line, reading

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@pytest.mark.parametrize(("days", "hours"), [(None, None), ("90", "0"), ("0.5", "2.25")])
def test_edge_and_lake_have_the_same_bounds(
    monkeypatch: pytest.MonkeyPatch, days: str | None, hours: str | None
) -> None:
    for name, value in (("IOT_LATENESS_DAYS", days), ("IOT_FUTURE_HOURS", hours)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert contract() == Policy().contract
    assert (contract() == CONTRACT) == (days is None)


def test_a_raised_bound_makes_old_readings_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = line([reading(NOON_MS - 79 * DAY_MS, 1, temperature=20), reading(NOON_MS + 2 * HOUR_MS, 2)], NOON_MS)
    assert [str(each.outcome) for each in Judge(contract()).line(sent)] == ["too_late", "in_future"]
    monkeypatch.setenv("IOT_LATENESS_DAYS", "80")
    assert [str(each.outcome) for each in Judge(contract()).line(sent)] == ["valid", "in_future"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IOT_LATENESS_DAYS", "a month"),
        ("IOT_LATENESS_DAYS", "0"),
        ("IOT_LATENESS_DAYS", "inf"),
        ("IOT_FUTURE_HOURS", "-1"),
    ],
)
def test_a_bound_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettingError, match=name):
        contract()


def test_what_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IOT_STREAM", raising=False)
    edge_settings.cache_clear()
    with pytest.raises(MissingSettingError, match="IOT_STREAM"):
        edge_settings()
