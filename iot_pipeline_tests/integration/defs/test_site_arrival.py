"""Data arrival by site, told from the deployed registry and the ledger."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest

from iot_pipeline import settings
from iot_pipeline.defs.dagster_internals import last_evaluation
from iot_pipeline.defs.judged.assets import ledger
from iot_pipeline.defs.ops import sites_heard
from iot_pipeline.defs.ops.site_arrival import every_site_sends, site_arrival
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.site_states import Name, State
from iot_pipeline.partitions import partition_key
from iot_pipeline.registry import sites
from iot_pipeline.registry.devices import retire_device
from iot_pipeline.registry.registration import Request, add_device
from iot_pipeline.resources import LakeResource, RegistryResource
from iot_pipeline_tests.support.messages import RawZone, Sender, line, message, reading
from iot_pipeline_tests.support.registry import catalog

# Sites a, b and c of the tenant `watch`; b and c have devices, of which those of c are decommissioned.
SENT_LATELY = [("watch", "a"), ("watch", "A"), ("watch", "b "), ("nobody", "a")]
SENT_ONCE = [("watch", "b"), ("watch", "c"), ("watch", "typo"), ("Watch", "b")]


@pytest.fixture(scope="module")
def judged(lake: Lake) -> datetime:
    """What the sites have sent is judged; when the last of it came."""
    now, raw = datetime.now(UTC), RawZone(lake.bucket)
    then = now - timedelta(hours=2)
    for at, names in ((now, SENT_LATELY), (then, SENT_ONCE)):
        raw.put(
            Hour.of(at),
            [line(message(reading(at, 1)), at, Sender(f"m-{n}", *name)) for n, name in enumerate(names)],
        )
    lake.judge({Hour.of(then), Hour.of(now)})
    with RegistryResource().connect() as connection:
        _register(connection)
    return now


def _register(connection: "psycopg.Connection[Any]") -> None:
    sites.apply(connection, catalog("watch"))
    sites.apply(connection, catalog("quiet"))
    for device, site in (("watch-1", "b"), ("watch-2", "c"), ("watch-3", "c")):
        add_device(connection, Request(device, "watch", site, "watch-model"))
    for device in ("watch-2", "watch-3"):
        retire_device(connection, device)


@pytest.fixture
def instance(judged: datetime) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        key = partition_key(Hour.of(judged))
        opened.report_runless_asset_event(dg.AssetMaterialization(ledger.key, partition=key))
        yield opened


def _evaluated(instance: dg.DagsterInstance) -> tuple[dg.AssetCheckEvaluation, str]:
    """The check that a tick of the sensor has recorded, and what the sensor said."""
    context = dg.build_sensor_context(instance=instance)
    result = site_arrival(context, lake=LakeResource(), registry=RegistryResource())
    assert isinstance(result, dg.SkipReason)
    evaluation = last_evaluation(instance, every_site_sends.check_key)
    assert evaluation
    return evaluation, result.skip_message or ""


def _shown(evaluation: dg.AssetCheckEvaluation, name: str) -> list[list[str]]:
    """The rows of a table of the check."""
    text = str(evaluation.metadata[name].value)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in text.splitlines()[2:]]


def test_a_silent_site_of_the_registry_is_missed_and_no_other(instance: dg.DagsterInstance) -> None:
    evaluation, said = _evaluated(instance)
    assert (evaluation.check_name, evaluation.passed) == ("every_site_sends", False)
    assert said == evaluation.description == "silent: watch/b"
    states = {(row[0], row[1]): row[2] for row in _shown(evaluation, "sites")}
    assert {name: states[name] for name in states if name[0] in {"watch", "quiet"}} == {
        ("watch", "a"): State.SENDS,
        ("watch", "b"): State.SILENT,
        ("watch", "c"): State.OUT_OF_USE,
        **{("quiet", site): State.NEVER_HEARD_OF for site in "abc"},
    }


def test_names_that_are_not_in_the_registry_are_listed_apart(instance: dg.DagsterInstance) -> None:
    evaluation, _ = _evaluated(instance)
    listed = {(row[0], row[1]): row[3] for row in _shown(evaluation, "names that are not in the registry")}
    ours = {name: like for name, like in listed.items() if name[0].strip("'").lower() in {"watch", "nobody"}}
    assert ours == {
        ("'watch'", "'A'"): "watch/a",
        ("'watch'", "'b '"): "watch/b",
        ("'watch'", "'typo'"): "",
        ("'Watch'", "'b'"): "watch/b",
        ("'nobody'", "'a'"): "",
    }
    assert evaluation.metadata["not in the registry"].value == len(listed)


def test_a_registry_that_does_not_answer_is_named_and_arrivals_are_shown(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IOT_REGISTRY_PORT", "1")
    settings.forget()
    try:
        evaluation, said = _evaluated(instance)
    finally:
        monkeypatch.undo()
        settings.forget()
    assert not evaluation.passed
    assert said.startswith("the registry did not answer (OperationalError: ")
    arrived = {(row[0], row[1]) for row in _shown(evaluation, "arrivals")}
    assert arrived >= {("watch", "a"), ("watch", "b"), ("watch", "typo"), ("nobody", "a")}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[list[Hour]]:
    """The hours that were read, one list a statement."""
    found: list[list[Hour]] = []
    real = statements.last_arrival_by_site

    def noted(hours: Iterable[Hour]) -> str:
        found.append(sorted(hours))
        return real(found[-1])

    monkeypatch.setattr(statements, "last_arrival_by_site", noted)
    return found


def _built(instance: dg.DagsterInstance, *hours: Hour) -> None:
    for hour in hours:
        instance.report_runless_asset_event(dg.AssetMaterialization(ledger.key, partition=partition_key(hour)))


def test_only_new_ledgers_are_read_and_the_others_are_not_forgotten(
    instance: dg.DagsterInstance, judged: datetime, read: list[list[Hour]]
) -> None:
    first, _ = _evaluated(instance)
    assert [len(hours) for hours in read] == [7 * 24 + 1], "nothing was carried on"
    again, _ = _evaluated(instance)
    assert len(read) == 1, "nothing is new"
    now = Hour.of(judged)
    _built(instance, now, now, now + -24 * 30)
    third, _ = _evaluated(instance)
    assert read[1:] == [[now]], "an hour that is too old tells nothing of who sends"
    assert first.metadata["sites"] == again.metadata["sites"] == third.metadata["sites"]
    assert first.metadata["not in the registry"] == third.metadata["not in the registry"]


def test_who_sends_for_the_first_time_is_heard_by_the_next_evaluation(
    instance: dg.DagsterInstance, lake: Lake, judged: datetime
) -> None:
    _evaluated(instance)
    at = judged - timedelta(hours=3)
    RawZone(lake.bucket).put(Hour.of(at), [line(message(reading(at, 1)), at, Sender("m-new", "newcomer", "a"))])
    lake.judge({Hour.of(at)})
    assert "'newcomer'" not in _strangers(instance), "Dagster has not built that hour"
    _built(instance, Hour.of(at))
    assert "'newcomer'" in _strangers(instance)
    assert "'newcomer'" in _strangers(instance), "it is carried on"


def _strangers(instance: dg.DagsterInstance) -> set[str]:
    evaluation, _ = _evaluated(instance)
    return {row[0] for row in _shown(evaluation, "names that are not in the registry")}


def test_the_whole_week_is_read_again_each_day_and_after_an_older_release(
    instance: dg.DagsterInstance, read: list[list[Hour]]
) -> None:
    evaluation, _ = _evaluated(instance)
    carried = sites_heard.carried_in(evaluation)
    assert carried
    assert sites_heard.carried_in(None) is None
    older = dg.AssetCheckEvaluation(ledger.key, "every_site_sends", passed=True, metadata={"sites": "| a |"})
    assert sites_heard.carried_in(older) is None
    held = evaluation.metadata[sites_heard.CARRIED].value
    assert isinstance(held, dict)
    for member in held:
        lacking = {sites_heard.CARRIED: dg.MetadataValue.json({name: held[name] for name in held if name != member})}
        older = dg.AssetCheckEvaluation(ledger.key, "every_site_sends", passed=True, metadata=lacking)
        assert sites_heard.carried_in(older) is None, f"of a release that did not keep {member}"
    lake = LakeResource().open()
    later = carried.whole_at + timedelta(hours=23)
    assert sites_heard.sites_heard(instance, lake, carried, later).whole_at == carried.whole_at
    assert len(read) == 1
    tomorrow = carried.whole_at + timedelta(days=1)
    found = sites_heard.sites_heard(instance, lake, replace(carried, at={("gone", "x"): tomorrow}), tomorrow)
    assert len(read) == 2
    assert found.whole_at == tomorrow
    assert ("gone", "x") not in found.at, "what no ledger holds any more is forgotten"


def test_while_nothing_is_judged_nobody_is_called_silent(
    instance: dg.DagsterInstance, judged: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation, _ = _evaluated(instance)
    carried = sites_heard.carried_in(evaluation)
    assert carried
    assert carried.until <= datetime.now(UTC)
    assert carried.until >= judged
    lake, tomorrow = LakeResource().open(), judged + timedelta(hours=23)
    assert sites_heard.sites_heard(instance, lake, carried, tomorrow).until == carried.until, "nothing was built since"
    _built(instance, Hour.of(judged) + -24 * 3)
    backfilled = sites_heard.sites_heard(instance, lake, carried, tomorrow)
    assert backfilled.until == carried.until, "an old hour's backfill knows nothing of today"
    closed = replace(carried, until=judged - timedelta(hours=4))
    _built(instance, Hour.of(judged) + -2)
    found = sites_heard.sites_heard(instance, lake, closed, judged)
    assert found.until == Hour.of(judged).start - timedelta(hours=1), "the end of the newest hour that was built"
    monkeypatch.setattr(sites_heard, "_NEWEST", 1)
    whole = sites_heard.sites_heard(instance, lake, carried, carried.whole_at + timedelta(days=1))
    assert whole.until == carried.until, "what was known is not unknown after a backfill"


def test_after_a_large_backfill_the_whole_week_is_read(
    instance: dg.DagsterInstance, judged: datetime, read: list[list[Hour]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sites_heard, "EVENTS_PER_TICK", 3)
    _evaluated(instance)
    now = Hour.of(judged)
    _built(instance, now + -1, now + -2)
    _evaluated(instance)
    assert read[1:] == [[now + -2, now + -1]]
    _built(instance, *(now + -age for age in range(30)))
    _evaluated(instance)
    assert [len(hours) for hours in read[2:]] == [7 * 24 + 1]
    _built(instance, now)
    _evaluated(instance)
    assert read[3:] == [[now]], "none of the others is left to be looked at"


def test_who_was_not_heard_of_for_a_week_is_forgotten(instance: dg.DagsterInstance) -> None:
    now = datetime.now(UTC)
    at: dict[Name, datetime] = {("a", "old"): now - timedelta(days=8), ("a", "new"): now - timedelta(days=6)}
    evaluation, _ = _evaluated(instance)
    carried = sites_heard.carried_in(evaluation)
    assert carried
    found = sites_heard.sites_heard(instance, LakeResource().open(), replace(carried, at=at), now)
    assert found.at == {("a", "new"): at["a", "new"]}
