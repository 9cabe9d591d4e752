"""Facts follow the loads and the registry: each reading as things were at its time, nothing rebuilt without need.

A run of dbt takes seconds, so that a few serve all tests: one fills the facts, one has no news, one follows the news of
all devices at once, each of which has a day of its own.
"""

import os
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from iot_pipeline_tests.support.models import FACTS, HOUR, Models, day

SNAPSHOTS = Path(__file__).parents[2] / "unit" / "warehouse" / "snapshots" / "dbt"
NEWEST = day(28)
NOON = timedelta(hours=12)
# Minutes after six o'clock, and values: two readings in each of two intervals, then a pause of more than 3 intervals.
MEASURED = ((0, 1.0), (2, 2.0), (10, 3.0), (15, 4.0), (50, 10.0))

Versions = dict[str, dict[Any, set[tuple[str, str]]]]


@dataclass
class Filled:
    """After the first run, which filled the facts, and the second, which had no news."""

    models: Models
    first_sql: dict[str, str]
    later_sql: dict[str, str]
    after_first: Versions
    after_second: Versions


@dataclass
class Followed:
    """After a run that followed the news."""

    models: Models
    before: Versions
    after: Versions


@pytest.fixture(scope="module")
def filled(empty_models: Models) -> Filled:
    models = empty_models
    for device in ("steady", "leaving", "never", "mover", "halves", "late", "gone"):
        models.register(device)
    models.register("renamed", "west")
    models.register("paced")
    models.register("measured", since=day(14) + timedelta(hours=6))
    hours = models.send("steady", NEWEST, 24) + models.send("stranger", NEWEST, 3) + models.send("leaving", NEWEST)
    hours += models.send("mover", day(10), 24) + models.send("halves", day(11)) + models.send("newcomer", day(12), 2)
    hours += models.send("renamed", day(17), 2) + models.send("paced", day(18))
    hours += models.send("late", day(13), 3) + models.send("gone", day(16)) + [day(14) + timedelta(hours=6)]
    rows = [("measured", day(14) + timedelta(hours=6, minutes=n), n, value) for n, value in MEASURED]
    models.insert("lake.readings", rows, "(device_id, event_time, seq, temperature)")
    models.load(set(hours))
    done = models.dbt("build")
    assert done.success, [(r.node.name, r.message) for r in done.result if r.status not in {"success", "pass"}]
    assert {r.node.name for r in done.result if r.status == "warn"} == {"no_reading_is_unknown"}
    first, selects, after_first = _sent(models, "run"), _sent(models, "compiled"), _versions(models)
    # The same rows at another place: a rewrite, or a compaction.
    models.execute("UPDATE lake.loads SET location = location || 'moved/'")
    models.build()
    replaced, again = _sent(models, "run"), _sent(models, "compiled")
    later = {
        name: (again[name] + ";\n\n" if again[name] != selects[name] else "") + replaced[name]
        for name in again
        if replaced[name] != first[name]
    }
    return Filled(models, first, later, after_first, _versions(models))


@pytest.fixture(scope="module")
def followed(filled: Filled) -> Followed:
    models, before = filled.models, filled.after_second
    models.move("mover", "south", day(10) + NOON)
    models.move("halves", "south", day(11) + timedelta(minutes=30))
    # Registered as of the second hour: the first stays unknown.
    models.register("newcomer", since=day(12) + HOUR)
    models.send("late", day(13) + timedelta(minutes=65))
    models.load([day(13) + HOUR])
    models.rename("west", "West wing", day(17) + HOUR)
    models.execute("UPDATE registry.device_versions SET expected_interval_s = 300 WHERE device_id = 'paced'")
    models.execute("DELETE FROM lake.readings WHERE device_id = 'gone'")
    models.execute("DELETE FROM lake.loads WHERE event_hour = '2026-11-16'")
    models.build()
    return Followed(models, before, _versions(models))


def _sent(models: Models, folder: str) -> dict[str, str]:
    found = {}
    for path in sorted((models.target / folder / "iot_warehouse" / "models").glob("*/*.sql")):
        text = re.sub(r"__dbt_tmp\w*", "__dbt_tmp", path.read_text(encoding="utf-8"))
        lines = [line.rstrip() for line in text.splitlines()]
        found[path.stem] = re.sub(r"\n{2,}", "\n\n", "\n".join(lines)).strip() + "\n"
    return found


def _column(table: str) -> str:
    return "event_date" if table == "fact_sensor_daily" else "event_hour"


def _versions(models: Models) -> Versions:
    return {table: models.versions(table, _column(table)) for table in FACTS}


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def _sites(models: Models, device: str) -> dict[str, tuple[int, int, int]]:
    """By site: readings, hours with hourly facts, daily facts; those of the battery stand for all metrics."""
    found: dict[str, list[int]] = {}
    for place, (table, only) in enumerate(
        [
            ("fact_sensor_readings", ""),
            ("fact_sensor_hourly", "AND facts.metric = 'battery'"),
            ("fact_sensor_daily", "AND facts.metric = 'battery'"),
        ]
    ):
        for site, rows in models.rows(
            f"""\
SELECT locations.site_id, count(*)
FROM marts.{table} AS facts JOIN marts.dim_location AS locations ON locations.location_key = facts.location_key
WHERE facts.device_id = '{device}' {only}
GROUP BY 1"""
        ):
            found.setdefault(site, [0, 0, 0])[place] = rows
    return {site: (readings, hourly, daily) for site, (readings, hourly, daily) in found.items()}


def _stale(models: Models) -> int:
    return int(models.rows("SELECT count(*) FROM marts.stale_hours")[0][0])


def test_the_sql_of_every_model_is_as_in_its_snapshot(filled: Filled) -> None:
    sent = {f"{name}.sql": sql for name, sql in filled.first_sql.items()}
    sent |= {f"{name}.later.sql": sql for name, sql in filled.later_sql.items()}
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOTS.mkdir(exist_ok=True)
        for path in SNAPSHOTS.glob("*.sql"):
            path.unlink()
        for name, sql in sent.items():
            (SNAPSHOTS / name).write_text(sql, encoding="utf-8")
    saved = {path.name: path.read_text(encoding="utf-8") for path in SNAPSHOTS.glob("*.sql")}
    assert saved == sent, "run with UPDATE_SNAPSHOTS=1 and read the difference"


def test_a_run_without_news_changes_no_fact(filled: Filled) -> None:
    """That the loads' rows lie elsewhere by then is no news: their content is the same."""
    assert filled.after_second == filled.after_first
    assert all(filled.after_first.values())


def test_facts_are_the_readings_hour_by_hour(followed: Followed) -> None:
    loads = followed.models.rows("SELECT event_hour, readings FROM lake.loads ORDER BY 1")
    books = "SELECT event_hour, readings FROM marts.fact_hours WHERE readings = hourly_readings ORDER BY 1"
    assert followed.models.rows(books) == loads
    counted = "SELECT event_hour, count(*) FROM marts.fact_sensor_readings GROUP BY 1 ORDER BY 1"
    assert followed.models.rows(counted) == loads


def test_an_unknown_device_has_the_default_members_and_is_counted(followed: Followed) -> None:
    keys = "SELECT DISTINCT sensor_key, location_key, tenant_id FROM marts.fact_sensor_readings"
    assert followed.models.rows(f"{keys} WHERE device_id = 'stranger'") == [("unknown", "unknown", "unknown")]
    books = "SELECT sum(unknown_sensor_readings), sum(unknown_location_readings) FROM marts.fact_hours"
    (counts,) = followed.models.rows(f"{books} WHERE event_hour >= '2026-11-28'")
    assert [int(n) for n in counts] == [18, 18]


def test_exactly_what_has_news_is_rebuilt(followed: Followed) -> None:
    mover = {day(10) + n * HOUR for n in range(12, 24)}
    hours = {_naive(hour) for hour in {*mover, day(11), day(12) + HOUR, day(13) + HOUR, day(16), day(17) + HOUR}}
    # The day of the corrected interval has no new hour, only other expectations.
    dates = {date(2026, 11, n) for n in (10, 11, 12, 13, 16, 17, 18)}
    for table in FACTS:
        before, after = followed.before[table], followed.after[table]
        touched = {key for key in {*before, *after} if after.get(key) != before.get(key)}
        assert touched == (hours if _column(table) == "event_hour" else dates), table


def test_statistics_of_a_day(filled: Filled) -> None:
    (found,) = filled.models.rows(
        """\
SELECT value_count, min_value, max_value, avg_value, stddev_value, p50_value, p95_value, expected_intervals,
    seen_intervals, uptime, gaps, longest_pause_s
FROM marts.fact_sensor_daily
WHERE device_id = 'measured'"""
    )
    # From six o'clock, when the device was registered, to midnight: 18 hours of 6 intervals, and a pause to midnight.
    intervals, pause = 18 * 6, 17 * 3600 + 600
    near = pytest.approx
    assert found == (5, 1.0, 10.0, near(4.0), near(3.5355339), 3.0, near(8.8), intervals, 3, near(3 / 108), 2, pause)


def test_a_move_at_noon_recorded_days_later_splits_the_day_at_noon(followed: Followed) -> None:
    assert _sites(followed.models, "mover") == {"north": (72, 12, 1), "south": (72, 12, 1)}
    pieces = followed.models.rows(
        "SELECT DISTINCT uptime, observed_from, observed_until FROM marts.fact_sensor_daily "
        "WHERE device_id = 'mover' ORDER BY observed_from"
    )
    midnight, noon, next_midnight = _naive(day(10)), _naive(day(10) + NOON), _naive(day(11))
    assert pieces == [(1.0, midnight, noon), (1.0, noon, next_midnight)]


def test_a_move_within_an_hour_splits_the_hour(followed: Followed) -> None:
    assert _sites(followed.models, "halves") == {"north": (3, 1, 1), "south": (3, 1, 1)}
    assert followed.models.rows("SELECT readings FROM marts.fact_hours WHERE event_hour = '2026-11-11'") == [(6,)]


def test_a_site_that_changes_has_its_readings_as_it_was(followed: Followed) -> None:
    names = """\
SELECT facts.event_hour, locations.site_name
FROM marts.fact_sensor_hourly AS facts
JOIN marts.dim_location AS locations ON locations.location_key = facts.location_key
WHERE facts.device_id = 'renamed' AND facts.metric = 'battery'
ORDER BY 1"""
    first = _naive(day(17))
    assert followed.models.rows(names) == [(first, "west"), (first + HOUR, "West wing")]


def test_a_corrected_interval_corrects_the_expectation(followed: Followed) -> None:
    daily = "SELECT expected_intervals, seen_intervals FROM marts.fact_sensor_daily WHERE device_id = 'paced'"
    assert set(followed.models.rows(daily)) == {(24 * 12, 6)}


def test_a_device_that_becomes_known_is_placed_from_then_on(followed: Followed) -> None:
    assert _sites(followed.models, "newcomer") == {"north": (6, 1, 1), "unknown": (6, 1, 1)}
    books = "SELECT unknown_sensor_readings FROM marts.fact_hours WHERE cast(event_hour AS date) = '2026-11-12'"
    assert [row[0] for row in followed.models.rows(f"{books} ORDER BY event_hour")] == [6, 0]


def test_late_readings_are_in_their_hour_and_day(followed: Followed) -> None:
    hour = "SELECT readings FROM marts.fact_hours WHERE event_hour = '2026-11-13 01:00:00'"
    daily = "SELECT value_count FROM marts.fact_sensor_daily WHERE device_id = 'late' AND metric = 'battery'"
    assert followed.models.rows(hour) == [(12,)]
    assert followed.models.rows(daily) == [(24,)]


def test_an_hour_that_is_no_longer_loaded_leaves_the_facts(followed: Followed) -> None:
    for table in FACTS:
        assert "2026-11-16" not in {str(key)[:10] for key in followed.after[table]}


def test_health_is_as_of_the_newest_hour(followed: Followed) -> None:
    found = followed.models.rows(
        "SELECT device_id, status, as_of, expected_24h, received_24h FROM marts.fact_device_health"
    )
    health = {device: tuple(rest) for device, *rest in found}
    as_of = _naive(NEWEST + 23 * HOUR)
    assert health["steady"] == ("healthy", as_of, 144, 138)
    assert health["stranger"][0] == "unregistered"
    assert health["never"][0] == "never seen"
    assert health["leaving"][:2] == ("silent", as_of)


@pytest.mark.parametrize(
    ("last", "device", "at", "placed"),
    [
        ("fact_sensor_hourly", "late", day(13) + HOUR, {"north": (6, 1, 1), "south": (18, 2, 1)}),
        ("fact_sensor_daily", "steady", NEWEST + NOON, {"north": (72, 12, 1), "south": (72, 12, 1)}),
    ],
)
def test_a_run_that_broke_off_is_finished_by_the_next(
    followed: Followed, last: str, device: str, at: datetime, placed: dict[str, tuple[int, int, int]]
) -> None:
    models = followed.models
    # What the registry made stale looks right again as soon as the hourly facts are: the books must remember.
    models.move(device, "south", at)
    order = ["stale_hours", "fact_sensor_readings", "fact_sensor_hourly", "stale_dates", "fact_sensor_daily"]
    models.build("--select", "dimensions", *order[: order.index(last) + 1])
    unbuilt = "SELECT count(*) FROM marts.fact_hours WHERE content IS NULL"
    assert models.rows(unbuilt) == [(placed["south"][1],)]
    models.build()
    assert _sites(models, device) == placed
    assert models.rows(unbuilt) == [(0,)]


def test_a_rebuild_of_the_whole_day_changes_no_placement_and_a_newer_hour_ends_the_last_day(followed: Followed) -> None:
    models = followed.models
    before = _sites(models, "mover")
    last_day = "SELECT max(observed_until) FROM marts.fact_sensor_daily WHERE event_date = '2026-11-28'"
    assert models.rows(last_day) == [(_naive(NEWEST + 23 * HOUR),)]
    models.load([*(day(10) + n * HOUR for n in range(24)), *models.send("steady", day(29))])
    models.build()
    assert _stale(models) == 25
    assert _sites(models, "mover") == before
    assert models.rows(last_day) == [(_naive(day(29)),)]
    models.build("--select", "stale_hours")
    assert _stale(models) == 0, "what cannot be placed is not tried for ever"
