"""A change of the contract marks the hours whose rows change or may change, and no others."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from iot_pipeline.contract import CONTRACT, Contract, Metric, Unit
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.glue_tables import tables_of
from iot_pipeline_tests.support.messages import METER, RawZone, build, line, message, reading

MOISTURE = Metric("moisture", (Unit("%"),), 0.0, 100.0, 10.0, "Soil moisture.")
VIBRATION = Metric("vibration", (Unit("g"),), 0.0, 100.0, 10.0, "Vibration.")
KELVIN = Unit("K", 1.0, -273.15)


def with_metric(name: str, **changes: object) -> Contract:
    """The contract with another range or other units of one metric."""
    metrics = [replace(m, **changes) if m.name == name else m for m in CONTRACT.metrics]  # type: ignore[arg-type]  # fields of Metric
    return replace(CONTRACT, metrics=tuple(metrics))


def without(name: str) -> Contract:
    """The contract without a metric."""
    return replace(CONTRACT, metrics=tuple(metric for metric in CONTRACT.metrics if metric.name != name))


# What each of six arrival hours holds beside its valid humidity.
HELD: list[dict[str, object]] = [
    {"temperature": 40.0},
    {"temperature": 10.0},
    {},
    {"temperature": 200.0},  # out of range: in the quarantine
    {"moisture": 31.0},  # unknown: in the extras
    {"shake": 1.0, "vibration": None, 'a"vibration"b': 1, "unit": {"vibration": "g", "shake": "g"}},
]
WARM, COLD, DRY, HOT, EARTH, UNIT = range(6)


def arrive(lake: Lake, raw: RawZone, first: Hour, held: Sequence[dict[str, object]]) -> list[Hour]:
    """Arrival hours, judged and curated, each with one reading of its own hour."""
    found = [first + n for n in range(len(held))]
    for hour, fields in zip(found, held, strict=True):
        raw.put(hour, [line(message(reading(hour.start, 1, humidity=40.0, **fields)), hour.start, METER)])
    build(lake, found)
    return found


@pytest.fixture(scope="module")
def hours(lake: Lake, raw: RawZone) -> Iterator[list[Hour]]:
    """The six arrival hours, before those of other tests; the ledger's table has the columns of new metrics."""
    with tables_of(lake, replace(CONTRACT, metrics=(*CONTRACT.metrics, MOISTURE, VIBRATION))):
        yield arrive(lake, raw, Hour(datetime(2020, 1, 1, tzinfo=UTC)), HELD)


@pytest.mark.parametrize(
    ("contract", "expected"),
    [
        (CONTRACT, []),
        (with_metric("temperature", maximum=30.0), [WARM, HOT]),
        (with_metric("temperature", maximum=100.0), [HOT]),
        (with_metric("temperature", maximum=250.0), [HOT]),
        (with_metric("temperature", minimum=20.0), [COLD, HOT]),
        (with_metric("pressure", maximum=1000.0), []),
        (with_metric("temperature", units=(Unit("C"), KELVIN)), [WARM, COLD, HOT]),
        (replace(CONTRACT, metrics=(*CONTRACT.metrics, MOISTURE)), [EARTH]),
        (replace(CONTRACT, metrics=(*CONTRACT.metrics, VIBRATION)), [UNIT]),  # and not EARTH, whose field is another
        (without("temperature"), [WARM, COLD, HOT]),
        (replace(CONTRACT, lateness_bound=timedelta(days=40)), []),
        (replace(CONTRACT, version=2), [WARM, COLD, DRY, HOT, EARTH, UNIT]),
    ],
    ids="unchanged narrowed beyond widened raised absent unit added other removed bound version".split(),  # noqa: SIM905  # a list is too long
)
def test_the_hours_that_may_change_are_marked(
    lake: Lake, hours: list[Hour], contract: Contract, expected: list[int]
) -> None:
    assert replace(lake, contract=contract).stale_arrivals(hours) == [hours[n] for n in expected]


def test_event_hours_follow_what_was_judged_again(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    hours = arrive(lake, raw, arrival, HELD[:2])
    narrower = replace(lake, contract=with_metric("temperature", maximum=30.0))
    assert narrower.stale(hours) == [], "nothing has been judged by the new contract yet"
    narrower.judge(narrower.stale_arrivals(hours))
    assert narrower.stale_arrivals(hours) == []
    assert narrower.stale(hours) == [hours[WARM]], "the hour of the reading that is no longer valid"
    narrower.curate(narrower.stale(hours))
    assert narrower.stale(hours) == []
