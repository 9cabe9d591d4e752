"""Facts follow the loads and the registry: each reading as things were at its time, nothing rebuilt without need."""

import os
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from iot_pipeline.defs.models.assets import warehouse_models
from iot_pipeline.defs.models.reports import REPORTS, reports
from iot_pipeline.resources import WarehouseResource
from iot_pipeline.resources.dbt import dbt_resource
from iot_pipeline_tests.integration.dbt_fixture import FACTS, HOUR, Models, day, empty_models

__all__ = ["empty_models"]

SNAPSHOTS = Path(__file__).parents[1] / "unit" / "snapshots" / "dbt"
NEWEST = day(28)
SITES = {"north", "south"}


@dataclass
class Compiled:
    """What dbt sent for each model: in an empty warehouse, and in one with facts."""

    first: dict[str, str]
    later: dict[str, str]


def _sent(models: Models, folder: str) -> dict[str, str]:
    found = {}
    for path in sorted((models.target / folder / "iot_warehouse" / "models").rglob("*.sql")):
        text = re.sub(r"__dbt_tmp\w*", "__dbt_tmp", path.read_text(encoding="utf-8"))
        lines = [line.rstrip() for line in text.splitlines()]
        found[path.stem] = re.sub(r"\n{2,}", "\n\n", "\n".join(lines)).strip() + "\n"
    return found


@pytest.fixture(scope="module")
def compiled(empty_models: Models) -> Compiled:
    """Models built twice from a few hours of two devices, one of which the registry does not know."""
    models = empty_models
    models.register("steady")
    models.register("leaving")
    hours = [
        *models.send("steady", NEWEST, 24),
        *models.send("stranger", NEWEST, 3),
        *models.send("leaving", NEWEST, 1),
    ]
    models.load(set(hours))
    done = models.dbt("build")
    assert done.success, [(r.node.name, r.message) for r in done.result if r.status not in {"success", "pass"}]
    warned = {result.node.name for result in done.result if result.status == "warn"}
    assert warned == {"no_reading_is_unknown"}
    first, selects = _sent(models, "run"), _sent(models, "compiled")
    models.build("--select", "dimensions", "facts")
    replaced, again = _sent(models, "run"), _sent(models, "compiled")
    later = {
        name: (again[name] + ";\n\n" if again[name] != selects[name] else "") + replaced[name]
        for name in again
        if replaced[name] != first[name]
    }
    return Compiled(first, later)


@pytest.fixture
def models(compiled: Compiled, empty_models: Models) -> Models:
    """Facts that are up to date."""
    return empty_models


def test_the_sql_of_every_model_is_as_in_its_snapshot(compiled: Compiled) -> None:
    sent = {f"{name}.sql": sql for name, sql in compiled.first.items()}
    sent |= {f"{name}.later.sql": sql for name, sql in compiled.later.items()}
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOTS.mkdir(exist_ok=True)
        for path in SNAPSHOTS.glob("*.sql"):
            path.unlink()
        for name, sql in sent.items():
            (SNAPSHOTS / name).write_text(sql, encoding="utf-8")
    saved = {path.name: path.read_text(encoding="utf-8") for path in SNAPSHOTS.glob("*.sql")}
    assert saved == sent, "run with UPDATE_SNAPSHOTS=1 and read the difference"


def test_facts_are_the_readings_hour_by_hour_and_an_unknown_device_is_counted(models: Models) -> None:
    loads = models.rows("SELECT event_hour, readings FROM lake.loads ORDER BY 1")
    assert models.rows("SELECT event_hour, readings FROM marts.fact_hours ORDER BY 1") == loads
    counted = "SELECT event_hour, count(*) FROM marts.fact_sensor_readings GROUP BY 1 ORDER BY 1"
    assert [tuple(row) for row in models.rows(counted)] == loads
    unknown = models.rows("SELECT sum(unknown_sensor_readings), sum(unknown_location_readings) FROM marts.fact_hours")
    assert [int(n) for n in unknown[0]] == [18, 18]
    keys = "SELECT DISTINCT sensor_key, location_key, tenant_id FROM marts.fact_sensor_readings"
    assert models.rows(f"{keys} WHERE device_id = 'stranger'") == [("unknown", "unknown", "unknown")]


def test_a_run_without_news_changes_no_fact(models: Models) -> None:
    before = {table: models.versions(table, _column(table)) for table in FACTS}
    models.build()
    assert models.rows("SELECT count(*) FROM marts.stale_hours")[0][0] == 0
    assert {table: models.versions(table, _column(table)) for table in FACTS} == before


def test_statistics_of_a_day(models: Models) -> None:
    models.register("measured", since=day(14) + timedelta(hours=6))
    values = [("measured", day(14) + timedelta(hours=6, minutes=n), n, float(v)) for n, v in _VALUES]
    models.insert("lake.readings", values, "(device_id, event_time, seq, temperature)")
    models.load([day(14) + timedelta(hours=6)])
    models.build()
    daily = models.rows(
        "SELECT value_count, min_value, max_value, avg_value, p50_value, p95_value, expected_intervals, "
        "seen_intervals, gaps, longest_pause_s FROM marts.fact_sensor_daily WHERE device_id = 'measured'"
    )
    # From six o'clock, when the device was registered, to midnight: 18 hours of 6 intervals.
    assert daily == [(5, 1.0, 10.0, pytest.approx(4.0), 3.0, pytest.approx(8.8), 108, 3, 2, 17 * 3600 + 600)]
    (deviation,) = models.rows("SELECT stddev_value, uptime FROM marts.fact_sensor_daily WHERE device_id = 'measured'")
    assert deviation == (pytest.approx(3.5355339), pytest.approx(3 / 108))


# Minutes and values: two readings in each of two intervals, then a pause of 35 minutes, more than 3 intervals.
_VALUES = ((0, 1), (2, 2), (10, 3), (15, 4), (50, 10))


def _column(table: str) -> str:
    return "event_date" if table == "fact_sensor_daily" else "event_hour"


def test_a_move_at_noon_splits_the_day_at_noon_though_recorded_days_later(models: Models) -> None:
    models.register("mover")
    hours = models.send("mover", day(10), 24)
    models.load(hours)
    models.build()
    assert _sites(models, "mover") == {"north": (144, 24, 1)}
    before = models.versions("fact_sensor_readings", "event_hour")

    models.move("mover", "south", day(10) + timedelta(hours=12))
    models.build()
    halves = {"north": (72, 12, 1), "south": (72, 12, 1)}
    assert _sites(models, "mover") == halves
    after = models.versions("fact_sensor_readings", "event_hour")
    changed = {hour for hour in after if after[hour] != before[hour]}
    assert changed == {hour.replace(tzinfo=None) for hour in hours[12:]}, "the morning was right already"

    models.load(hours)
    models.build()
    assert _sites(models, "mover") == halves, "also after a rebuild of the day"
    uptimes = models.rows(
        "SELECT DISTINCT uptime, observed_from, observed_until FROM marts.fact_sensor_daily "
        "WHERE device_id = 'mover' ORDER BY observed_from"
    )
    noon = (day(10) + timedelta(hours=12)).replace(tzinfo=None)
    midnights = [day(n).replace(tzinfo=None) for n in (10, 11)]
    assert uptimes == [(1.0, midnights[0], noon), (1.0, noon, midnights[1])]


def _sites(models: Models, device: str) -> dict[str, tuple[int, int, int]]:
    """By site: readings, hours with hourly facts, daily facts; those of the battery stand for all metrics."""
    found = models.rows(
        f"""\
SELECT l.site_id,
    (SELECT count(*) FROM marts.fact_sensor_readings f
        WHERE f.device_id = '{device}' AND f.location_key = l.location_key),
    (SELECT count(*) FROM marts.fact_sensor_hourly f
        WHERE f.device_id = '{device}' AND f.location_key = l.location_key AND f.metric = 'battery'),
    (SELECT count(*) FROM marts.fact_sensor_daily f
        WHERE f.device_id = '{device}' AND f.location_key = l.location_key AND f.metric = 'battery')
FROM marts.dim_location l
WHERE l.site_id IN ('north', 'south')"""
    )
    return {site: (readings, hourly, daily) for site, readings, hourly, daily in found if readings}


def test_a_move_within_an_hour_splits_the_hour(models: Models) -> None:
    models.register("halves")
    models.load(models.send("halves", day(11), 1))
    models.move("halves", "south", day(11) + timedelta(minutes=30))
    models.build()
    assert _sites(models, "halves") == {"north": (3, 1, 1), "south": (3, 1, 1)}
    assert models.rows("SELECT readings FROM marts.fact_hours WHERE event_hour = '2026-11-11'") == [(6,)]


def test_an_unknown_device_that_becomes_known_is_placed(models: Models) -> None:
    hours = models.send("newcomer", day(12), 2)
    models.load(hours)
    models.build()
    assert _sites(models, "newcomer") == {}
    # Registered as of the second hour: the first stays unknown.
    models.register("newcomer", since=hours[1])
    models.build()
    assert _sites(models, "newcomer") == {"north": (6, 1, 1)}
    books = "SELECT unknown_sensor_readings FROM marts.fact_hours WHERE cast(event_hour AS date) = '2026-11-12'"
    assert [row[0] for row in models.rows(f"{books} ORDER BY event_hour")] == [6, 0]
    models.build()
    assert models.rows("SELECT count(*) FROM marts.stale_hours")[0][0] == 0, (
        "what cannot be placed is not tried for ever"
    )


def test_a_late_reading_rebuilds_its_hour_its_day_and_health_and_nothing_else(models: Models) -> None:
    models.register("late")
    hours = models.send("late", day(13), 3)
    models.load(hours)
    models.build()
    before = {table: models.versions(table, _column(table)) for table in FACTS}

    models.send("late", hours[1] + timedelta(minutes=5))
    models.load([hours[1]])
    models.build()
    after = {table: models.versions(table, _column(table)) for table in FACTS}
    for table in FACTS:
        touched = {key for key in after[table] if after[table][key] != before[table].get(key)}
        expected: datetime | date = hours[1].replace(tzinfo=None)
        assert touched == {expected if _column(table) == "event_hour" else date(2026, 11, 13)}, table
    assert models.rows("SELECT readings FROM marts.fact_hours WHERE event_hour = '2026-11-13 01:00:00'") == [(12,)]
    daily = "SELECT value_count FROM marts.fact_sensor_daily WHERE device_id = 'late' AND metric = 'battery'"
    assert models.rows(daily) == [(24,)]


@pytest.mark.parametrize(
    "done", [("stale_hours",), ("fact_sensor_readings",), ("fact_sensor_hourly",), ("fact_sensor_daily",)]
)
def test_a_run_that_broke_off_after_any_model_is_finished_by_the_next(models: Models, done: tuple[str]) -> None:
    device = f"crash-{done[0]}"
    models.register(device)
    models.load(models.send(device, day(15), 2))
    models.build()
    # What a dimension made stale looks right again as soon as the hourly facts are: the books must remember.
    models.move(device, "south", day(15) + HOUR)
    order = ["stale_hours", "fact_sensor_readings", "fact_sensor_hourly", "stale_dates", "fact_sensor_daily"]
    models.build("--select", "dimensions", *order[: order.index(done[0]) + 1])
    models.build()
    assert _sites(models, device) == {"north": (6, 1, 1), "south": (6, 1, 1)}
    assert models.rows("SELECT count(*) FROM marts.fact_hours WHERE location IS NULL")[0][0] == 0


def test_an_hour_that_is_no_longer_loaded_leaves_the_facts(models: Models) -> None:
    models.register("gone")
    models.load(models.send("gone", day(16), 1))
    models.build()
    models.execute("DELETE FROM lake.readings WHERE device_id = 'gone'")
    models.execute("DELETE FROM lake.loads WHERE event_hour = '2026-11-16'")
    models.build()
    for table in FACTS:
        left = models.rows(f"SELECT count(*) FROM marts.{table} WHERE {_column(table)} = '2026-11-16'")
        assert left[0][0] == 0, table


def test_health_is_as_of_the_newest_hour(models: Models) -> None:
    models.register("never")
    models.build()
    found = models.rows("SELECT device_id, status, as_of, expected_24h, received_24h FROM marts.fact_device_health")
    health = {device: rest for device, *rest in found}
    as_of = (NEWEST + 23 * HOUR).replace(tzinfo=None)
    assert health["steady"] == ["healthy", as_of, 144, 138]
    assert health["stranger"][0] == "unregistered"
    assert health["never"][0] == "never seen"
    assert health["leaving"][:2] == ["silent", as_of]


@pytest.fixture
def backlog(models: Models) -> int:
    """More stale hours than one run of dbt takes."""
    hours = [hour for n in range(200) for hour in models.send("steady", day(1) + n * HOUR)[:1]]
    models.load(hours)
    return len(hours)


def test_dagster_builds_until_nothing_is_stale_and_reports(models: Models, backlog: int) -> None:
    result = dg.materialize(
        [warehouse_models, *reports],
        resources={"dbt": dbt_resource(), "warehouse": WarehouseResource()},
    )
    assert result.success
    assert models.rows("SELECT count(*) FROM lake.loads") == models.rows("SELECT count(*) FROM marts.fact_hours")
    evaluated = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert evaluated["facts_equal_curated"].passed
    assert evaluated["no_reading_is_unknown"].severity is dg.AssetCheckSeverity.WARN
    assert {name for name, check in evaluated.items() if not check.passed} == {"no_reading_is_unknown"}
    books = _metadata(result, "fact_hours")
    assert int(str(books["of unknown sensors"].value)) >= 18
    for report in REPORTS:
        assert "report" in _metadata(result, report.name)
    assert "steady" in str(_metadata(result, "report_worst_sensors")["report"].value)


def _metadata(result: dg.ExecuteInProcessResult, name: str) -> dict[str, dg.MetadataValue]:
    (event,) = (
        result.asset_materializations_for_node(name)
        if name.startswith("report_")
        else [
            event
            for event in result.asset_materializations_for_node("warehouse_models")
            if event.asset_key.path == [name]
        ]
    )
    return dict(event.metadata)
