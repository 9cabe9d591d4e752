"""Files as nobody should write them: each row is what another reader makes of it, or rejected by its number."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iot_pipeline.bulk_import import source_batches
from iot_pipeline.bulk_import.column_types import check_types
from iot_pipeline.bulk_import.mapped_rows import RowMapper
from iot_pipeline.bulk_import.mapping import ImportMapping, MappingError
from iot_pipeline.bulk_import.mapping_file import read_mapping
from iot_pipeline.bulk_import.source_files import SourceError, SourceFile, Sources
from iot_pipeline_tests.support.hostile_files import COLUMNS, hostile_file

MAPPING = """
import = "hostile"
tenant = "acme"
site = "oslo"
device = {{ column = "device" }}
ignore = ["note"]
ts = {{ column = "t", {time} }}
[metrics]
temperature = {{ column = "temp", unit = "C" }}
[csv]
delimiter = "{delimiter}"
encoding = "{encoding}"
"""
LATEST = 2_000_000_000_000
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOON_MS = round(NOON.timestamp() * 1000)


def mapping_of(time: str, delimiter: str = ",", encoding: str = "utf-8") -> ImportMapping:
    return read_mapping(MAPPING.format(time=time, delimiter=delimiter.replace("\t", "\\t"), encoding=encoding))


def read(path: Path, mapping: ImportMapping) -> tuple[dict[int, dict[str, Any]], dict[int, str]]:
    """The mapped rows of a file and the reasons of the rejected ones, by the number of the row."""
    sources = Sources(boto3.client("s3", region_name="eu-west-1"))
    (file,) = sources.list(str(path))
    schema = source_batches.schema_of(sources, file, mapping)
    if file.is_parquet:
        check_types(schema, mapping, file.uri)
    return mapped(sources, file, mapping)


def mapped(
    sources: Sources, file: SourceFile, mapping: ImportMapping
) -> tuple[dict[int, dict[str, Any]], dict[int, str]]:
    mapper, rows, reasons = RowMapper(mapping, LATEST), dict[int, dict[str, Any]](), dict[int, str]()
    for batch, numbers, strange in source_batches.batches(sources, file, mapping):
        found = mapper.map(batch, numbers)
        rejected = {each.row: f"{each.column}: {each.reason}" for each in [*found.rejected, *strange]}
        good = [number for number in numbers.to_pylist() if number not in rejected]
        assert not (rejected.keys() | set(good)) & (reasons.keys() | rows.keys()), "a row came twice"
        rows |= dict(zip(good, found.table.to_pylist(), strict=True))
        reasons |= rejected
    return rows, reasons


def value(row: dict[str, Any]) -> float | None:
    return float(row["values"].partition(":")[2]) if row["values"] else None


@pytest.mark.parametrize("seed", range(40))
def test_each_row_of_csv_is_as_the_csv_module_reads_it_or_rejected_by_number(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks that hold some rows each, so that rows, quotes and ends of lines lie across their ends."""
    monkeypatch.setattr(source_batches, "_BLOCK", 8_192)
    hostile = hostile_file(seed, size=200)
    (tmp_path / "hostile.csv").write_bytes(hostile.body)
    rows, reasons = read(
        tmp_path / "hostile.csv", mapping_of('format = "epoch_ms"', hostile.delimiter, hostile.encoding)
    )
    expected = hostile.rows()
    assert rows.keys() | reasons.keys() == set(range(1, len(expected) + 1))
    for number, sent in enumerate(expected, 1):
        if number in reasons:
            assert ("fields, expected 4" in reasons[number]) == (len(sent) != len(COLUMNS)), (number, sent)
        else:
            device, time, temperature, _ = sent
            assert (rows[number]["device"], rows[number]["ts"]) == (device, int(time))
            assert value(rows[number]) == (float(temperature) if temperature else None)
    assert min(len(rows), len(reasons)) > 20, "the file tries nothing"


def test_a_quote_that_is_never_closed_is_said_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "open.csv").write_bytes(b"device,t,temp,note\na,1,2,\n" + b'b,2,3,"\n' + b"c,3,4,\n" * 1_500_000)
    with pytest.raises(SourceError, match="cannot be read behind row 1: a row is longer than 4 MiB: is a quote open"):
        read(tmp_path / "open.csv", mapping_of('format = "epoch_ms"'))


# What hung, or took gigabytes: cells of one line for which each column is looked for among all, and has a reader.
WIDE = {
    "lost ends of lines": b"device,t,temp,note " + b"a,1700000000000,1,x " * 100_000,
    "nothing but commas": b"," * 4_000_000,
    "many distinct names": ",".join(map(str, range(200_000))).encode() + b"\n",
    "blank lines before it": b"\r\n" * 40_000 + b"," * 20_000 + b"\n",
    "a quote is closed before it ends": b'"a,\nb"' + b"," * 20_000 + b"\n",
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("body", WIDE.values(), ids=WIDE)
def test_a_header_of_more_columns_than_a_sheet_has_is_refused_at_once(
    body: bytes, encoding: str, tmp_path: Path
) -> None:
    (tmp_path / "wide.csv").write_bytes(body.decode().encode(encoding))
    with pytest.raises(SourceError, match=r"wide\.csv: its header has more than 16,384 columns"):
        read(tmp_path / "wide.csv", mapping_of('format = "epoch_ms"', encoding=encoding))


@pytest.mark.parametrize("skipped", [0, 1, 2])
def test_what_is_no_header_may_be_as_wide_as_it_is(skipped: int, tmp_path: Path) -> None:
    """Lines that are skipped, and rows: those have other fields than the header, and are rejected by number."""
    title = b'sheet "1' + b"," * 20_000 + b"\r\n"
    body = title * skipped + b"\r\ndevice,t,temp,note\r\n" + b"," * 20_000 + b"\r\na,1700000000000,1,x\r\n"
    (tmp_path / "wide.csv").write_bytes(body)
    text = MAPPING.format(time='format = "epoch_ms"', delimiter=",", encoding="utf-8")
    rows, reasons = read(tmp_path / "wide.csv", read_mapping(f"{text}skip_lines = {skipped}\n"))
    assert (set(rows), reasons) == ({2}, {1: ": the row has 20001 fields, expected 4"})


@pytest.mark.parametrize("cut", range(65_530, 65_541))
def test_an_end_of_a_line_across_what_is_read_at_once_is_one(cut: int, tmp_path: Path) -> None:
    """With one that counted as two, the header would be taken for a line that is skipped, and a row for the header."""
    body = b"x" * cut + b"\r\ndevice,t,temp,note\r\n" + b"," * 20_000 + b"\r\n"
    (tmp_path / "cut.csv").write_bytes(body)
    text = MAPPING.format(time='format = "epoch_ms"', delimiter=",", encoding="utf-8")
    assert read(tmp_path / "cut.csv", read_mapping(f"{text}skip_lines = 1\n"))[1].keys() == {1}


def test_names_of_columns_that_are_no_text_are_said(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_bytes(b"device,t,temp,\xff\n")
    with pytest.raises(SourceError, match=r"odd\.csv cannot be read: 'utf-8' codec"):
        read(tmp_path / "odd.csv", mapping_of('format = "epoch_ms"'))


def parquet(folder: Path, time: str = 'zone = "UTC"', **columns: pa.Array) -> tuple[Any, Any]:
    given = {
        "device": pa.array(["a", "b", "c"]),
        "t": pa.array([NOON.replace(tzinfo=None)] * 3, pa.timestamp("us")),
        "temp": pa.array([1.5, None, -2.0]),
    }
    pq.write_table(pa.table(given | columns), folder / "odd.parquet", use_deprecated_int96_timestamps=True)
    return read(folder / "odd.parquet", mapping_of(time))


def test_times_of_int96_do_not_begin_anew_after_2262(tmp_path: Path) -> None:
    """584 years and a half later, in nanoseconds of 64 bits, is now again."""
    times = [NOON.replace(tzinfo=None), datetime(2610, 7, 22), datetime(1600, 1, 1)]  # noqa: DTZ001 - Parquet's has no zone
    rows, reasons = parquet(tmp_path, t=pa.array(times, pa.timestamp("us")))
    assert {number: row["ts"] for number, row in rows.items()} == {1: NOON_MS}
    assert reasons.keys() == {2, 3}


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1.5, None, -2], pa.float32()),
        pa.array(np.array([1.5, 0, -2], np.float16), mask=np.array([False, True, False])),
        pa.array(["1.5", None, "-2"], pa.large_string()),
        pa.array([1.5, None, -2]).dictionary_encode(),
        pa.array([Decimal("1.5"), None, Decimal(-2)], pa.decimal256(60, 20)),
    ],
)
def test_numbers_of_any_type_of_parquet_are_the_same(values: pa.Array, tmp_path: Path) -> None:
    rows, reasons = parquet(tmp_path, temp=values)
    assert [value(row) for row in rows.values()] == [1.5, None, -2.0]
    assert reasons == {}


def test_decimals_are_the_nearest_double(tmp_path: Path) -> None:
    sent = [Decimal("-0.000000443170641520"), Decimal("12345678901234567890.123456789012345678"), Decimal("0.1")]
    rows, _ = parquet(tmp_path, temp=pa.array(sent, pa.decimal128(38, 18)))
    assert [value(row) for row in rows.values()] == [float(each) for each in sent]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([True, False, None]),
        pa.nulls(3),
        pa.array([[1.0], [], None]),
        pa.array([{"a": 1}, None, {"a": 2}]),
        pa.array([b"1", b"2", None]),
        pa.array(["1", "2", None]).cast(pa.string_view()),
    ],
)
def test_types_that_are_no_numbers_are_refused_by_column_and_type(values: pa.Array, tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"column 'temp' is of type .*; expected numbers, or numbers as texts"):
        parquet(tmp_path, temp=values)


def test_row_groups_without_rows_change_no_numbers(tmp_path: Path) -> None:
    some = pa.table(
        {"device": ["a", ""], "t": pa.array([NOON.replace(tzinfo=None)] * 2, pa.timestamp("us")), "temp": [1.0, 2.0]}
    )
    with pq.ParquetWriter(tmp_path / "groups.parquet", some.schema) as writer:
        for table in (some.slice(0, 0), some, some.slice(0, 0), some):
            writer.write_table(table)
    rows, reasons = read(tmp_path / "groups.parquet", mapping_of('zone = "UTC"'))
    assert (set(rows), set(reasons)) == ({1, 3}, {2, 4})
