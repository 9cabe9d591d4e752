"""Metering steps at their edges, and the worked examples of AWS's pricing pages."""

import pytest

from infra.cost.fleet import DAYS_A_MONTH, MINUTES_A_MONTH
from infra.cost.metering import (
    GIGABYTE,
    TERABYTE,
    athena_bytes,
    billed_seconds,
    firehose_bytes,
    iot_steps,
    kinesis_bytes,
    put_units,
    write_units,
)
from infra.cost.price_list import price_list
from iot_pipeline.lake.pricing import query_cost

_KB, _MB = 1024, 1024**2


@pytest.mark.parametrize(
    ("payload", "topic", "messages"),
    [
        (0, 0, 1),
        (1, 0, 1),
        (5 * _KB - 43, 43, 1),
        (5 * _KB, 0, 1),
        (5 * _KB, 1, 2),
        (5 * _KB + 1, 0, 2),
        (8 * _KB, 0, 2),
    ],
)
def test_iot_meters_payload_and_topic_by_begun_5_kb(payload: int, topic: int, messages: int) -> None:
    assert iot_steps(payload, topic) == messages


@pytest.mark.parametrize(("record", "billed"), [(1, 1), (1024, 1), (1025, 2), (4.5 * _KB, 5)])
def test_kinesis_meters_a_record_by_the_begun_kilobyte(record: float, billed: int) -> None:
    """The last is the pricing page's: "if your data records are 4.5 KB each, ... 5 KB"."""
    assert kinesis_bytes(record) == billed * _KB


@pytest.mark.parametrize(("record", "billed"), [(3, 5), (12, 15), (42, 45), (5, 5), (1, 5)])
def test_firehose_meters_a_record_by_begun_5_kb(record: int, billed: int) -> None:
    """The first two are the pricing page's, the third is its FAQ's; two records of 1 KB are 10 KB."""
    assert firehose_bytes(record * _KB) == billed * _KB
    assert firehose_bytes(5 * _KB + 1) == 10 * _KB


@pytest.mark.parametrize(
    ("scanned", "billed"), [(0, 0), (1, 10 * _MB), (10 * _MB, 10 * _MB), (10 * _MB + 1, 11 * _MB), (11 * _MB, 11 * _MB)]
)
def test_athena_meters_at_least_10_mb(scanned: int, billed: int) -> None:
    assert athena_bytes(scanned) == billed


@pytest.mark.parametrize("scanned", [0, 1, 10 * _MB, 10 * _MB + 1, 3 * 1024**3 + 17, 2 * 1024**4])
def test_the_list_and_the_product_agree_on_what_a_query_costs(scanned: int) -> None:
    listed = price_list()["athena-scan"].dollars(athena_bytes(scanned) / TERABYTE)
    assert listed == pytest.approx(query_cost(scanned))


@pytest.mark.parametrize(("item", "units"), [(1, 1), (1024, 1), (1025, 2), (8_696, 9)])
def test_dynamodb_meters_a_write_by_the_begun_kilobyte(item: int, units: int) -> None:
    assert write_units(item) == units


@pytest.mark.parametrize(("seconds", "billed"), [(0, 0), (0.1, 60), (60, 60), (60.5, 60.5)])
def test_the_warehouse_is_billed_at_least_a_minute_and_nothing_for_nothing(seconds: float, billed: float) -> None:
    assert billed_seconds(seconds, 60) == billed


def test_a_connection_of_a_year_costs_what_the_page_of_iot_core_says() -> None:
    """AWS IoT Core pricing: 0.042 dollars a device and year for a connection around the clock."""
    assert price_list()["iot-connection"].dollars(525_600) == pytest.approx(0.042, abs=0.0001)


def test_the_workload_that_the_page_of_iot_core_calls_free_is_free() -> None:
    """AWS IoT Core pricing: 50 devices, always connected, 300 messages and 150 rules with an action a day each."""
    free = price_list().free
    used = {
        "iot-connection": 50 * MINUTES_A_MONTH,
        "iot-message": 50 * 300 * DAYS_A_MONTH,
        "iot-rule": 50 * 150 * DAYS_A_MONTH,
        "iot-action": 50 * 150 * DAYS_A_MONTH,
    }
    assert all(units <= free[name].units for name, units in used.items())


def test_infracosts_examples_of_aws_price_list_come_out() -> None:
    """Dollars that Infracost's golden files print for a month of these units."""
    prices = price_list()
    assert prices["kinesis-stream"].dollars(730) == pytest.approx(29.20)
    assert prices["lambda-compute"].dollars(3_840_000_000) == pytest.approx(51_200.26, abs=0.01)
    assert prices["lambda-request"].dollars(7_500e6) == pytest.approx(1_500)
    assert prices["s3-standard"].dollars(10_000) == pytest.approx(230)
    assert prices["s3-ia"].dollars(30_000) == pytest.approx(375)
    assert prices["endpoint-hour"].dollars(1_460) == pytest.approx(14.60)
    assert prices["kinesis-shard"].dollars(2_920) == pytest.approx(43.80)
    assert prices["kinesis-put-unit"].dollars(6.5e6) == pytest.approx(0.09, abs=0.005)
    assert prices["kinesis-shard-retention"].dollars(100) == pytest.approx(2.00)
    assert prices["glue-job"].dollars(60 * 10) == pytest.approx(264)
    assert prices["sqs-request"].dollars(2e6) == pytest.approx(0.80)
    assert prices["secret-request"].dollars(100_000) == pytest.approx(0.50)
    assert prices["glue-crawler"].dollars(60) == pytest.approx(26.40)


def test_ten_gigabytes_of_athena_cost_what_a_lesson_on_it_says() -> None:
    """kindatechnical.com, "AWS Athena Pricing Model": 10 GB are 0.0488 dollars."""
    assert price_list()["athena-scan"].dollars(athena_bytes(10 * GIGABYTE) / TERABYTE) == pytest.approx(
        0.0488, abs=5e-5
    )


def test_a_spark_job_costs_what_the_page_of_glue_says() -> None:
    """AWS Glue pricing, "Pricing examples": six DPUs for a quarter of an hour are 0.66 dollars."""
    assert price_list()["glue-job"].dollars(6 * 0.25) == pytest.approx(0.66)


@pytest.mark.parametrize(("record", "units"), [(5 * _KB, 1), (25 * _KB, 1), (25 * _KB + 1, 2), (45 * _KB, 2)])
def test_a_provisioned_shard_meters_a_record_by_the_begun_25_kb(record: int, units: int) -> None:
    """The first and the last are the pricing page's: 5 KB are one PUT payload unit, 45 KB are two."""
    assert put_units(record) == units
