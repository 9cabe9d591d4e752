"""What a simulated quarter expects and counts: the fleet's list against the contract, the least builds, alerts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from infra.local.bench.quarter.books import Rows, differences, expected_refused, expected_rows
from infra.local.bench.quarter.needed_builds import NeededBuilds
from infra.local.bench.quarter.simulation import wider_contract
from infra.local.bench.quarter.small_fleet import Fate, Measured, Message, SmallFleet
from infra.local.bench.quarter.timetable import HOUR, Timetable, Trouble, timetable
from infra.local.bench.quarter.told_alerts import alerts_of, told
from iot_pipeline.contract import CONTRACT, Contract
from iot_pipeline.contract.judge import Judge
from iot_pipeline.lake.hours import Hour
from iot_pipeline.settings import Policy
from simulator.fleet import make_fleet

START = datetime(2026, 8, 3, tzinfo=UTC)
DEVICES = make_fleet(6).devices


@pytest.fixture(scope="module")
def fleet() -> SmallFleet:
    """Four days of it, with every trouble."""
    made = SmallFleet(DEVICES, timetable(START, 4), seed=1)
    for hour in made.timetable.hours:
        made.deliver(hour)
    return made


@pytest.mark.parametrize(("contract", "takes_hot"), [(CONTRACT, False), (wider_contract(Policy()), True)])
def test_the_list_says_what_the_contract_says(fleet: SmallFleet, contract: Contract, takes_hot: bool) -> None:
    """Each line of all four days is judged; the list was made without the contract."""
    judge, valid, refused = Judge(contract), Counter[tuple[str, int, float | None]](), Counter[Hour]()
    for message in fleet.delivered:
        for reading in judge.line(message.line(bytes(16))):
            if reading.outcome == "valid":
                valid[message.device.device_id, reading.seq or 0, reading.values.get("temperature")] += 1
            else:
                refused[Hour.of(message.received)] += 1
    expected = expected_rows(fleet.measured, fleet.delivered, takes_hot=takes_hot)
    rows = {(device, seq, temperature) for each in expected.values() for ((device, _, seq), temperature) in each}
    assert rows == set(valid)
    assert max(valid.values()) == 2, "a burst sends each message twice"
    assert refused == expected_refused(fleet.delivered, takes_hot=takes_hot)


def test_every_fate_is_met_and_what_was_lost_is_not_expected(fleet: SmallFleet) -> None:
    fates = Counter(each.fate for each in fleet.measured)
    assert set(fates) == set(Fate)
    expected = expected_rows(fleet.measured, fleet.delivered, takes_hot=True)
    assert sum(each.total() for each in expected.values()) == fates[Fate.VALID] + fates[Fate.HOT]


def test_the_same_seed_gives_the_same_messages(fleet: SmallFleet) -> None:
    again = SmallFleet(DEVICES, fleet.timetable, seed=1)
    assert [each for hour in fleet.timetable.hours for each in again.deliver(hour)] == fleet.delivered


def test_what_is_held_is_delivered_later_in_the_hours_of_its_arrival() -> None:
    table = timetable(START, 2)
    made = SmallFleet(DEVICES, table, seed=1)
    (held,) = (each for each in table.periods if each.trouble is Trouble.HELD)
    by_hour = {hour: made.deliver(hour) for hour in table.hours}
    during = [hour for hour in table.hours if held.first <= hour < held.end]
    assert during
    assert not any(by_hour[hour] for hour in during)
    arrivals = {Hour.of(message.received) for message in by_hour[held.end]}
    assert {Hour.of(hour) for hour in during} <= arrivals


def test_a_difference_names_the_zone_and_the_hour() -> None:
    hour = Hour.of(START)
    right: Rows = {hour: Counter({(("a", 1, 1), 20.0): 1, (("a", 2, 2), 21.0): 1})}
    wrong: Rows = {
        hour: Counter({(("a", 1, 1), 20.0): 2, (("a", 2, 2), 99.0): 1}),
        hour + 1: Counter({(("b", 1, 1), 1.0): 1}),
    }
    assert differences("curated", right, right) == []
    assert [str(each) for each in differences("curated", right, wrong)] == [
        "curated 2026-08-03 00:00Z: 1 rows are missing, 2 should not be there",
        "curated 2026-08-03 01:00Z: 0 rows are missing, 1 should not be there",
    ]


def _message(received: datetime, *fates: Fate) -> Message:
    readings = [
        Measured(DEVICES[0].device_id, received - (n + 1) * HOUR, n, 20.0, fate) for n, fate in enumerate(fates)
    ]
    return Message(DEVICES[0], received, readings)


def test_the_least_builds() -> None:
    needed = NeededBuilds()
    needed.arrive([_message(START, Fate.VALID, Fate.REFUSED)])
    needed.build()
    assert (needed.judged, needed.curated) == (1, 1)
    needed.build()
    assert (needed.judged, needed.curated) == (1, 1), "nothing is new"
    for late in range(3):  # nothing can be built meanwhile
        needed.arrive([_message(START + late * HOUR, Fate.VALID, Fate.HOT)])
    needed.build()
    assert (needed.judged, needed.curated) == (4, 4)
    needed.change_contract()
    needed.build()
    assert (needed.judged, needed.curated) == (7, 7), "the three hours with a reading that was refused"


def _episode(kind: str, opened: datetime, resolved: datetime | None = None, **more: object) -> dict[str, object]:
    at = {"recorded_ms": round(opened.timestamp() * 1000)}
    if resolved:
        at["resolution_ms"] = round(resolved.timestamp() * 1000)
    return {"rule": kind, "subject": "it", "about": "", **at, **more}


def _problems(table: Timetable, episodes: Sequence[dict[str, object]]) -> tuple[list[list[str]], int]:
    found, others = told(table.periods, alerts_of(episodes))
    return [each.problems for each in found], len(others)


def test_a_trouble_is_one_alert_in_time() -> None:
    whole = timetable(START, 14)
    table = replace(whole, periods=[each for each in whole.periods if each.trouble is Trouble.DEAD_DAEMON])
    (dead,) = table.periods
    quarter = timedelta(minutes=15)
    good = _episode("dead_daemon", dead.first + quarter, dead.end + quarter)
    assert _problems(table, [good]) == ([[]], 0)
    child = _episode("no_tick", dead.first + quarter, dead.end, parent="it")
    assert _problems(table, [good, child]) == ([[]], 0), "people are not told of what another speaks for"
    assert _problems(table, []) == ([["0 alerts dead_daemon, wanted one"]], 0)
    assert _problems(table, [good, good]) == ([["2 alerts dead_daemon, wanted one"]], 0)
    late = _episode("dead_daemon", dead.first + 2 * HOUR, dead.end + 3 * HOUR)
    assert _problems(table, [late])[0] == [["opened 2:00:00 after it began", "resolved 3:00:00 after it ended"]]
    assert _problems(table, [_episode("dead_daemon", dead.first)])[0] == [["never resolved"]]
    beside = _episode("no_tick", dead.end, dead.end + quarter)
    assert _problems(table, [good, beside])[0] == [["no_tick beside it: it"]]
    assert _problems(table, [good, _episode("no_tick", START)]) == ([[]], 1)


def test_each_fortnight_has_every_trouble_and_the_contract_changes_once() -> None:
    table = timetable(START, 91)
    counts = Counter(each.trouble for each in table.periods)
    assert counts.pop(Trouble.CONTRACT_CHANGE) == 1
    assert set(counts.values()) == {6}
    assert all(each.end < table.hours[-1] for each in table.periods)
    ordered = sorted(table.periods, key=lambda each: each.first)
    assert all(a.end <= b.first for a, b in pairwise(ordered)), "one trouble at a time"
    with pytest.raises(ValueError, match="0 days are too few"):
        timetable(START, 0)


def test_a_trouble_has_begun_from_its_first_hour_on() -> None:
    table = timetable(START, 14)
    first, second, *_ = table.periods
    assert table.begun(first.first - HOUR) == []
    assert table.begun(first.first) == table.begun(second.first - HOUR) == [first]
    assert table.begun(table.hours[-1]) == table.periods
