"""Which closed hours are missing or behind: seen as it comes about, and as it is mended."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from infra.local.session.platform import Platform
from iot_pipeline import settings
from iot_pipeline.backfill.zone_states import ZONES
from iot_pipeline.connections.backfill import open_planner
from iot_pipeline.connections.warehouse import open_loader
from iot_pipeline.defs.ops import closed_hours
from iot_pipeline.defs.ops.closed_hours import GRACE, LOOKED_AT, result_of, states
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.partitions import partition_key
from iot_pipeline_tests.support.messages import RawZone, line, message, reading


def _row(hour: Hour) -> tuple[str, ...]:
    found = states(open_planner(), [hour])[hour]
    return tuple(found[zone] for zone in ZONES)


def test_an_hour_is_missing_zone_by_zone_until_it_is_built(
    platform: Platform, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hour = dagster_hour
    assert _row(hour) == ("-", "-", "-", "-")
    raw.put(hour, [line(message(reading(hour.start, 1)), hour.start)])
    assert _row(hour) == ("missing", "-", "-", "-")
    lake.judge([hour])
    assert _row(hour) == ("built", "missing", "-", "-")
    lake.curate([hour])
    assert _row(hour) == ("built", "built", "missing", "-")
    with open_loader() as loader:
        loader.load([hour])
    assert _row(hour) == ("built", "built", "built", "missing")
    raw.put(hour, [line(message(reading(hour.start + timedelta(minutes=1), 2)), hour.start)])
    lake.judge([hour])
    assert _row(hour) == ("built", "behind", "built", "missing"), "the later object is judged, and not curated yet"


def test_the_check_names_the_hours_and_the_zones() -> None:
    first = Hour.of(datetime(2026, 11, 28, 5, tzinfo=UTC))
    built = dict.fromkeys(ZONES, "built")
    found = {first + n: dict(built) for n in range(5)}
    assert result_of(found).passed
    for n in range(5):
        found[first + n]["facts"] = "missing"
    found[first]["curated"] = "behind"
    result = result_of(found)
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.WARN
    key = partition_key(first)
    assert result.description is not None
    assert result.description.startswith(f"curated: {key} behind; facts: {key} missing, ")
    assert result.description.endswith("missing and 2 more")


def test_an_hour_counts_when_its_closing_build_has_had_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    started = settings.policy().model_copy(update={"partitions_start": datetime(2026, 1, 1, tzinfo=UTC)})
    monkeypatch.setattr(closed_hours, "policy", lambda: started)
    six = datetime(2026, 11, 28, 6, tzinfo=UTC)
    for now, last in ((six + GRACE, 5), (six + GRACE - timedelta(seconds=1), 4)):
        hours = closed_hours.closed_hours(now)
        assert len(hours) == LOOKED_AT
        assert max(hours) == Hour.of(datetime(2026, 11, 28, last, tzinfo=UTC))
