"""A raw zone in Parquet, written by Firehose: the faulty fleet lands in it on the books of the manifest."""

import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import boto3

from infra.local.session import fleet_commands
from infra.local.session.platform import Platform
from iot_pipeline.contract.layout import FAILED_DELIVERY, RAW
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import LakeResource
from iot_pipeline_tests.e2e.test_flow import assert_balanced, assert_same_rows, in_raw
from iot_pipeline_tests.support.messages import build
from simulator.manifest import expected_ledger

OPTIONS = ["--history", "2h", "--readings", "24000", "--pack", "10", "--faults", "all"]


def keys_below(lake: Lake, prefix: str) -> list[str]:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix=prefix)
    return [each["Key"] for page in pages for each in page.get("Contents", [])]


def test_the_faulty_fleet_lands_on_the_books(parquet_platform: Platform, tmp_path: Path) -> None:
    folder, since = tmp_path / "fleet", datetime.now(UTC)
    fleet_commands.onboard(folder, 12, 2, 2)
    lake = LakeResource().open()
    arrivals = [Hour.of(since), Hour.of(since) + 1]
    fleet_commands.publish(parquet_platform, folder, *OPTIONS)
    expected = expected_ledger(folder / "out")
    assert expected.quarantined, "the fleet is faulty"
    while in_raw(lake, arrivals) < expected.messages:
        time.sleep(0.2)
    assert_balanced(lake, arrivals, build(lake, arrivals), expected)
    assert_same_rows(lake, folder / "out")
    assert_written_by_tenant(lake)
    assert_columns_say_what_lines_say(lake, arrivals)


def assert_written_by_tenant(lake: Lake) -> None:
    """Every raw object is Parquet in a folder of one tenant; nothing failed on the way."""
    keys = keys_below(lake, RAW)
    assert keys
    assert all(key.endswith(".parquet") for key in keys)
    assert len({key.rsplit("/", 2)[1] for key in keys}) == 2
    assert keys_below(lake, FAILED_DELIVERY) == []


def assert_columns_say_what_lines_say(lake: Lake, arrivals: list[Hour]) -> None:
    """By Python's own parser: devices, readings and temperatures of the columns are those of the lines."""
    where = partition_predicate(arrivals)
    lines = [row[0] for row in lake.athena.run(f"SELECT line FROM raw_lines WHERE {where}").rows]
    sent: Counter[tuple[str, str]] = Counter()
    for line in lines:
        # A number is the text that was sent; within an object, what JSON writes of it.
        as_sent, parsed = json.loads(line, parse_float=str, parse_int=str, parse_constant=str), json.loads(line)
        readings = parsed["readings"] if isinstance(parsed.get("readings"), list) else []
        for position, reading in enumerate(readings):
            value = reading.get("temperature") if isinstance(reading, dict) else None
            if value is not None:
                text = as_sent["readings"][position]["temperature"]
                is_text = isinstance(text, str)
                sent[parsed["iot_device"], text if is_text else json.dumps(value, separators=(",", ":"))] += 1
    sql = f"""SELECT iot_device, temperature, count(*)
        FROM raw_telemetry CROSS JOIN UNNEST(transform(readings, r -> r.temperature)) AS t(temperature)
        WHERE temperature IS NOT NULL AND {where} GROUP BY 1, 2"""
    found = {(device, value): int(count) for device, value, count in lake.athena.run(sql).rows}
    assert found == dict(sent)
