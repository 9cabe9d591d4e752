"""Spark makes the rows that Athena makes, column by column, of every fault; and its books balance by themselves."""

import os
from datetime import timedelta

import pytest

from infra.local.servers.local_spark import MISSING, is_installed
from iot_pipeline.contract import Reason, Table, tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.hours import fill
from iot_pipeline_tests.support.messages import METER, RawZone, build
from iot_pipeline_tests.support.payloads import Payloads
from iot_pipeline_tests.support.verdict_cases import RECEIVED, cases
from iot_pipeline_tests.table_hashes import hash_of

# Before the local AWS is started for them.
pytestmark = pytest.mark.skipif(not is_installed(), reason=MISSING)
Z = tables()
VARIABLE = "IOT_TEST_SPARK_PAYLOADS"
PAYLOADS = int(os.environ.get(VARIABLE, "4000"))
# Each engine has its own checksum of an object's readings: the books compare those of one build alone.
CHECKSUM = {"content"}
Hashes = dict[str, tuple[str, str]]


def hashes(lake: Lake, arrivals: list[Hour], event_hours: list[Hour]) -> Hashes:
    """Of each table that is built, as Athena reads it: rows, and the hash of every column but the checksum."""

    def of(table: Table, hours: list[Hour]) -> tuple[str, str]:
        return hash_of(lake, table, hours, without=CHECKSUM)

    built = {table.name: of(table, arrivals) for table in (Z.judged_telemetry, Z.ledger, Z.quarantined_telemetry)}
    return built | {Z.curated_telemetry.name: of(Z.curated_telemetry, event_hours)}


def compared(lake: Lake, spark_lake: Lake, arrivals: list[Hour]) -> Hashes:
    """What both make of these hours, once it has been found to be the same."""
    event_hours = build(lake, arrivals)
    by_athena = hashes(lake, arrivals, event_hours)
    spark_lake.judge(arrivals, whole=True)
    balances = spark_lake.quarantine(arrivals)
    assert balances == lake.arrival_balances(arrivals)
    assert all(balance.balances for balance in balances)
    assert spark_lake.touched(arrivals) == event_hours
    curated = spark_lake.curate(event_hours)
    assert curated == lake.event_balances(event_hours)
    assert all(balance.balances for balance in curated)
    assert hashes(lake, arrivals, event_hours) == by_athena
    return by_athena


def test_rows_of_generated_payloads_of_every_fault(lake: Lake, spark_lake: Lake, raw: RawZone, arrival: Hour) -> None:
    received = arrival.start + timedelta(minutes=6)
    lines = list(Payloads(8, lake.contract, received).lines(PAYLOADS, METER))
    for start in range(0, len(lines), 1 + len(lines) // 3):
        raw.put(arrival, lines[start : start + 1 + len(lines) // 3])
    found = compared(lake, spark_lake, [arrival])
    assert _reasons(lake, arrival) == {*Reason} - {Reason.UNREADABLE_OBJECT}
    assert found["judged_telemetry"][0] != "0"


def test_rows_of_the_table_of_cases(lake: Lake, spark_lake: Lake, raw: RawZone) -> None:
    """Its times are written in it, so that it has an arrival hour of its own."""
    arrival = Hour.of(RECEIVED)
    raw.put(arrival, (case.line for case in cases()))
    assert compared(lake, spark_lake, [arrival])["curated_telemetry"][0] != "0"


def test_duplicates_conflicts_and_late_readings(lake: Lake, spark_lake: Lake, raw: RawZone, arrival: Hour) -> None:
    for hour in (arrival, arrival + 1):
        fill(raw, hour)
    compared(lake, spark_lake, [arrival, arrival + 1])


def _reasons(lake: Lake, arrival: Hour) -> set[str]:
    values = "year = '{}' AND month = '{}' AND day = '{}' AND hour = '{}'".format(*arrival.values)
    return {row[0] for row in lake.athena.run(f"SELECT DISTINCT reason FROM quarantined_telemetry WHERE {values}").rows}
