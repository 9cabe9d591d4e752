"""One verdict: the transformation's SQL and the judge in Python say the same of every line, value for value."""

import gzip
import io
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iot_pipeline.contract import CONTRACT, METRICS, Contract, Metric, Reason, Unit, tables
from iot_pipeline.contract.judge import Judge
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.statements import Target, build_judged
from iot_pipeline_tests.support.athena import BUCKET, LocalAthena
from iot_pipeline_tests.support.messages import METER, line, message, reading
from iot_pipeline_tests.support.payloads import Payloads
from iot_pipeline_tests.support.verdict_cases import cases, row_of

RECEIVED = datetime(2026, 11, 18, 11, 6, 40, 123_000, tzinfo=UTC)
EPOCH_MS = round(RECEIVED.timestamp() * 1000)
ARRIVAL = Hour.of(RECEIVED)
HOUR_OF_CASES = ARRIVAL + 1
OTHER = Contract(
    version=7,
    metrics=(
        Metric(
            "level", (Unit("m"), Unit("ft", 0.3048), Unit("", 1e-3, -0.5), Unit("1", 2.0)), -1.5, 4.25, 1.0, "Level."
        ),
        *(replace(metric, minimum=metric.minimum + 0.125) for metric in METRICS[:2]),
    ),
    lateness_bound=timedelta(hours=30, milliseconds=1500),
    future_bound=timedelta(seconds=90),
)
VARIABLE = "IOT_TEST_HOSTILE_SEEDS"
SEEDS = [int(seed) for seed in os.environ.get(VARIABLE, "").split(",") if seed]
# The judge never says of a line that an object is unreadable.
SAID = {"valid", *Reason} - {Reason.UNREADABLE_OBJECT}
# Columns that say where a record stands, not what the verdict is.
PLACE = {"object", "year", "month", "day", "hour"}


@pytest.fixture(scope="module")
def raw(local_athena: LocalAthena) -> str:
    """The table raw_lines, with two arrival hours; where the first one's objects are."""
    keys = ", ".join(f"{name} string" for name in ("year", "month", "day", "hour"))
    location = f"s3://{BUCKET}/{tables().raw_lines.prefix}"
    statements = [f"CREATE EXTERNAL TABLE raw_lines (line string) PARTITIONED BY ({keys}) LOCATION '{location}'"]
    for hour in (ARRIVAL, HOUR_OF_CASES):
        values = "year='{}', month='{}', day='{}', hour='{}'".format(*hour.values)
        statements.append(f"ALTER TABLE raw_lines ADD PARTITION ({values}) LOCATION '{location}{hour.path}'")
    for sql in statements:
        assert local_athena.run(sql)["Status"]["State"] == "SUCCEEDED", sql
    return f"{tables().raw_lines.prefix}{ARRIVAL.path}"


def sql_rows(athena: LocalAthena, folder: str, lines: Sequence[bytes], contract: Contract) -> list[dict[str, Any]]:
    """What the build of judged_telemetry makes of these lines."""
    athena.put(f"{folder}lines.gz", gzip.compress(b"".join(each + b"\n" for each in lines), 1))
    rows = built(athena, ARRIVAL, contract)
    return [{column: value for column, value in row.items() if column not in PLACE} for row in rows]


def built(athena: LocalAthena, arrival: Hour, contract: Contract) -> list[dict[str, Any]]:
    """The rows of judged_telemetry that an arrival hour's objects give."""
    name = f"build_{uuid.uuid4().hex}"
    target = Target(name, f"s3://{BUCKET}/judged/v={name}/")
    done = athena.run(build_judged(contract, [arrival], target))["Status"]
    assert done["State"] == "SUCCEEDED", done["StateChangeReason"]
    s3 = athena.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"judged/v={name}/")["Contents"]]
    bodies = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
    # A real Trino writes INT96.
    files = [pq.read_table(io.BytesIO(body), coerce_int96_timestamp_unit="ms") for body in bodies]
    rows: list[dict[str, Any]] = pa.concat_tables(files).to_pylist()
    return rows


def compared(athena: LocalAthena, folder: str, lines: Sequence[bytes], contract: Contract = CONTRACT) -> set[str]:
    """The outcomes of these lines, once SQL and Python have been found to agree on all that they say of them."""
    judge = Judge(contract)
    from_python = sorted(_text(row_of(each, contract)) for line in lines for each in judge.line(line))
    from_sql = sorted(_text(row) for row in sql_rows(athena, folder, lines, contract))
    only = [[a for a in left if a not in right] for left, right in _both(from_sql, from_python)]
    assert not any(only), "\n".join(
        f"{where}: {text}" for where, rows in zip(("SQL", "Python"), only, strict=True) for text in rows[:10]
    )
    assert len(from_sql) == len(from_python)
    return {json.loads(row)["outcome"] for row in from_python}


def _both(sql: list[str], python: list[str]) -> list[tuple[list[str], set[str]]]:
    return [(sql, set(python)), (python, set(sql))]


def _text(row: dict[str, Any]) -> str:
    """Rows are compared as texts: -0.0 is not 0.0, 1 is not 1.0, and rows without a message id have an order."""
    return json.dumps(row, sort_keys=True, default=repr)


def test_sql_says_of_the_table_of_cases_what_it_should(local_athena: LocalAthena, raw: str) -> None:
    """In one statement: each case is an object, which its rows name, since few of what is refused says who sent it."""
    table = {f"{number:04d}.gz": case for number, case in enumerate(cases())}
    s3, folder = local_athena.client("s3"), f"{tables().raw_lines.prefix}{HOUR_OF_CASES.path}"
    for name, case in table.items():
        s3.put_object(Bucket=BUCKET, Key=folder + name, Body=gzip.compress(case.line + b"\n", 1))
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in table}
    for row in built(local_athena, HOUR_OF_CASES, CONTRACT):
        found[row["object"].rpartition("/")[2]].append(row)
    assert [text for name, case in table.items() for text in case.differences(found[name])] == []


@pytest.mark.parametrize(("contract", "count"), [(CONTRACT, 20_000), (OTHER, 10_000)], ids=["ours", "another"])
def test_sql_and_python_say_the_same_of_generated_payloads(
    local_athena: LocalAthena, raw: str, contract: Contract, count: int
) -> None:
    lines = list(Payloads(8, contract, RECEIVED).lines(count, METER))
    assert compared(local_athena, raw, lines, contract) == SAID


@pytest.mark.skipif(not SEEDS, reason=f"100,000 further payloads: set {VARIABLE} to seeds such as 1,2,3,4,5")
@pytest.mark.parametrize("seed", SEEDS)
def test_sql_and_python_say_the_same_of_20_000_payloads_a_seed(local_athena: LocalAthena, raw: str, seed: int) -> None:
    lines = list(Payloads(seed, CONTRACT, RECEIVED).lines(20_000, METER))
    assert compared(local_athena, raw, lines) == SAID


def test_they_say_the_same_without_the_engines_shortcuts(plain_athena: LocalAthena, raw: str) -> None:
    lines = list(Payloads(8, CONTRACT, RECEIVED).lines(1_000, METER))
    assert len(compared(plain_athena, raw, lines)) > 10


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 310, "-" + "9" * 4000])
def test_numbers_beyond_a_double_keep_their_texts(local_athena: LocalAthena, raw: str, number: str) -> None:
    vast = "vast"
    payloads = [
        message(reading(EPOCH_MS, 1, temperature=vast)),
        message(reading(EPOCH_MS, 1, temperature=1, x=vast, y=[vast])),
        message(reading(EPOCH_MS, 1, temperature=1, location={"lat": vast, "lon": 1})),
        message(reading(EPOCH_MS, 1, temperature=1, unit=vast)),
        message(reading(EPOCH_MS, 1, temperature=1, unit={"temperature": vast})),
        message({"ts": vast, "seq": vast, "temperature": 1}),
        message({"ts": EPOCH_MS, "seq": vast, "temperature": 1}),
        message(vast, [vast], v=vast),
        message(vast, [vast], fw=vast, device_id=vast),
        message(fw=vast, z=vast),
    ]
    lines = [line(each.replace(b'"vast"', number.encode()), RECEIVED) for each in payloads]
    # A fraction beyond a DOUBLE is a text to Athena, and out of no range.
    assert len(compared(local_athena, raw, lines)) == (8 if "e" in number else 9)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["ts", "seq", "unit", "location", *(metric.name for metric in METRICS)]
READING = st.builds(
    lambda base, changes: {**base, **changes},
    st.just(reading(EPOCH_MS, 1)),
    st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), JSON, max_size=3),
)
MESSAGE = st.builds(
    lambda readings, changes: {"v": 1, "readings": readings, **changes},
    st.lists(READING | JSON, max_size=3),
    st.dictionaries(st.sampled_from(["v", "device_id", "fw", "readings"]) | st.text(max_size=8), JSON, max_size=2),
)


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MESSAGE, min_size=1, max_size=20))
def test_sql_and_python_say_the_same_of_any_json_in_any_field(
    local_athena: LocalAthena, raw: str, messages: list[dict[str, Any]]
) -> None:
    lines = [line(json.dumps(each).encode(), RECEIVED, trace=str(number)) for number, each in enumerate(messages)]
    compared(local_athena, raw, lines)
