"""What an import writes is on the lake's books, and has the values that DuckDB reads in the very same files."""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iot_pipeline.bulk_import.mapping_file import read_mapping
from iot_pipeline.connections.bulk_import import open_importer
from iot_pipeline.contract.layout import RAW
from iot_pipeline.lake.hours import Hour, hours_between
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.messages import RawZone, build, curated, quarantined

DAYS = 2
WIDE = """
import = "{name}"
tenant = "acme"
site = {{ column = "plant" }}
device = {{ column = "sensor" }}
nulls = ["", "NA"]
[ts]
column = "measured"
format = "%d.%m.%Y %H:%M:%S"
zone = "Europe/Oslo"
[metrics]
temperature = {{ column = "temp_f", unit = "F" }}
humidity = {{ column = "rh", unit = "%" }}
[location]
lat = "lat"
lon = "lon"
[csv]
delimiter = ";"
decimal = ","
"""
# Rows of a site in Norway, whose clocks are an hour ahead in March: 3,000 in two days, of 7 devices, in no order.
_ROWS = """
SELECT 's-' || n % 7 AS sensor, 'plant-' || n % 2 AS plant,
    strftime(TIMESTAMP '{start}' + INTERVAL 1 HOUR + to_seconds(n * 57), '%d.%m.%Y %H:%M:%S') AS measured,
    CASE WHEN n % 11 = 0 THEN 'NA' WHEN n % 500 = 3 THEN 'ERR' ELSE replace((n % 97 * 1.37 - 20)::VARCHAR, '.', ',') END
        AS temp_f,
    CASE WHEN n % 13 = 0 THEN '' ELSE replace((n % 130 * 0.9)::DECIMAL(9, 1)::VARCHAR, '.', ',') END AS rh,
    CASE WHEN n % 3 = 0 THEN '59,9' ELSE '' END AS lat, CASE WHEN n % 3 = 0 THEN '10,7' ELSE '' END AS lon
FROM range(3000) AS rows(n)
ORDER BY hash(n)
"""


def _import(text: str, source: str, folder: Path) -> dict[str, Any]:
    return dict(open_importer(read_mapping(text), folder / "work").run(source))


def _hours(start: Hour) -> list[Hour]:
    return hours_between(start, start + DAYS * 24)


@pytest.fixture
def history() -> Hour:
    """The first of two days that no other test writes to."""
    return Hour(datetime(2026, 1, 20, tzinfo=UTC))


def _asked(sql: str) -> duckdb.DuckDBPyRelation:
    relation = duckdb.sql(sql)
    assert relation is not None
    return relation


def test_a_csv_of_history_lands_on_exact_books_with_the_values_that_duckdb_reads(
    lake: Lake, history: Hour, tmp_path: Path
) -> None:
    path = tmp_path / "history.csv"
    _asked(_ROWS.format(start=f"{history.start:%Y-%m-%d %H:%M:%S}")).write_csv(str(path), sep=";")
    books = _import(WIDE.format(name="wide-books"), str(path), tmp_path)
    assert (books["rows"], books["rejected"]) == (3000, 6), books["reasons"]
    assert books["rows"] == books["readings"] + books["rejected"]
    hours = _hours(history)
    build(lake, hours)
    rows, bad = curated(lake, hours), quarantined(lake, hours)
    assert len(rows) + sum(row["duplicates"] + row["conflicts"] for row in rows) + len(bad) == books["readings"]
    assert {row["reason"] for row in bad} == {"out_of_range", "no_metrics"}
    expected = _asked(
        f"""
        WITH sent AS (
            SELECT sensor, plant, strptime(measured, '%d.%m.%Y %H:%M:%S') - INTERVAL 1 HOUR AS taken,
                TRY_CAST(replace(temp_f, ',', '.') AS DOUBLE) AS f, TRY_CAST(replace(rh, ',', '.') AS DOUBLE) AS rh,
                TRY_CAST(replace(lat, ',', '.') AS DOUBLE) AS lat, TRY_CAST(replace(lon, ',', '.') AS DOUBLE) AS lon
            FROM read_csv('{path}', delim=';', header=true, all_varchar=true)
            WHERE temp_f <> 'ERR' OR temp_f IS NULL
        )
        SELECT sensor, plant, taken, f, rh, lat, lon FROM sent
        WHERE (f IS NOT NULL OR rh IS NOT NULL) AND coalesce(rh, 0) BETWEEN 0 AND 100
        ORDER BY sensor, taken
        """
    ).fetchall()
    assert len(expected) == len(rows) > 2000
    for row, (sensor, plant, taken, fahrenheit, rh, lat, lon) in zip(rows, expected, strict=True):
        at = taken.replace(tzinfo=UTC)
        assert (row["device_id"], row["site"], row["tenant"]) == (sensor, plant, "acme")
        assert row["event_time"].replace(tzinfo=UTC) == at
        assert row["seq"] == round(at.timestamp() * 1000)
        celsius = None if fahrenheit is None else pytest.approx((fahrenheit - 32) * 5 / 9, abs=1e-9)
        assert row["temperature"] == celsius
        assert (row["humidity"], row["lat"], row["lon"]) == (rh, lat, lon)
        assert row["pressure"] is row["flow_rate"] is row["battery"] is row["rssi"] is None
        # It arrived in the hour in which it was measured: lateness needs no exception.
        assert timedelta() <= row["received_at"] - row["event_time"] < timedelta(hours=1)
        assert Hour.from_sql(row["received_at"]) == Hour.from_sql(row["event_time"])


def test_what_was_rejected_is_kept_by_file_row_and_reason(raw: RawZone, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "sensor;plant;measured;temp_f;rh;lat;lon\n"
        "s-1;p;20.02.2026 10:00:00;70;;;\n"
        "s-1;p;31.02.2026 10:00:00;70;;;\n"
        "s-1;p;20.02.2026 10:00:00\n"
        "s 1;p;20.02.2026 10:00:00;70;;;\n"
        "s-1;p;20.02.2026 10:00:00;warm;;;\n"
        ";p;20.02.2026 10:00:00;70;;;\n"
        "s-1;p;20.02.2026 10:00:00;70;;59;\n"
        "s-1;p;20.02.2099 10:00:00;70;;;\n"
    )
    books = _import(WIDE.format(name="rejects"), str(tmp_path), tmp_path)
    assert (books["rows"], books["readings"], books["rejected"]) == (8, 1, 7)
    kept = raw.s3.get_object(Bucket=raw.bucket, Key="imports/rejects/rejects/run-000000.csv.gz")["Body"].read()
    found = _asked(f"SELECT * FROM read_csv('{_written(tmp_path, kept)}', all_varchar=true)").fetchall()
    assert [(row, column, value) for _, row, column, _, value in found] == [
        ("2", "measured", "31.02.2026 10:00:00"),
        ("3", None, "s-1;p;20.02.2026 10:00:00"),
        ("4", "sensor", "s 1"),
        ("5", "temp_f", "warm"),
        ("6", "sensor", None),
        ("7", "lon", None),
        ("8", "measured", "20.02.2099 10:00:00"),
    ]
    assert {file for file, *_ in found} == {str(tmp_path / "a.csv")}


def test_a_long_parquet_in_s3_becomes_readings_with_all_their_metrics(
    lake: Lake, raw: RawZone, history: Hour, tmp_path: Path
) -> None:
    hour = history + 10 * 24
    begin = hour.start
    rows = [
        (f"d-{device}", begin + timedelta(minutes=minute), name, value)
        for name, value in (("TEMP", 20.0), ("RH", 55.5), ("VOLT", 1.0), ("WIND", 3.0))
        for device in range(3)
        for minute in range(120)
    ]
    # The same value again is a duplicate, another one a conflict; neither may vanish.
    rows += [rows[0], ("d-0", begin, "TEMP", 21.0)]
    _put_parquet(raw, "history/long/a.parquet", rows, row_group=100)
    text = """
import = "long-books"
form = "long"
tenant = "acme"
site = "oslo"
device = { column = "device" }
ts = { column = "at" }
[long]
name = "metric"
value = "value"
ignore_names = ["VOLT"]
[metrics]
temperature = { name = "TEMP", unit = "C" }
humidity = { name = "RH", unit = "%" }
"""
    books = _import(text, f"s3://{raw.bucket}/history/long/", tmp_path)
    assert (books["rows"], books["mapped"], books["rejected"], books["ignored"]) == (1442, 722, 360, 360)
    assert books["readings"] == 362, "of each device and minute one, and two for what came again"
    hours = [hour, hour + 1]
    build(lake, hours)
    found = curated(lake, hours)
    assert len(found) == 360
    assert {(row["temperature"], row["humidity"]) for row in found[1:]} == {(20.0, 55.5)}
    assert sum(row["duplicates"] + row["conflicts"] for row in found) == 2


def test_the_same_objects_are_written_however_small_the_memory(
    raw: RawZone, history: Hour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many runs, windows of a few rows and windows of seconds hold the same lines as one of each."""
    path = tmp_path / "history.csv"
    start = (history + 20 * 24).start
    _asked(_ROWS.format(start=f"{start:%Y-%m-%d %H:%M:%S}")).write_csv(str(path), sep=";")
    whole = _import(WIDE.format(name="in-one"), str(path), tmp_path)
    monkeypatch.setattr("iot_pipeline.bulk_import.source_batches._BLOCK", 4096)
    monkeypatch.setattr("iot_pipeline.bulk_import.importer.RUN_ROWS", 100)
    monkeypatch.setattr("iot_pipeline.bulk_import.sorted_runs.WINDOW_ROWS", 40)
    parts = _import(WIDE.format(name="in-parts"), str(path), tmp_path)
    assert {**parts, "import": "", "at": "", "objects": 0, "bytes": 0} == {
        **whole,
        "import": "",
        "at": "",
        "objects": 0,
        "bytes": 0,
    }
    assert parts["objects"] > whole["objects"]
    assert _readings(raw, "in-one") == _readings(raw, "in-parts")


def _readings(raw: RawZone, name: str) -> list[str]:
    found = []
    pages = raw.s3.get_paginator("list_objects_v2").paginate(Bucket=raw.bucket, Prefix=RAW)
    for key in [item["Key"] for page in pages for item in page.get("Contents", [])]:
        if f"/import-{name}-" in key:
            body = gzip.decompress(raw.s3.get_object(Bucket=raw.bucket, Key=key)["Body"].read())
            for line in body.splitlines():
                message = json.loads(line)
                found += [
                    json.dumps([key.rpartition("/")[0], message["iot_device"], message["iot_site"], reading])
                    for reading in message["readings"]
                ]
    assert found
    return sorted(found)


def _put_parquet(raw: RawZone, key: str, rows: Sequence[tuple[Any, ...]], row_group: int) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, names=["device", "at", "metric", "value"]), sink, row_group_size=row_group)
    raw.s3.put_object(Bucket=raw.bucket, Key=key, Body=sink.getvalue().to_pybytes())


def _written(folder: Path, body: bytes) -> Path:
    path = folder / "rejects.csv.gz"
    path.write_bytes(body)
    return path
