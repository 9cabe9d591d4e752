"""Which files an import takes, and which it refuses by name."""

import gzip
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iot_pipeline.bulk_import.column_types import check_types
from iot_pipeline.bulk_import.mapping import MappingError
from iot_pipeline.bulk_import.mapping_file import read_mapping
from iot_pipeline.bulk_import.source_batches import batches
from iot_pipeline.bulk_import.source_files import SourceError, Sources

TEXT = """
import = "unit"
tenant = "acme"
site = "oslo"
device = { column = "d" }
ts = { column = "at", format = "epoch_ms" }
[metrics]
temperature = { column = "t", unit = "C" }
"""
# Nothing here asks S3.
SOURCES = Sources(cast("Any", None))


def test_hidden_names_are_left_out_and_others_are_refused(tmp_path: Path) -> None:
    for name in ("b.csv", "a.parquet", "_SUCCESS", ".hidden"):
        (tmp_path / name).write_text("x")
    assert [Path(file.uri).name for file in SOURCES.list(str(tmp_path))] == ["a.parquet", "b.csv"]
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match=r"notes\.txt: expected a name that ends with \.csv"):
        SOURCES.list(str(tmp_path))
    (tmp_path / "notes.txt").rename(tmp_path / "empty.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(SourceError, match=r"empty\.csv is empty"):
        SOURCES.list(str(tmp_path))
    with pytest.raises(SourceError, match="there is no file of"):
        SOURCES.list(str(tmp_path / "nowhere"))


def test_a_file_that_changes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("d,at,t\n")
    (file,) = SOURCES.list(str(tmp_path))
    (tmp_path / "a.csv").write_text("d,at,t\ns,1,1\n")
    with pytest.raises(SourceError, match="is not the file with which the import began"):
        SOURCES.open(file)


def _broken_gzip() -> bytes:
    whole = gzip.compress(b"d,at,t\n" + b"".join(b"r%d,%d,%d\n" % (n, n * 7919, n % 977) for n in range(20_000)))
    # A block of a kind that DEFLATE has not (RFC 1951, section 3.2.3).
    return whole[:10] + b"\xff" * 20 + whole[30:]


def _broken_page() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"d": [f"r{n}" for n in range(50_000)], "at": range(50_000), "t": [1.0] * 50_000}), sink)
    whole: bytes = sink.getvalue().to_pybytes()
    return whole[:5000] + b"\xff" * 4000 + whole[9000:]


@pytest.mark.parametrize(
    ("name", "body", "csv"),
    [
        ("a.csv.gz", _broken_gzip(), ""),
        ("a.csv.gz", gzip.compress(b"d,at,t\n")[:-5], ""),
        ("a.csv", "d,at,t\né,1,1\n".encode(), '[csv]\nencoding = "ascii"\n'),
        ("a.parquet", _broken_page(), ""),
        ("a.parquet", _broken_page()[:-100], ""),
    ],
    ids=["deflate", "cut", "encoding", "page", "footer"],
)
def test_a_file_that_is_broken_is_named(tmp_path: Path, name: str, body: bytes, csv: str) -> None:
    (tmp_path / name).write_bytes(body)
    (file,) = SOURCES.list(str(tmp_path))
    with pytest.raises(SourceError, match=rf"{name} cannot be read: "):
        list(batches(SOURCES, file, read_mapping(TEXT + csv)))


@pytest.mark.parametrize("after", range(9))
def test_rows_keep_their_numbers_wherever_reading_goes_on(
    tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows with too few or too many fields are numbered among the others; a quoted line break makes no row."""
    monkeypatch.setattr("iot_pipeline.bulk_import.source_batches._BLOCK", 32)
    (tmp_path / "a.csv").write_text('d,at,t\nr1,1,1\nr2\nr3,3,3\n\n"r4\nx",4,4\nr5,5\nr6,6,6,6\nr7,7,7\nr8\n')
    (file,) = SOURCES.list(str(tmp_path))
    good: dict[int, str] = {}
    bad = []
    for batch, rows, rejected in batches(SOURCES, file, read_mapping(TEXT), after):
        good |= dict(zip(rows.to_pylist(), batch.column("d").to_pylist(), strict=True))
        bad += [each.row for each in rejected]
    every = {1: "r1", 3: "r3", 4: "r4\nx", 7: "r7"}
    assert good == {row: device for row, device in every.items() if row > after}
    assert bad == [row for row in (2, 5, 6, 8) if row > after]


@pytest.mark.parametrize("after", [0, 4, 5, 11, 20])
def test_row_groups_that_were_read_are_skipped(tmp_path: Path, after: int) -> None:
    table = pa.table({"d": [f"r{n}" for n in range(1, 21)], "at": list(range(20)), "t": [1.0] * 20})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=5)
    (file,) = SOURCES.list(str(tmp_path))
    found = []
    for batch, rows, _ in batches(SOURCES, file, read_mapping(TEXT), after):
        found += list(zip(rows.to_pylist(), batch.column("d").to_pylist(), strict=True))
    assert found == [(n, f"r{n}") for n in range(after + 1, 21)]


@pytest.mark.parametrize(
    ("column", "kind", "expected"),
    [
        ("t", pa.bool_(), "column 't' is of type bool; expected numbers, or numbers as texts"),
        ("d", pa.float64(), "column 'd' is of type double; expected texts or whole numbers"),
        ("at", pa.date32(), "at is of type date32"),
    ],
)
def test_columns_of_other_types_are_refused(column: str, kind: pa.DataType, expected: str) -> None:
    kinds = {"d": pa.string(), "at": pa.int64(), "t": pa.float64()}
    check_types(pa.schema(kinds), read_mapping(TEXT), "a.parquet")
    with pytest.raises(MappingError, match=expected):
        check_types(pa.schema(kinds | {column: kind}), read_mapping(TEXT), "a.parquet")
