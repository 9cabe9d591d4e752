"""For how long zones are kept: numbers with a unit, and none so short that something would be lost."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from iot_pipeline.settings import Policy, Retention

POLICY = Policy()


def kept(monkeypatch: pytest.MonkeyPatch, **times: str) -> Retention:
    for name in Retention.model_fields:
        monkeypatch.delenv(f"IOT_RETENTION_{name.upper()}", raising=False)
    for name, time in times.items():
        monkeypatch.setenv(f"IOT_RETENTION_{name.upper()}", time)
    return Retention().check(POLICY)


def test_a_time_is_hours_days_or_years_and_none_keeps_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(dict(kept(monkeypatch)).values()) == {None}
    found = kept(monkeypatch, raw="2160h", judged="100d", ledger="2y", curated="")
    assert (found.raw, found.judged, found.ledger, found.curated) == (
        timedelta(days=90),
        timedelta(days=100),
        timedelta(days=732),
        None,
    )


@pytest.mark.parametrize("text", ["90", "90 d", "-1d", "0d", "1.5y", "forever", "9999999d"])
def test_what_is_no_time_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(ValidationError, match="is no time to keep something for"):
        kept(monkeypatch, raw=text)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ({"raw": "30d"}, "IOT_RETENTION_RAW is 30 days.+must be at least 32 days, 1:00:00, since late readings"),
        ({"curated": "1h"}, "IOT_RETENTION_CURATED is 1:00:00"),
        ({"alert_history": "90d"}, "IOT_RETENTION_ALERT_HISTORY is 90 days.+alerts of so long ago may change"),
        ({"raw": "100d", "judged": "40d", "ledger": "99d"}, "IOT_RETENTION_LEDGER is 99 days.+IOT_RETENTION_RAW"),
        ({"raw": "40d", "ledger": "99d"}, "IOT_RETENTION_LEDGER is 99 days.+IOT_RETENTION_JUDGED, which is for ever"),
    ],
)
def test_a_time_by_which_something_would_be_lost_is_refused(
    monkeypatch: pytest.MonkeyPatch, times: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kept(monkeypatch, **times)
