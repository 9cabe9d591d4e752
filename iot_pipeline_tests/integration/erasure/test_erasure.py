"""A device is erased from everywhere, and what is another's stays as it was."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import dagster as dg
import pytest

from iot_pipeline.defs.erasure.history import DagsterHistory
from iot_pipeline.defs.erasure.jobs import erase
from iot_pipeline.erasure.found import summary
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.integrity import Audit
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.registry import erasures
from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.registry.things import find
from iot_pipeline.resources import RESOURCES
from iot_pipeline_tests.integration.erasure.conftest import Fleet

# What a search finds before anything is erased.
EVERYWHERE = {
    "AWS IoT Core",
    "Dagster",
    "alert history",
    "console",
    "curated",
    "daily",
    "dead letters",
    "device state and alerts",
    "imports",
    "judged",
    "quarantine",
    "query results",
    "raw",
    "refused records",
    "registry",
    "streamed",
    "warehouse",
}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """On disk, as in life: each run's events are in a database of their own."""
    with dg.instance_for_test() as opened:
        yield opened


def require_balance(lake: Lake, arrival: Hour, events: list[Hour]) -> None:
    """The books balance, and nobody is told that raw objects were touched."""
    (balance,) = lake.arrival_balances([arrival])
    assert balance.balances
    assert balance.received > 0
    assert all(each.balances for each in lake.event_balances(events))
    assert lake.stale(events) == []
    assert Audit(lake, Objects(boto3.client("s3"))).raw([arrival], datetime.now(UTC) + timedelta(days=1)) == []


class Killed(BaseException):
    """As a process that is killed: nothing of it runs on."""


# Where a run is killed, in order: before a step, or in one, when it has told so.
STOPS = (
    "raw",
    "judged",
    "published 1 partitions of judged_telemetry",
    "published 1 partitions of ledger",
    "curated",
    "streamed",
    "took 1 rows out of the micro-batch",
    "dead letters and query results",
    "warehouse",
    "loaded 1 rows",
    "old versions",
    "books",
)


def test_an_erased_device_is_nowhere_and_all_else_is_as_it_was(everywhere: Fleet, instance: dg.DagsterInstance) -> None:
    fleet, lake, kept, history = everywhere, everywhere.lake, everywhere.kept(), DagsterHistory(instance)
    told = dg.AssetMaterialization("curated_telemetry", metadata={"preview": f"| {fleet.goes} | {fleet.stays} |"})
    instance.report_runless_asset_event(told)
    erasure, found = fleet.eraser(history=history).plan("device", fleet.goes, "ada", "request 4711")
    assert {each.zone for each in found} == EVERYWHERE
    assert {what for _, what, *_ in summary(found)} == {"theirs"}

    kill_everywhere(fleet, erasure.erasure_id)
    settings = {"erasure_id": erasure.erasure_id, "since": fleet.since.isoformat()}
    config = {"ops": {"erase_subject": {"config": settings}}}
    assert erase.execute_in_process(config, instance=instance, resources=RESOURCES).success

    assert fleet.eraser(history=history).proof("device", fleet.goes) == []
    assert fleet.kept() == kept
    assert all(kept.values())
    require_balance(lake, fleet.arrival, fleet.events)
    assert find(boto3.client("iot"), fleet.goes) == "none"
    assert find(boto3.client("iot"), fleet.stays) == "device"
    # What was said of the assets stays readable, and names the other device still.
    event = instance.get_latest_materialization_event(told.asset_key)
    assert event
    assert event.asset_materialization
    assert event.asset_materialization.metadata["preview"].value == f"| [erased] | {fleet.stays} |"
    require_record(fleet, erasure.erasure_id)


def kill_everywhere(fleet: Fleet, erasure_id: str) -> None:
    """Run an erasure until it is killed at each stop, one after the other; each run goes on where it was."""
    stopped = []
    for stop in STOPS:

        def told(text: str, stop: str = stop) -> None:
            if text.startswith(stop):
                stopped.append(stop)
                raise Killed(stop)

        with pytest.raises(Killed):
            fleet.eraser(progress=told, at_step=lambda _n, _all, name, told=told: told(name)).run(erasure_id)
        assert all(balance.built.rows for balance in fleet.lake.event_balances(fleet.events)), "a reader finds a gap"
    assert stopped == list(STOPS)


def require_record(fleet: Fleet, erasure_id: str) -> None:
    """The record names nobody, and tells of a name that is given whether it was this one."""
    (record,) = [each for each in erasures.all_erasures(fleet.registry) if each.erasure_id == erasure_id]
    assert (record.state, record.subject, record.author) == ("done", None, "ada")
    assert record.is_of("device", fleet.goes)
    assert not record.is_of("device", fleet.stays)
    assert record.progress["lines"] == {fleet.arrival.start.isoformat(): 4}
    with pytest.raises(RegistryError, match="was done at"):
        fleet.eraser().run(erasure_id)
