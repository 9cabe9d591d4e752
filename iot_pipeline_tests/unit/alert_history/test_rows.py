"""Episodes as rows of the lake: typed, cut where the warehouse could not hold them, merged without losing any."""

import io
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from iot_pipeline.alert_history.rows import (
    COLUMNS,
    SCHEMA,
    TEXT_BYTES,
    content_of,
    day_of,
    from_parquet,
    is_episode,
    merged,
    row_of,
    to_parquet,
)
from iot_pipeline.alerting.episodes import Change, Item, Place, plain, write_of, written
from iot_pipeline.alerting.lifecycle import AlertKey, Severity, Transition, What
from iot_pipeline.lake.hours import Day
from iot_pipeline_tests.support.edge import NOON_MS

KEY = AlertKey("device/d1", "range", "temperature")
EPISODE = KEY.episode(NOON_MS)


def transition(what: What, at_ms: int, severity: Severity = Severity.WARNING, value: float | None = 61.0) -> Transition:
    return Transition(what, KEY, EPISODE, severity, NOON_MS, at_ms, at_ms + 5, value, 60.0, 62.5)


def opened(*more: Transition, device: str = "d1") -> Item:
    change = Change(Place("acme", "berlin", device), (transition(What.OPENED, NOON_MS), *more), "trace-1")
    return plain(write_of(change, "t", NOON_MS + 2000)["Put"]["Item"])


def test_an_open_episode() -> None:
    row = row_of(opened())
    noon = datetime(2026, 11, 21, 12)  # noqa: DTZ001
    found = {name: value for name, value in row.items() if value is not None}
    assert found == {
        "episode_id": EPISODE,
        "tenant": "acme",
        "site": "berlin",
        "device_id": "d1",
        "subject": "device/d1",
        "rule": "range",
        "metric": "temperature",
        "severity": "warning",
        "opened_severity": "warning",
        "status": "open",
        "flapping": False,
        "is_history": False,
        "opened_at": noon,
        "seen_at": noon.replace(microsecond=5000),
        "recorded_at": noon.replace(second=2),
        "changed_at": noon,
        "last_value": 61.0,
        "limit_value": 60.0,
        "worst_value": 62.5,
        "trace": "trace-1",
        "written_at": noon.replace(second=2),
    }
    assert day_of(row) == Day(datetime(2026, 11, 21, tzinfo=UTC))


def test_an_episode_over_in_one_message_has_its_escalation_and_its_end() -> None:
    over = transition(What.ESCALATED, NOON_MS + 1000, Severity.CRITICAL), transition(What.RESOLVED, NOON_MS + 9000)
    row = row_of(opened(*over))
    assert (row["status"], row["opened_severity"]) == ("resolved", "warning")
    assert (row["escalated_at"].second, row["resolved_at"].second, row["resolution_recorded_at"].second) == (1, 9, 2)


def test_an_escalation_later_is_noted_on_the_item() -> None:
    change = Change(Place("acme", "berlin", "d1"), (transition(What.ESCALATED, NOON_MS + 7, Severity.CRITICAL),))
    update = write_of(change, "t", NOON_MS + 10)["Update"]
    values = plain(update["ExpressionAttributeValues"])
    assert values[":escalated_ms"] == NOON_MS + 7
    assert {name: values[f":{name}"] for name in written(NOON_MS + 10)} == written(NOON_MS + 10)


def test_a_site_has_no_device_and_a_long_reason_is_cut_between_characters() -> None:
    row = row_of(opened(device="") | {"acknowledged_reason": "ä" * TEXT_BYTES, "acknowledged_ms": NOON_MS})
    assert row["device_id"] is None
    assert row["acknowledged_reason"] == "ä" * (TEXT_BYTES // 2)
    assert row["acknowledged_at"] == row["opened_at"]


@pytest.mark.parametrize("item", [{"id": "silence/1", "scope": {}}, {"id": "shard/1", "sequence": "4"}])
def test_what_is_no_episode_is_told(item: Item) -> None:
    assert not is_episode(item)
    assert is_episode(opened())


def test_parquet_gives_back_what_it_was_given_and_lacks_what_is_newer() -> None:
    rows = [row_of(opened())]
    assert from_parquet(to_parquet(rows)) == rows
    assert SCHEMA.names == [column.name for column in COLUMNS]
    older = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(to_parquet(rows))).drop_columns(["trace"]), older)
    assert from_parquet(older.getvalue()) == [row | {"trace": None} for row in rows]


def test_merging_keeps_what_the_edge_forgot_and_never_goes_back() -> None:
    first = row_of(opened())
    forgotten = first | {"episode_id": "forgotten"}
    newer = first | {"status": "resolved", "written_at": first["written_at"].replace(second=50)}
    assert merged([first, forgotten], [newer]) == [newer, forgotten]
    assert merged([newer, forgotten], [first]) == [newer, forgotten], "an index may answer with what was before"
    assert content_of([first]) != content_of([newer])
    assert content_of(merged([newer], [newer])) == content_of([newer])
