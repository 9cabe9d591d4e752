"""What the ways that an environment chooses cost, by values that a person can work out."""

from dataclasses import replace

import pytest

from infra.cost.backfills import month_again
from infra.cost.bills import Bill, bill
from infra.cost.design import Design, of_size
from infra.cost.fleet import Fleet
from infra.cost.volumes import gzip_bytes
from infra.stacks.producers.declared import Producer
from infra.stacks.sizes import Size

TEAM = of_size(Size.TEAM)
FLEET = Fleet(10_000)
PRODUCERS = (Producer("gateway", "acme", ("lyon",), shards=2), Producer("backend", "acme", ("lyon",)))


def dollars(of: Bill, price: str) -> float:
    return sum(line.dollars for line in of.lines if line.price.name == price)


def test_what_is_not_chosen_costs_nothing() -> None:
    of = bill(TEAM, FLEET)
    assert not any(of.units(price) for price in ("kinesis-shard", "kinesis-put-unit", "glue-job"))
    assert of.units("glue-crawler") == pytest.approx(bill(TEAM, Fleet(1)).units("glue-crawler"))


def test_producers_pay_for_their_shards_and_for_what_is_kept_beyond_a_day() -> None:
    of = bill(replace(TEAM, producers=PRODUCERS), FLEET)
    # Three shards of 0.015 dollars an hour, and of 0.020 more where records are kept for two days.
    assert dollars(of, "kinesis-shard") == pytest.approx(3 * 730 * 0.015)
    assert dollars(of, "kinesis-shard-retention") == pytest.approx(3 * 730 * 0.020)
    a_day = bill(replace(TEAM, producers=PRODUCERS, stream_retention_hours=24), FLEET)
    assert not a_day.units("kinesis-shard-retention")
    # A tenth of 17.52 million messages, each below 25 KB.
    assert of.units("kinesis-put-unit") == pytest.approx(1_752_000)
    assert of.units("alarm") - bill(TEAM, FLEET).units("alarm") == 5 + 2 * 3


def test_producers_send_no_more_than_their_shards_take() -> None:
    one = replace(TEAM, producers=PRODUCERS[1:])
    assert bill(one, Fleet(100_000_000)).units("kinesis-put-unit") == 1_000 * 730 * 3600


def test_the_streaming_job_is_billed_always_and_reads_the_stream_once_more() -> None:
    of, without = bill(replace(TEAM, streaming_window_seconds=60), FLEET), bill(TEAM, FLEET)
    # Two workers of a quarter DPU for 730 hours of 0.44 dollars.
    assert dollars(of, "glue-job") == pytest.approx(160.60)
    assert of.units("kinesis-out") - without.units("kinesis-out") == pytest.approx(of.units("kinesis-in"))
    assert of.units("s3-put") - without.units("s3-put") == pytest.approx(4 * 730 * 60)
    half = bill(replace(TEAM, streaming_window_seconds=120), FLEET)
    assert half.units("s3-put") - without.units("s3-put") == pytest.approx(2 * 730 * 60)


def test_crawls_on_arrival_are_at_most_one_a_pause_and_none_where_nothing_comes() -> None:
    chosen = replace(TEAM, crawl_on_events_minutes=60)
    more = bill(chosen, FLEET).units("glue-crawler") - bill(TEAM, FLEET).units("glue-crawler")
    assert more == pytest.approx(730 * 2 / 6), "an hour's crawl: two DPUs, ten minutes"
    seldom = Fleet(1, 86_400, 25)
    more = bill(chosen, seldom).units("glue-crawler") - bill(TEAM, seldom).units("glue-crawler")
    assert more < 2 * 2 / 6


def test_a_backfill_reads_what_its_statements_read_and_glue_may_take_as_many_dpu_hours_as_that_costs() -> None:
    fleet = Fleet(1_000_000)
    raw = gzip_bytes(fleet.messages, fleet.readings)
    # Of raw all twice; of the 7.7 bytes a reading of judged rows 0.92, 0.46 and 0.92; of the 8.3 of curated ones 1.27.
    scanned = 2 * raw + fleet.readings * (7.7 * 2.30 + 8.3 * 1.27)
    again = month_again(fleet, Design())
    assert again.scanned == pytest.approx(scanned, rel=0.01)
    assert again.athena_dollars == pytest.approx(5 * again.scanned / 1024**4)
    assert again.even_dpu_hours * 0.44 == pytest.approx(again.athena_dollars)
    assert again.even_rate == pytest.approx(raw / again.even_dpu_hours / 3600)


def test_a_small_backfill_is_the_10_mb_that_each_statement_is_billed_at_least() -> None:
    again = month_again(Fleet(1), Design())
    assert again.scanned % (10 * 1024**2) == 0
    assert again.even_rate < 0.1 * month_again(Fleet(1_000_000), Design()).even_rate


def test_the_bill_says_when_which_engine_is_cheaper_where_there_are_two() -> None:
    assert month_again(FLEET, Design()).told in bill(TEAM, FLEET).notes
    assert not any("Spark" in note for note in bill(of_size(Size.PROTOTYPE), Fleet(10)).notes)
