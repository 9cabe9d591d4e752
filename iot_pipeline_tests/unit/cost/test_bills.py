"""The bill: its sum is its parts', it grows with the fleet, and each choice changes what it should."""

import math
from dataclasses import replace

import pytest

from infra.cost import Bill, Fleet, bill
from infra.cost.athena_statements import statements_a_day
from infra.cost.choices import alternatives
from infra.cost.counted import Counts, counts_of
from infra.cost.databases import active_seconds, wanted_rpu_hours
from infra.cost.design import Design, Landing, Publishing, design_of, of_size
from infra.cost.edge_calls import calls_at, state_writes
from infra.cost.price_list import FreeKind, price_list
from infra.stacks.sizes import Size
from iot_pipeline.contract import MAX_MESSAGE_BYTES

TEAM, PROTOTYPE = of_size(Size.TEAM), of_size(Size.PROTOTYPE)
_FREE = (FreeKind.ALWAYS, FreeKind.FIRST_YEAR)


@pytest.mark.parametrize("size", Size)
def test_the_sum_is_the_sum_of_the_lines_and_of_the_services(size: Size) -> None:
    of = bill(of_size(size), Fleet(1_000))
    assert of.total == pytest.approx(math.fsum(line.dollars for line in of.lines))
    assert of.total == pytest.approx(math.fsum(of.by_service.values()))
    for line in of.lines:
        assert line.units == pytest.approx(math.fsum(use.units for use in line.uses))
        assert line.dollars >= line.dollars_with(FreeKind.ALWAYS) >= line.dollars_with(*_FREE) >= 0
    assert len({line.price.name for line in of.lines}) == len(of.lines)


@pytest.mark.parametrize("size", Size)
@pytest.mark.parametrize("pack", [1, 25])
def test_more_devices_never_cost_less(size: Size, pack: int) -> None:
    totals = [bill(of_size(size), Fleet(10**power, 60, pack)).total for power in range(7)]
    assert totals == sorted(totals)
    assert totals[-1] > 10 * totals[0]


def test_packing_saves_messages_bytes_and_writes() -> None:
    packed, unpacked = bill(TEAM, Fleet(1_000, 60, 25)), bill(TEAM, Fleet(1_000, 60, 1))
    for price in ("iot-message", "iot-rule", "kinesis-in", "firehose-in", "dynamodb-write"):
        assert packed.units(price) < unpacked.units(price), price
    assert unpacked.units("iot-rule") == pytest.approx(1_000 * 43_800)


def test_a_message_beyond_5_kb_counts_as_two() -> None:
    """A tracker's 34 readings and its topic are within 5,120 bytes, its 35 are not; a tenth and a half are trackers."""
    within, beyond = Fleet(1_000, 60, 33), Fleet(1_000, 60, 34)
    assert bill(TEAM, within).units("iot-rule") == pytest.approx(within.messages)
    assert bill(TEAM, beyond).units("iot-rule") == pytest.approx(1.15 * beyond.messages)


def test_basic_ingest_bills_no_messages_but_rules() -> None:
    broker = bill(TEAM, Fleet(1_000))
    basic = bill(TEAM, Fleet(1_000), replace(broker.design, publishing=Publishing.BASIC_INGEST))
    direct = bill(TEAM, Fleet(1_000), replace(broker.design, publishing=Publishing.KINESIS))
    assert basic.units("iot-message") < broker.units("iot-message") / 20
    assert basic.units("iot-rule") == broker.units("iot-rule")
    assert not direct.of("IoT Core")
    assert direct.units("kinesis-in") == broker.units("kinesis-in")


def test_a_size_has_what_its_parts_say() -> None:
    team, prototype = bill(TEAM, Fleet(10)), bill(PROTOTYPE, Fleet(10))
    only_team = {"Kinesis", "Firehose", "DynamoDB", "Lambda", "Aurora", "Redshift", "Fargate", "VPC"}
    assert only_team <= set(team.by_service)
    assert not only_team & set(prototype.by_service)
    assert design_of(PROTOTYPE).landing is Landing.RULE_TO_S3
    statements = statements_a_day(Fleet(10), prototype.design) * 730 / 24
    assert prototype.units("s3-put") == pytest.approx(Fleet(10).messages + 3 * statements), "an object a message"


def test_a_prototype_is_within_what_iot_core_has_free_and_at_the_edge_of_it() -> None:
    free = price_list().free
    within = bill(PROTOTYPE, Fleet(10))
    for name in ("iot-connection", "iot-message", "iot-rule", "iot-action"):
        (line,) = (line for line in within.lines if line.price.name == name)
        assert line.units <= free[name].units
        assert line.dollars > line.dollars_with(*_FREE) == 0
    beyond = bill(PROTOTYPE, Fleet(52))
    (line,) = (line for line in beyond.lines if line.price.name == "iot-connection")
    assert line.units == 52 * 43_800 > free["iot-connection"].units
    assert line.dollars_with(*_FREE) == pytest.approx((52 * 43_800 - 2_250_000) * 0.08e-6)


def test_the_day_limit_caps_the_warehouse_and_is_told() -> None:
    of = bill(TEAM, Fleet(10_000))
    wanted = wanted_rpu_hours(of.fleet, TEAM, of.design)
    assert wanted < TEAM.warehouse_rpu_hours_a_day, "the limit follows from the cadence, and refuses no query of ours"
    assert of.units("redshift-rpu") == pytest.approx(wanted * 730 / 24)
    assert not any("the day's limit" in note for note in of.notes)
    tight = replace(TEAM, warehouse_seconds_a_build=60)
    capped = bill(tight, Fleet(10_000))
    assert capped.units("redshift-rpu") == pytest.approx(tight.warehouse_rpu_hours_a_day * 730 / 24)
    assert any(f"the day's limit of {tight.warehouse_rpu_hours_a_day}" in note for note in capped.notes)
    assert active_seconds(Fleet(1), Design(), minimum=3600) == 3600, "an hour has no more seconds"


def test_alternatives_differ_by_one_choice_each() -> None:
    of = bill(TEAM, Fleet(10_000))
    named = {each.name: each.bill for each in alternatives(of)}
    assert len(named) == 9
    assert all(each.total != of.total for each in named.values())
    assert named["unpacked: a message a reading"].total > 2 * of.total
    crawled = named["crawlers instead of partition projection"]
    assert crawled.total - of.total == pytest.approx(730 * 2 / 6 * 0.44), "an hour's crawl: two DPUs, ten minutes"
    seldom = named["builds and loads every 30 minutes instead of 5"]
    assert seldom.units("athena-scan") < of.units("athena-scan") / 2
    assert wanted_rpu_hours(of.fleet, TEAM, seldom.design) < wanted_rpu_hours(of.fleet, TEAM, of.design) / 2
    nodes = named["Redshift on RA3 nodes"]
    assert nodes.units("redshift-node") == 2 * 730
    assert not nodes.units("redshift-rpu")
    assert not any(line.price.service == "Redshift" for line in named["Snowflake"].lines)


def test_fan_out_bills_the_edge_apart_and_calls_it_more_often() -> None:
    polled = bill(TEAM, Fleet(10_000))
    pushed = bill(replace(TEAM, edge_fan_out=True), Fleet(10_000))
    assert pushed.units("kinesis-out") == pytest.approx(polled.units("kinesis-out") / 2)
    assert pushed.units("kinesis-fan-out") == pytest.approx(pushed.units("kinesis-in"))
    assert pushed.units("lambda-request") > polled.units("lambda-request")


def test_longer_retention_is_billed_beyond_a_day() -> None:
    kept = [
        bill(replace(TEAM, stream_retention_hours=hours), Fleet(1_000)).units("kinesis-retention")
        for hours in (24, 48, 168)
    ]
    assert kept[0] == 0
    assert kept[2] == pytest.approx(6 * kept[1])


def test_a_poll_that_finds_nothing_is_no_call_and_a_full_batch_is_one_more() -> None:
    assert calls_at(0.0001, 4, TEAM) == pytest.approx(0.0001, rel=0.001)
    assert calls_at(400, 4, TEAM) == pytest.approx(4, rel=0.001)
    assert calls_at(4 * 1_500, 4, TEAM) == pytest.approx(4 * 3)


@pytest.mark.parametrize(
    ("messages", "calls", "devices", "writes"),
    [(100, 100, 10, 100), (1_000, 10, 25, 250), (1_000, 10, 200, 1_000), (0, 0, 5, 0)],
)
def test_a_device_is_written_once_a_call(messages: float, calls: float, devices: float, writes: float) -> None:
    assert state_writes(messages, calls, devices) == writes


def test_counted_templates_are_billed() -> None:
    bare = replace(counts_of(Size.TEAM), trails=0, recorders=0)
    with_guards = replace(bare, trails=1, recorders=1, dashboards=4, vcpus=3.0, task_gb=6.0, balancers=1)
    before, after = bill(TEAM, Fleet(100), counts=bare), bill(TEAM, Fleet(100), counts=with_guards)
    assert after.units("trail-event") > 0 == before.units("trail-event")
    assert after.units("config-item") == with_guards.resources
    assert after.units("dashboard") == 4
    assert bill(TEAM, Fleet(100), counts=Counts()).units("kms-key") == 0


@pytest.mark.parametrize(
    ("devices", "interval", "pack", "said"),
    [
        (0, 60, 25, "devices = 0: expected 1 to"),
        (10, 0, 25, "interval = 0: expected 0.01 to 86,400 seconds"),
        (10, math.nan, 25, "interval = nan: expected"),
        (10, 60, 0, "pack = 0: expected at least 1 reading a message"),
        (10, 60, 1_000, "pack = 1000: a message would have 148,700 bytes"),
    ],
)
def test_a_fleet_that_cannot_be_is_refused(devices: int, interval: float, pack: int, said: str) -> None:
    with pytest.raises(ValueError, match=r"expected|choose") as refused:
        Fleet(devices, interval, pack)
    assert said in str(refused.value)


def test_the_largest_pack_is_what_iot_core_takes() -> None:
    assert Fleet(1, 60, 881).pack * 148.6 + 100 < MAX_MESSAGE_BYTES
    with pytest.raises(ValueError, match=f"{MAX_MESSAGE_BYTES:,}"):
        Fleet(1, 60, 882)


def test_a_bill_is_of_its_own_design_unless_told_otherwise() -> None:
    of: Bill = bill(TEAM, Fleet(10))
    assert of.design == Design()
    assert of.drivers(2) == sorted(of.lines, key=lambda line: -line.dollars)[:2]
