"""One device's clock says nothing about other devices: their facts are the same with and without it, however built."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from iot_pipeline.defs.models.reports import REPORTS
from iot_pipeline_tests.support.models import HOUR, Models, day

MINUTE = timedelta(minutes=1)
# Two days until half past eleven in the evening: a clock that is ahead by more is in a day that has not begun.
START, HOURS = day(20), 47.5
AS_OF = (START + 47 * HOUR).replace(tzinfo=None)
TODAY = date(2026, 11, 21)
# Up to the contract's bounds: an hour ahead, 30 days behind.
OFFSETS = {
    "55 minutes ahead": 55 * MINUTE,
    "an hour ahead": 60 * MINUTE,
    "40 minutes behind": -40 * MINUTE,
    "3 hours behind": -3 * HOUR,
    "29 days behind": -29 * 24 * HOUR,
}

Rows = dict[str, list[tuple[Any, ...]]]
OF_OTHERS = (
    "marts.fact_sensor_readings",
    "marts.fact_sensor_hourly",
    "marts.fact_sensor_daily",
    "marts.fact_device_health",
    "reporting.current_device_health",
    # A place is one among all devices.
    "(SELECT device_id, days, uptime, gaps, status, last_seen FROM reporting.worst_sensors) AS worst",
)


@dataclass
class Fleet:
    """A warehouse whose devices have right clocks, but for one that comes and goes."""

    models: Models
    alone: Rows

    def with_odd(self, ahead: timedelta) -> None:
        """Load what the odd device sends with such a clock, as the load of its hours does, and model it."""
        models = self.models
        before = models.rows(
            "SELECT DISTINCT date_trunc('hour', event_time) FROM lake.readings WHERE device_id = 'odd'"
        )
        models.execute("DELETE FROM lake.readings WHERE device_id = 'odd'")
        for (hour,) in before:
            models.execute(f"DELETE FROM lake.loads WHERE event_hour = '{hour:%Y-%m-%d %H:%M:%S}'")
        models.load({*(hour for (hour,) in before), *models.send("odd", START, HOURS, ahead=ahead)})
        models.build()


@pytest.fixture(scope="module")
def fleet(empty_models: Models) -> Fleet:
    models = empty_models
    for device in ("steady", "stopped", "lossy", "odd", "mute"):
        models.register(device, since=day(19))
    hours = {*models.send("steady", START, HOURS), *models.send("stopped", START, 30)}
    hours |= {*models.send("lossy", START, HOURS, every=30 * MINUTE), *models.send("stranger", START, HOURS)}
    models.load(hours)
    models.build("--select", "staging", "dimensions", "facts", "reporting")
    return Fleet(models, _others(models))


def _others(models: Models) -> Rows:
    found = {table: models.rows(f"SELECT * FROM {table} WHERE device_id <> 'odd'") for table in OF_OTHERS}
    # The order in which floating-point numbers are added up is the engine's.
    rounded = {table: sorted((tuple(map(_rounded, row)) for row in rows), key=repr) for table, rows in found.items()}
    rounded["the fleet's dates"] = models.rows(
        "SELECT event_date, tenant_id, hours FROM reporting.fleet_daily_summary "
        f"WHERE event_date >= '{START:%Y-%m-%d}' ORDER BY 1, 2"
    )
    return rounded


def _rounded(cell: object) -> object:
    return round(cell, 9) if isinstance(cell, float) else cell


def _health(models: Models) -> dict[str, Any]:
    return dict(models.rows("SELECT device_id, status FROM marts.fact_device_health"))


def _own(models: Models, column: str) -> list[Any]:
    sql = f"SELECT DISTINCT {column} FROM marts.fact_sensor_daily WHERE device_id = 'odd' AND {column} IS NOT NULL"
    return [row[0] for row in models.rows(sql)]


def test_now_is_the_hour_of_the_last_arrival(fleet: Fleet) -> None:
    assert _health(fleet.models)["steady"] == "healthy"
    assert all(fleet.alone.values())
    assert fleet.models.rows("SELECT as_of FROM marts.clock") == [(AS_OF,)]


@pytest.mark.parametrize("ahead", OFFSETS.values(), ids=OFFSETS)
def test_the_facts_of_the_others_are_the_same_with_one_odd_clock(fleet: Fleet, ahead: timedelta) -> None:
    fleet.with_odd(ahead)
    assert _others(fleet.models) == fleet.alone
    health = _health(fleet.models)
    assert {device: health[device] for device in ("steady", "stopped", "lossy", "mute", "stranger")} == {
        "steady": "healthy",
        "stopped": "silent",
        "lossy": "losing readings",
        "mute": "never seen",
        "stranger": "unregistered",
    }
    assert health["odd"] == "healthy", "it sends all it should, whatever its clock says"


def test_a_fast_clock_is_no_silence_of_its_own(fleet: Fleet) -> None:
    fleet.with_odd(55 * MINUTE)
    # The first 55 minutes of the first day, by its clock, were before it was switched on.
    assert _own(fleet.models, "gaps") in ([0], [0, 1], [1, 0])
    tomorrow = (
        "SELECT DISTINCT gaps, uptime, longest_pause_s FROM marts.fact_sensor_daily WHERE event_date = '2026-11-22'"
    )
    assert fleet.models.rows(f"{tomorrow} AND device_id = 'odd'") == [(0, None, 600)]


def test_a_sensor_that_sent_nothing_is_among_the_worst(fleet: Fleet) -> None:
    fleet.with_odd(-29 * 24 * HOUR)
    worst = fleet.models.rows("SELECT device_id, days, uptime, status FROM reporting.worst_sensors ORDER BY place")
    assert worst[0] == ("mute", 2, 0.0, "never seen")
    assert "odd" not in {row[0] for row in worst}, "it sends, though by its clock not on these dates"


def test_a_day_that_has_not_begun_is_in_no_report(fleet: Fleet) -> None:
    fleet.with_odd(55 * MINUTE)
    for view in ("fleet_daily_summary", "site_comparison"):
        assert fleet.models.rows(f"SELECT max(event_date) FROM reporting.{view}") == [(TODAY,)]
    (summary,) = [report for report in REPORTS if report.view == "fleet_daily_summary"]
    newest = fleet.models.rows(summary.sql)[0]
    assert (str(newest[0]), newest[3]) == (str(TODAY), 4), "steady, lossy, odd and, in the morning, stopped"


@pytest.mark.parametrize("ahead", [55 * MINUTE, -3 * HOUR], ids=["ahead", "behind"])
def test_a_full_build_gives_the_rows_of_the_incremental_one(fleet: Fleet, ahead: timedelta) -> None:
    fleet.with_odd(ahead)
    before = _all(fleet.models)
    fleet.models.build("--full-refresh", "--select", "dimensions", "facts")
    assert _all(fleet.models) == before
    assert _others(fleet.models) == fleet.alone


def _all(models: Models) -> Rows:
    tables = (table for table in OF_OTHERS if table.startswith("marts."))
    return {
        table: sorted((tuple(map(_rounded, row)) for row in models.rows(f"SELECT * FROM {table}")), key=repr)
        for table in (*tables, "marts.clock")
    }


def test_old_hours_that_are_loaded_now_do_not_move_now(fleet: Fleet) -> None:
    fleet.with_odd(55 * MINUTE)
    fleet.models.load(fleet.models.send("stopped", day(19), 3))
    fleet.models.build()
    assert fleet.models.rows("SELECT as_of FROM marts.clock") == [(AS_OF,)]
    daily = "SELECT max(observed_until) FROM marts.fact_sensor_daily WHERE device_id = 'steady'"
    assert fleet.models.rows(daily) == [(AS_OF,)]


def test_readings_that_no_load_accounts_for_do_not_move_now(fleet: Fleet) -> None:
    later: datetime = day(25)
    fleet.models.send("stopped", later)
    fleet.models.build()
    assert fleet.models.rows("SELECT as_of FROM marts.clock") == [(AS_OF,)]
    fleet.models.execute(f"DELETE FROM lake.readings WHERE event_time >= '{later:%Y-%m-%d}'")


def test_a_full_refresh_of_some_facts_is_refused_with_nothing_changed(fleet: Fleet) -> None:
    before = _all(fleet.models)
    done = fleet.models.dbt("run", "--full-refresh", "--select", "fact_sensor_daily")
    assert not done.success
    assert "model.iot_warehouse.stale_dates" in str(done.exception or [r.message for r in done.result])
    assert _all(fleet.models) == before
