"""Retention removes exactly the hours that are safe, and what it has removed is expired to everybody."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import dagster as dg
import pytest

from iot_pipeline import settings
from iot_pipeline.backfill.plan import Zone
from iot_pipeline.backfill.zone_states import ZONES, zone_states
from iot_pipeline.connections.backfill import open_planner
from iot_pipeline.connections.warehouse import open_loader
from iot_pipeline.contract import tables
from iot_pipeline.defs.ops.expiry import retention
from iot_pipeline.defs.raw.sensors import raw_objects
from iot_pipeline.lake.compaction import Compaction
from iot_pipeline.lake.hours import Day, Hour, partition_range
from iot_pipeline.lake.integrity import Audit
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.lake.retention import Outcome, Retention
from iot_pipeline.lake.s3_events import SetAside
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import RESOURCES, RawEvents
from iot_pipeline.resources.raw_events import Notification
from iot_pipeline.warehouse.load import Loader
from iot_pipeline_tests.support.messages import RawZone, Sender, build, curated, line, message, reading

Z = tables()
DAY = timedelta(days=1)
HELD = Sender("held-meter", tenant="held-tenant")


def arrive(raw: RawZone, arrival: Hour, sender: Sender) -> str:
    """A reading of this hour, one of an hour before, and one that breaks the contract."""
    own, late = reading(arrival.start, 1), reading((arrival + -5).start, 2)
    return raw.put(arrival, [line(message(own, late, {"seq": "x"}), arrival.start, sender)])


def outcomes(done: list[Outcome]) -> dict[tuple[str, Hour], str]:
    return {(each.table, each.hour): each.why for each in done}


def there(lake: Lake, table: Any, hour: Hour) -> bool:
    """Whether an hour of a table has a partition, or anything in it."""
    if table.projected:
        return Objects(boto3.client("s3")).any_at(f"s3://{lake.bucket}/{table.prefix}{hour.path}")
    return hour in lake.catalog.partitions(table.name, [hour])


@pytest.fixture
def strange(lake: Lake) -> Iterator[str]:
    """The key of an object in the raw zone that lies in no hour."""
    key, s3 = "raw/telemetry/a-note.txt", boto3.client("s3")
    s3.put_object(Bucket=lake.bucket, Key=key, Body=b"x")
    yield key
    s3.delete_object(Bucket=lake.bucket, Key=key)


def test_exactly_the_safe_hours_go_and_nobody_misses_them(
    lake: Lake, raw: RawZone, arrival: Hour, strange: str
) -> None:
    safe, held, unjudged, planned = (arrival + n for n in range(4))
    uris = {hour: arrive(raw, hour, HELD if hour == held else Sender()) for hour in (safe, held, unjudged, planned)}
    events = build(lake, [safe, held, planned])
    rows = curated(lake, events)
    plan = open_planner().make(planned, planned, [Zone.JUDGED], force=True)
    now, s3 = arrival.start + 400 * DAY, boto3.client("s3")
    kept = {it.name: 300 * DAY for it in (Z.raw_telemetry, Z.judged_telemetry, Z.quarantined_telemetry)}
    needed = lambda hours: open_planner().needed(hours, datetime.now(UTC) - DAY)  # noqa: E731
    opened = Retention(lake, s3, kept, frozenset({"held-tenant"}), needed)
    dry = opened.run(now, safe, planned, dry=True)
    assert [(it.table, it.hour) for it in dry.of(removed=True)][:1] == [(Z.raw_telemetry.name, safe)]
    assert there(lake, Z.raw_telemetry, safe)
    assert opened.run(arrival.start + 300 * DAY, safe, planned).outcomes == [], "the whole hour must be older"

    done = opened.run(now, safe, planned)
    balance = "3 received = 2 valid + 1 quarantined"
    removed = outcomes(done.of(removed=True))
    assert removed[Z.raw_telemetry.name, safe].endswith(f"its books balance: {balance}")
    assert {hour for table, hour in removed if table == Z.raw_telemetry.name} == {safe}
    assert {hour for table, hour in removed if table == Z.judged_telemetry.name} == {safe, planned}
    assert outcomes(done.of(removed=False)) == {
        (Z.raw_telemetry.name, held): "legal hold of held-tenant",
        (Z.raw_telemetry.name, unjudged): "it was never judged",
        (Z.raw_telemetry.name, planned): f"the backfill {plan.id} is still to judge it",
        (Z.judged_telemetry.name, held): "legal hold of held-tenant",
        (Z.quarantined_telemetry.name, held): "legal hold of held-tenant",
    }
    assert f"s3://{lake.bucket}/{strange}" in done.unknown
    assert Objects(s3).at(f"s3://{lake.bucket}/raw/telemetry/")[0].uri.endswith(strange), "it is left alone"
    for table in (Z.raw_telemetry, Z.judged_telemetry, Z.quarantined_telemetry):
        assert there(lake, table, held)
    assert not there(lake, Z.judged_telemetry, safe)
    assert not there(lake, Z.raw_telemetry, safe)
    require_quiet(lake, safe, events)
    assert curated(lake, events) == rows
    assert told_of(uris[safe]) == "0 objects in 0 hours, 0 unreadable notifications, 1 removed as the book says"
    assert told_of(uris[held]) == "0 objects in 0 hours, 0 unreadable notifications, 1 removed"


def require_quiet(lake: Lake, safe: Hour, events: list[Hour]) -> None:
    """No check, sensor or plan takes what was removed for lost, and nothing that is asked for destroys the rest."""
    audit = Audit(lake, Objects(boto3.client("s3")))
    later = datetime.now(UTC) + DAY
    assert audit.raw([safe], later) == []
    assert audit.judged([safe]) == audit.curated(events) == []
    assert lake.arrival_balances([safe]) == []
    assert lake.stale_arrivals([safe]) == lake.stale([safe, safe + -5]) == lake.stale_among([safe]) == []
    plan = open_planner().make(safe, safe, force=True)
    assert [step for step in plan.steps if step.zone is not Zone.WAREHOUSE] == []
    before = lake.catalog.partitions(Z.curated_telemetry.name, [safe, safe + -5])
    for build_again in (lake.judge, lake.quarantine, lake.curate):
        build_again([safe])
    assert lake.catalog.partitions(Z.curated_telemetry.name, [safe, safe + -5]) == before


def told_of(uri: str) -> str:
    """What the raw sensor says when it hears that an object was removed."""
    key = uri.split("/", 3)[3]

    class Heard(RawEvents):
        def receive(self) -> list[Notification]:
            return (
                [Notification("r", "m", (), set_aside=(SetAside(key, "removed", is_loss=True),))] if left.pop() else []
            )

        def delete(self, _: Any) -> None:
            """It came from no queue."""

    left = [False, True]
    with dg.DagsterInstance.ephemeral() as instance:
        result = raw_objects(dg.build_sensor_context(instance=instance), raw_events=Heard())
    assert isinstance(result, dg.SkipReason)
    return result.skip_message or ""


@pytest.fixture
def short_retention(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything is kept for 40 days."""
    for name in settings.Retention.model_fields:
        monkeypatch.setenv(f"IOT_RETENTION_{name.upper()}", "40d" if name != "alert_history" else "5y")
    settings.retention.cache_clear()
    yield
    settings.retention.cache_clear()


@pytest.mark.usefixtures("short_retention")
def test_the_asset_takes_an_hour_out_of_lake_and_warehouse_and_says_why(
    lake: Lake, raw: RawZone, dagster_hour: Hour, loader: Loader
) -> None:
    hour = dagster_hour
    raw.put(hour, [line(message(reading(hour.start, 1)), hour.start)])
    build(lake, [hour])
    loader.load([hour])
    config = {"ops": {"retention": {"config": {"first": partition_key(hour), "last": partition_key(hour)}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([retention], instance=instance, resources=RESOURCES, run_config=config)
        (event,) = result.asset_materializations_for_node("retention")
    told = {name: value.value for name, value in event.metadata.items()}
    assert (told["hours removed"], told["hours kept past their retention"]) == (5, 0)
    assert f"| ledger | 1 | {hour} |" in str(told["removed"])
    assert "1 received = 1 valid + 0 quarantined" in str(told["removed"])
    for table in (Z.raw_telemetry, Z.judged_telemetry, Z.quarantined_telemetry, Z.ledger, Z.curated_telemetry):
        assert not there(lake, table, hour)
    (balance,) = loader.balances([hour])
    assert balance.counted.rows == 0
    planner = open_planner()
    states = zone_states(lake, planner.objects, open_loader, [hour])[hour]
    assert [states[zone] for zone in ZONES] == ["expired", "expired", "-", "-"]
    assert planner.make(hour, hour).steps == []


def test_a_day_goes_when_all_its_hours_are_gone_and_the_view_goes_on(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    day, s3 = Day.of(arrival.start), boto3.client("s3")
    publisher = Publisher(lake.bucket, lake.catalog, lake.progress)
    compaction = Compaction(lake.catalog, lake.athena, lake.contract, publisher, day, lake.progress)
    for hour, sender in ((arrival, Sender()), (arrival + 1, HELD)):
        raw.put(hour, [line(message(reading(hour.start, 1)), hour.start, sender)])
    events = build(lake, [arrival, arrival + 1])
    compaction.compact([day], arrival.start + 2 * DAY)
    ((location, notes),) = [
        (it.location, it.notes) for it in lake.catalog.partitions(Z.daily_telemetry.name, [day]).values()
    ]
    assert notes
    kept, now = {it.name: 300 * DAY for it in (Z.curated_telemetry, Z.daily_telemetry)}, arrival.start + 400 * DAY
    held = Retention(lake, s3, kept, frozenset({"held-tenant"})).run(now, Hour(day.start), day.hours[-1])
    assert outcomes(held.of(removed=True)).keys() == {(Z.curated_telemetry.name, events[0])}
    assert outcomes(held.of(removed=False)) == {
        (Z.curated_telemetry.name, events[1]): "legal hold of held-tenant",
        (Z.daily_telemetry.name, day): f"1 of its hours are there still, first {events[1]}",
    }
    opened = Retention(lake, s3, kept)
    done = opened.run(now, Hour(day.start), day.hours[-1])
    assert outcomes(done.of(removed=True)) == {
        (Z.curated_telemetry.name, events[1]): "it holds what the ledger says, and no late reading can come any more",
        (Z.daily_telemetry.name, day): "all its hours are gone, by their retention",
    }
    assert not Objects(s3).any_at(location)
    where = partition_range(Hour(day.start), day.hours[-1])
    assert lake.athena.run(f"SELECT count(*) FROM telemetry WHERE {where}").rows == [(0,)]
    assert compaction.look(day.start + 2 * DAY).days_until == day + 1, "the view reads days, this one among them"
    assert opened.run(now, Hour(day.start), day.hours[-1]).outcomes == []
