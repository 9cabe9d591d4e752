"""The export of alerts: what changed and nothing else, each day in one step, whatever dies in between."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from iot_pipeline.alert_history.export import OVERLAP_MS, HistoryError
from iot_pipeline.alert_history.progress import LEASE_MS, ExportBusyError, Progress
from iot_pipeline.alerting.table import silence
from iot_pipeline.contract import CONTRACT, Format, former_ledger, tables
from iot_pipeline.edge.stream_lag import record_progress
from iot_pipeline.lake.cleanup import CleanUp, clean_up
from iot_pipeline.lake.hours import Day
from iot_pipeline_tests.integration.alert_history.conftest import TABLE, History
from iot_pipeline_tests.support.edge import NOON_MS

MINUTE, DAY_MS = 60_000, 86_400_000
TODAY = Day(datetime(2026, 11, 21, tzinfo=UTC))


def test_the_first_export_takes_everything_the_next_what_was_written_since(history: History) -> None:
    for number in range(5):
        history.open(f"d{number}", NOON_MS - number * DAY_MS, at_ms=NOON_MS - number * DAY_MS)
    history.edge.alerts.add_silence(silence({"site": "berlin"}, 0, 1, "ada", "work"))
    record_progress(history.edge.clients["dynamodb"], history.edge.settings.alerts_table, "shard-0", "1", NOON_MS)
    history.now_ms = NOON_MS + OVERLAP_MS
    first = history.exporter.export()
    assert (first.since, first.read, list(first.days.values())) == (None, 5, [1] * 5)

    history.now_ms += 60 * MINUTE
    history.exporter.export()
    places = history.partitions()
    # A day on which much has been, of which one episode ends days later.
    history.resolve("d3", NOON_MS - 3 * DAY_MS, NOON_MS + 1, at_ms=history.now_ms + MINUTE)
    history.now_ms += 15 * MINUTE
    done = history.exporter.export()
    assert (done.read, dict(done.days)) == (1, {TODAY + -3: 1})
    after = history.partitions()
    assert [day for day in places if places[day] != after[day]] == ["2026-11-18"]
    (row,) = history.rows(TODAY + -3)
    assert (row["status"], row["resolved_at"]) == ("resolved", datetime(2026, 11, 21, 12, 0, 0, 1000))  # noqa: DTZ001


def test_an_export_again_changes_nothing(history: History) -> None:
    history.open("d1", NOON_MS, at_ms=NOON_MS)
    history.now_ms = NOON_MS + MINUTE
    history.exporter.export()
    before = history.partitions()
    again = history.exporter.export()
    assert (again.read, again.days, again.unchanged) == (1, {}, 1), "within the overlap it is read, and is no news"
    assert history.exporter.export(everything=True).unchanged == 1
    assert history.partitions() == before


def test_every_small_write_reaches_the_lake(history: History) -> None:
    history.open("d1", NOON_MS, at_ms=NOON_MS)
    (episode,) = history.edge.episodes()
    alerts, now = history.edge.alerts, NOON_MS
    seen: list[set[str]] = []
    names = ("acknowledged_at", "reminded_at", "notified_at")
    for write in (
        lambda at: alerts.settle(episode["id"], alerts.get(episode["id"])["outbox"], at),
        lambda at: alerts.note(episode["id"], "reminder", at),
        lambda at: alerts.acknowledge(episode["id"], "ada", "on my way", at),
    ):
        now += 30 * MINUTE
        write(now - MINUTE)
        history.now_ms = now
        assert history.exporter.export().days == {TODAY: 1}
        (row,) = history.rows(TODAY)
        seen.append({name for name in names if row[name]})
    assert seen == [{"notified_at"}, {"notified_at", "reminded_at"}, set(names)]
    assert (row["acknowledged_by"], row["acknowledged_reason"]) == ("ada", "on my way")


def test_what_the_edge_forgot_stays_in_the_lake(history: History) -> None:
    history.open("d1", NOON_MS, at_ms=NOON_MS)
    history.open("d2", NOON_MS + 1, at_ms=NOON_MS)
    history.now_ms = NOON_MS + MINUTE
    history.exporter.export()
    gone = history.edge.episodes()[0]["id"]
    history.edge.clients["dynamodb"].delete_item(TableName=history.edge.settings.alerts_table, Key={"id": {"S": gone}})
    history.resolve("d2", NOON_MS + 1, NOON_MS + 2, at_ms=NOON_MS + 100 * DAY_MS)
    history.now_ms = NOON_MS + 100 * DAY_MS
    assert history.exporter.export().read == 1
    assert [(row["episode_id"] == gone, row["status"]) for row in history.rows(TODAY)] == [
        (True, "open"),
        (False, "resolved"),
    ]
    history.exporter.export(everything=True)
    assert len(history.rows(TODAY)) == 2


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("call", ["put_object", "batch_create_partition", "update_item"])
def test_a_crash_at_any_step_is_made_good_by_the_next_export(
    history: History, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    for number in range(2):
        history.open(f"d{number}", NOON_MS - number * DAY_MS, at_ms=NOON_MS)
    history.now_ms = NOON_MS + MINUTE
    clients = {
        "put_object": history.exporter.s3,
        "batch_create_partition": history.exporter.publisher.catalog.glue,
        "update_item": history.edge.clients["dynamodb"],
    }
    real, calls = getattr(clients[call], call), []

    def die(**options: Any) -> Any:
        calls.append(call)
        if len(calls) == 2:
            raise Killed
        return real(**options)

    monkeypatch.setattr(clients[call], call, die)
    # The lease too stays as the dead process left it.
    monkeypatch.setattr(Progress, "release", lambda _: None)
    with pytest.raises(Killed):
        history.exporter.export()
    monkeypatch.undo()
    with pytest.raises(ExportBusyError, match="the next run takes over"):
        history.exporter.export()
    history.now_ms += LEASE_MS + 1
    done = history.exporter.export()
    assert done.since is None, "the first export has not come to its end"
    assert len(history.rows(TODAY, TODAY + -1)) == 2


def test_an_export_that_was_overtaken_publishes_nothing_more(history: History) -> None:
    history.open("d1", NOON_MS, at_ms=NOON_MS)
    history.now_ms = NOON_MS
    slow = history.exporter.progress_of()
    slow.claim(NOON_MS)
    history.now_ms = NOON_MS + LEASE_MS + 1
    history.exporter.export()
    late_calls: list[Callable[[], None]] = [
        partial(slow.renew, history.now_ms),
        partial(slow.finish, NOON_MS),
        slow.release,
    ]
    for late in late_calls:
        with pytest.raises(ExportBusyError, match="taken over"):
            late()
    assert history.exporter.export().since is not None


def test_an_export_that_fails_lets_the_next_begin_at_once(history: History) -> None:
    history.open("d1", NOON_MS, at_ms=NOON_MS)
    history.now_ms = NOON_MS
    table, dynamodb = history.edge.settings.alerts_table, history.edge.clients["dynamodb"]
    dynamodb.put_item(TableName=table, Item={"id": {"S": "broken"}, "rule": {"S": "x"}, "opened_ms": {"S": "noon"}})
    with pytest.raises(HistoryError, match="'broken' of the alerts table is no episode"):
        history.exporter.export()
    assert len(history.rows(TODAY)) == 1, "the others were exported"
    dynamodb.delete_item(TableName=table, Key={"id": {"S": "broken"}})
    done = history.exporter.export()
    assert (done.since, done.read, done.unchanged) == (None, 1, 1)


def test_a_clock_that_is_set_back_does_no_harm(history: History) -> None:
    history.now_ms = NOON_MS + MINUTE
    history.exporter.export()
    history.open("d1", NOON_MS, at_ms=NOON_MS - 30 * MINUTE)
    history.now_ms = NOON_MS - 30 * MINUTE
    assert history.exporter.export().read == 1


def test_a_day_that_somebody_wrote_to_is_not_overwritten(history: History) -> None:
    history.open("d1", NOON_MS, at_ms=NOON_MS)
    history.now_ms = NOON_MS + MINUTE
    history.exporter.export()
    bucket, _, folder = history.partitions()["2026-11-21"].removeprefix("s3://").partition("/")
    history.exporter.s3.delete_object(Bucket=bucket, Key=f"{folder}episodes.parquet")
    history.resolve("d1", NOON_MS, NOON_MS + 1, at_ms=NOON_MS + MINUTE)
    history.open("d2", NOON_MS + DAY_MS, at_ms=NOON_MS + MINUTE)
    with pytest.raises(HistoryError, match="the alerts of 2026-11-21 cannot be read"):
        history.exporter.export()
    assert len(history.rows(TODAY + 1)) == 1, "the other days go on"


def test_the_clean_up_removes_replaced_versions_of_days(history: History) -> None:
    catalog, bucket = history.exporter.publisher.catalog, history.exporter.publisher.bucket
    glue: Any = catalog.glue
    for table in (*tables().all, former_ledger()):
        if table.format is Format.PARQUET and table.name != TABLE.name:
            keys = [{"Name": key, "Type": "string"} for key in table.partition_keys]
            glue.create_table(DatabaseName=catalog.database, TableInput={"Name": table.name, "PartitionKeys": keys})
    for number in range(3):
        history.open(f"d{number}", NOON_MS + number, at_ms=NOON_MS + number)
        history.now_ms = NOON_MS + number
        history.exporter.export()
    stray = f"{TABLE.prefix}v=20261101T101112_0a1b2c3d/year=2026/month=11/day=01/hour=05/a.parquet"
    history.exporter.s3.put_object(Bucket=bucket, Key=stray, Body=b"")

    def cleaned(since: datetime | None) -> CleanUp:
        return clean_up(history.exporter.s3, catalog, bucket, CONTRACT, timedelta(0), since=since)

    done = cleaned(None)
    assert (done.versions, done.objects) == (2, 2)
    assert f"s3://{bucket}/{stray}" in done.unknown
    assert cleaned(datetime(2026, 11, 1, tzinfo=UTC)).objects == 0
    assert len(history.rows(TODAY)) == 3
