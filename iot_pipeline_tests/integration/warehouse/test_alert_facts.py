"""Facts about alerts follow their loads and the registry, a date at a time, and nothing else is rebuilt."""

from datetime import date, timedelta
from typing import Any

import pytest

from iot_pipeline_tests.support.models import Models, day

NOON = timedelta(hours=12)
MINUTE = timedelta(minutes=1)
_MODELS = ("--select", "dimensions", "stg_alert_episodes", "stg_alert_loads", "stale_alert_dates", "fact_alerts")


def versions(models: Models) -> dict[Any, set[tuple[str, str]]]:
    return models.versions("fact_alerts", "opened_date")


def placed(models: Models, episode: str) -> tuple[Any, ...]:
    """Sensor's device, site and tenant of an alert, and whether it is open."""
    (row,) = models.rows(
        f"""\
SELECT sensors.device_id, locations.site_id, facts.tenant_id, facts.is_open
FROM marts.fact_alerts AS facts
LEFT JOIN marts.dim_sensor AS sensors ON sensors.sensor_key = facts.sensor_key
JOIN marts.dim_location AS locations ON locations.location_key = facts.location_key
WHERE facts.episode_id = '{episode}'"""
    )
    return row


@pytest.fixture(scope="module")
def filled(empty_models: Models) -> Models:
    """Alerts of four dates in the facts."""
    models = empty_models
    for device in ("steady", "mover"):
        models.register(device)
    models.alert("steady 5", "steady", day(5) + NOON, resolved_at=day(5) + NOON + 10 * MINUTE)
    models.alert("site 6", None, day(6) + NOON, "south", rule="site_silence")
    models.alert("nowhere 6", None, day(6) + NOON, "atlantis", rule="site_silence")
    models.alert("mover 7", "mover", day(7) + NOON, severity="critical", opened_severity="warning")
    models.alert("stranger 8", "stranger", day(8) + NOON)
    models.alert("not loaded", "steady", day(9))
    models.load_alerts(*(day(n) for n in (5, 6, 7, 8)))
    done = models.dbt("build")
    assert done.success, [(r.node.name, r.message) for r in done.result if r.status not in {"success", "pass"}]
    return models


def test_an_alert_is_placed_by_the_registry_as_of_when_it_opened(filled: Models) -> None:
    assert placed(filled, "steady 5") == ("steady", "north", "acme", False)
    assert placed(filled, "site 6") == (None, "south", "acme", True)
    assert placed(filled, "nowhere 6") == (None, "unknown", "unknown", True)
    assert placed(filled, "mover 7") == ("mover", "north", "acme", True)
    assert placed(filled, "stranger 8") == ("unknown", "unknown", "unknown", True)
    assert filled.rows("SELECT count(*) FROM marts.fact_alerts WHERE episode_id = 'not loaded'") == [(0,)]


def test_only_dates_with_news_are_built_again(filled: Models) -> None:
    before = versions(filled)
    filled.execute("UPDATE lake.alert_loads SET location = location || 'moved/'")
    filled.build(*_MODELS)
    assert versions(filled) == before, "the same rows at another place are no news"

    # Weeks later: one is acknowledged and over, and one device was elsewhere, as is now known, and one becomes known.
    filled.execute(
        """\
UPDATE lake.alert_episodes SET status = 'resolved', resolved_at = opened_at + interval '20 days',
    acknowledged_at = recorded_at + interval '90 seconds', acknowledged_by = 'ada'
WHERE episode_id = 'site 6'"""
    )
    filled.load_alerts(day(6))
    filled.move("mover", "south", day(7))
    filled.register("stranger", "west", day(8))
    filled.build(*_MODELS)
    after = versions(filled)
    assert [key for key in sorted(after) if after[key] != before[key]] == [date(2026, 11, n) for n in (6, 7, 8)]
    assert placed(filled, "site 6") == (None, "south", "acme", False)
    assert placed(filled, "mover 7") == ("mover", "south", "acme", True)
    assert placed(filled, "stranger 8") == ("stranger", "west", "acme", True)
    times = "SELECT seconds_to_acknowledge, seconds_to_resolve FROM marts.fact_alerts WHERE episode_id = 'site 6'"
    assert filled.rows(times) == [(90, 20 * 86_400)]

    filled.execute("DELETE FROM lake.alert_loads WHERE opened_date = '2026-11-05'")
    filled.build(*_MODELS)
    left = versions(filled)
    assert left == {key: rows for key, rows in after.items() if key != date(2026, 11, 5)}


def test_the_summary_has_medians_by_date_site_and_rule(filled: Models) -> None:
    for number, seconds in enumerate((60, 120, 600)):
        opened = day(20) + number * MINUTE
        acknowledged = {"acknowledged_at": opened + timedelta(seconds=5 + seconds)} if number else {}
        more: dict[str, Any] = {
            "resolved_at": opened + timedelta(seconds=seconds),
            "severity": "critical",
            **acknowledged,
        }
        filled.alert(f"summed {number}", "steady", opened, **more)
    filled.alert("spoken for", "steady", day(20), parent_id="site 20")
    filled.load_alerts(day(20))
    filled.build(*_MODELS)
    filled.build("--select", "alert_summary")
    found = filled.rows(
        """\
SELECT site_id, rule, alerts, critical, open_alerts, spoken_for, acknowledged, median_seconds_to_acknowledge,
    median_seconds_to_resolve
FROM reporting.alert_summary
WHERE opened_date = '2026-11-20'"""
    )
    assert found == [("north", "range", 4, 3, 1, 1, 2, 360.0, 120.0)]
