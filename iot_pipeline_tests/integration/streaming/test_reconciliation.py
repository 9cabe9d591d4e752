"""Stream against batch on the local Athena: each difference has its cause, and nothing goes before it is curated."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from iot_pipeline.connections.streaming import open_batches
from iot_pipeline.contract import CONTRACT
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.lake import Lake
from iot_pipeline.streaming.batches import Batch, Batches, batch_name
from iot_pipeline.streaming.judged_parts import part_of
from iot_pipeline.streaming.reconciling import KEPT_AFTER, HourCompared, Reconciliation
from iot_pipeline.streaming.verdicts import StreamRecord
from iot_pipeline_tests.support.messages import RawZone, build, line, message, reading

pytestmark = pytest.mark.integration


@pytest.fixture
def reconciliation(lake: Lake) -> Iterator[Reconciliation]:
    """Without micro-batches before and after."""
    batches = open_batches()
    batches.unregister(batches.all())
    yield Reconciliation(lake, batches)
    batches.unregister(batches.all())


class Sent:
    """Readings of one device, a message each; at minute 5 of the hour unless it says otherwise."""

    def __init__(self, hour: Hour) -> None:
        self._hour = hour

    def __call__(self, seq: int, *, minute: float = 5, temperature: float = 20.0) -> bytes:
        at = self._hour.start + timedelta(minutes=1)
        return line(message(reading(at, seq, temperature=temperature)), self._hour.start + timedelta(minutes=minute))


def _stream(batches: Batches, number: int, *lines: bytes) -> Batch:
    records = [StreamRecord(str(position), data) for position, data in enumerate(lines)]
    made = batches.process_batch([part_of(records, CONTRACT)], batch_name("query", number), datetime.now(UTC))
    assert made is not None
    return made


def _now(lake: Lake, hour: Hour) -> list[tuple[int, str, float]]:
    sql = f"SELECT seq, layer, temperature FROM telemetry_now WHERE {partition_predicate([hour])} ORDER BY seq"
    return [(int(row[0]), row[1], float(row[2])) for row in lake.athena.run(sql).rows]


def test_differences_have_their_causes_and_a_batch_goes_when_all_of_it_is_curated(
    reconciliation: Reconciliation, lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    sent, batches = Sent(arrival), reconciliation.batches
    same, missed, before, twice, waiting = sent(1), sent(2), sent(3, minute=4), sent(4), sent(5)
    first, last = sent(6), sent(6, minute=6, temperature=30.0)
    made = _stream(batches, 1, same, twice, twice, waiting, first, last)
    now = datetime.now(UTC)

    done = reconciliation.run(now)
    assert (done.hours, done.removed) == ((), ())
    assert [seq for seq, _, _ in _now(lake, arrival)] == [1, 4, 5, 6]

    raw.put(arrival, [same, missed, before, twice, first])
    build(lake, [arrival])
    assert _now(lake, arrival) == [
        *((seq, "batch", 20.0) for seq in (1, 2, 3, 4)),
        (5, "stream", 20.0),
        (6, "batch", 20.0),
    ]
    done = reconciliation.run(now)
    assert done.hours == (
        HourCompared(
            arrival,
            late=False,
            equal=1,
            other_receptions=1,
            other_values=1,
            waiting=1,
            before_stream=1,
            missed=1,
        ),
    )
    assert not done.hours[0].agrees
    assert (done.removed, done.waiting) == ((), {made.name: 1})

    raw.put(arrival, [twice, waiting, last])
    build(lake, [arrival])
    done = reconciliation.run(now)
    assert done.hours == (HourCompared(arrival, True, 4, 0, 0, 0, 0, 0),)
    assert done.removed == (made.name,)
    assert [(seq, layer) for seq, layer, _ in _now(lake, arrival)] == [(seq, "batch") for seq in range(1, 7)]
    assert (6, "batch", 30.0) in _now(lake, arrival)


def test_an_open_hour_is_left_alone_and_objects_go_two_hours_after_their_batch(
    reconciliation: Reconciliation, lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    sent, batches = Sent(arrival), reconciliation.batches
    made = _stream(batches, 2, sent(1), b"{")
    raw.put(arrival, [sent(1)])
    build(lake, [arrival])
    within = arrival.start + timedelta(minutes=89)
    assert reconciliation.run(within).removed == ()
    assert reconciliation.run(within + timedelta(minutes=1)).removed == (made.name,)
    prefix = made.location.partition("/streamed/")[2]
    left = batches.s3.list_objects_v2(Bucket=batches.bucket, Prefix=f"streamed/{prefix}")
    assert left["KeyCount"] == 1
    reconciliation.run(datetime.now(UTC) + KEPT_AFTER + timedelta(seconds=2))
    assert batches.s3.list_objects_v2(Bucket=batches.bucket, Prefix=f"streamed/{prefix}")["KeyCount"] == 0


def test_late_readings_are_seen_until_their_hour_is_built_again(
    reconciliation: Reconciliation, lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    sent, batches = Sent(arrival), reconciliation.batches
    raw.put(arrival, [sent(1)])
    build(lake, [arrival])
    reconciliation.make_views()
    late = sent(2, minute=300)
    _stream(batches, 3, late)
    assert _now(lake, arrival) == [(1, "batch", 20.0), (2, "stream", 20.0)]
    raw.put(arrival + 5, [late])
    build(lake, [arrival + 5])
    assert _now(lake, arrival) == [(1, "batch", 20.0), (2, "batch", 20.0)]
    done = reconciliation.run(datetime.now(UTC))
    assert [(it.late, it.equal, it.before_stream, it.missed) for it in done.hours] == [(False, 1, 1, 0)]
