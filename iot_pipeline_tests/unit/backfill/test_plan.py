"""A plan as people and files hold it."""

from datetime import UTC, datetime

import pytest

from iot_pipeline.backfill.plan import MEANINGS, Plan, PlanError, Step, Why, Zone, ranges
from iot_pipeline.lake.hours import Hour

FIRST = Hour.of(datetime(2026, 11, 1, tzinfo=UTC))


def _plan(*steps: Step) -> Plan:
    return Plan("p", FIRST, FIRST + 300, datetime(2026, 11, 28, 12, 0, 0, 5, tzinfo=UTC), list(steps))


def test_a_plan_comes_back_from_its_file_as_it_was() -> None:
    plan = _plan(Step(Zone.JUDGED, FIRST, Why.CONTRACT, 5), Step(Zone.WAREHOUSE, FIRST + 3, Why.FOLLOWS, 0))
    assert Plan.decode(plan.encode()) == plan


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": "p", "steps": [["judged"]]}', "null"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="no plan"):
        Plan.decode(text)


def test_batches_are_what_one_statement_builds_in_the_order_of_the_hours() -> None:
    plan = _plan(*(Step(Zone.CURATED, FIRST + n, Why.STALE, 1) for n in reversed(range(250))))
    batches = list(plan.batches(Zone.CURATED))
    assert [len(batch) for batch in batches] == [100, 100, 50]
    assert [step.hour for batch in batches for step in batch] == [FIRST + n for n in range(250)]
    assert list(plan.batches(Zone.JUDGED)) == []


def test_a_plan_costs_what_its_statements_read_and_ten_megabytes_each_at_least() -> None:
    nothing = _plan(Step(Zone.CURATED, FIRST, Why.STALE, 1))
    assert nothing.dollars == pytest.approx(7 * 10 * 1024**2 / 1024**4 * 5)
    terabyte = _plan(Step(Zone.JUDGED, FIRST, Why.MISSING, 1024**4))
    assert terabyte.dollars == pytest.approx(2 * 5, rel=1e-3), "it is read twice"
    assert _plan(Step(Zone.WAREHOUSE, FIRST, Why.STALE, 1024**4)).dollars == 0, "COPY is Redshift's"
    terabyte.check_budget(10.01)
    with pytest.raises(PlanError, match=r"plan p may cost 10\.00 USD, the budget is 5\.00"):
        terabyte.check_budget(5)


def test_the_table_has_a_row_for_each_zone_and_reason() -> None:
    plan = _plan(
        Step(Zone.CURATED, FIRST, Why.STALE, 1000),
        Step(Zone.CURATED, FIRST + 1, Why.STALE, 500),
        Step(Zone.CURATED, FIRST + 9, Why.FORCED, 1),
        Step(Zone.JUDGED, FIRST, Why.MISSING, 7),
    )
    rows = [row[:5] for row in plan.rows()]
    assert rows == [
        ("judged", "missing", "1", "2026-11-01 00:00Z", "7"),
        ("curated", "stale", "2", "2026-11-01 00:00Z to 2026-11-01 01:00Z", "1,500"),
        ("curated", "forced", "1", "2026-11-01 09:00Z", "1"),
    ]
    assert sum(float(row[5]) for row in plan.rows()) == pytest.approx(plan.dollars, abs=0.001)


def test_many_ranges_are_summed_up() -> None:
    assert ranges(FIRST + 2 * n for n in range(10)).endswith("2026-11-01 06:00Z and 6 more")


def test_every_reason_is_explained() -> None:
    assert MEANINGS.keys() == set(Why)
