"""Rows as parts of readings: numbers as they were sent, and one bad cell at the cost of its row alone."""

import gzip
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.bulk_import.hour_lines import hour_objects
from iot_pipeline.bulk_import.mapped_rows import Mapped, Placed, RowMapper
from iot_pipeline.bulk_import.mapping_file import read_mapping
from iot_pipeline.contract.judge import Judge

TEXT = """
import = "unit"
tenant = "acme"
site = "oslo"
device = { column = "d" }
ts = { column = "at", format = "epoch_ms" }
seq = { column = "n" }
nulls = ["", "NaN"]
[metrics]
temperature = { column = "t", unit = "C" }
"""
LATEST = 10**13


def _map(text: str = TEXT, registry: dict[str, list[Placed]] | None = None, **columns: list[Any]) -> Mapped:
    size = len(next(iter(columns.values())))
    given = {"d": ["s-1"] * size, "at": ["1000"] * size, "n": ["1"] * size, "t": ["1"] * size} | columns
    batch = pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in given.items()})
    return RowMapper(read_mapping(text), LATEST, registry).map(batch, pa.array(range(1, size + 1)))


def _values(mapped: Mapped) -> list[Any]:
    return [json.loads(f"{{{text[1:]}}}").get("temperature") for text in mapped.table["values"].to_pylist()]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_every_number_keeps_its_value(numbers: list[float]) -> None:
    assert _values(_map(t=[repr(number) for number in numbers])) == numbers
    assert _values(_map(t=numbers)) == numbers, "and so does one of Parquet"


@given(st.text(max_size=12))
def test_a_text_is_a_number_or_its_row_is_rejected(text: str) -> None:
    mapped = _map(t=["1", text, "2"])
    assert _values(mapped)[0] == 1
    assert _values(mapped)[-1] == 2
    if mapped.rejected:
        (rejected,) = mapped.rejected
        assert (rejected.row, rejected.column, rejected.value) == (2, "t", text)
    elif text not in ("", "NaN"):
        assert _values(mapped)[1] == float(text)


@pytest.mark.parametrize("text", ["1,5", "0x10", "1e400", "inf", "nan", "1_000", " 1", "1 ", "²", "١"])  # noqa: RUF001 - a digit of another script
def test_what_is_no_number(text: str) -> None:
    assert [each.row for each in _map(t=[text]).rejected] == [1]


def test_numbers_with_a_decimal_comma() -> None:
    text = TEXT + '[csv]\ndecimal = ","\ndelimiter = ";"\n'
    mapped = _map(text, t=["1,5", "-,5", "3", "1.000,5", "1.5"])
    assert _values(mapped) == [1.5, -0.5, 3]
    assert [each.row for each in mapped.rejected] == [4, 5], "a point may be a thousand's separator: not guessed"


def test_nothing_is_dropped() -> None:
    mapped = _map(
        d=["s-1", "a/b", None, "s-1", "s-1", "s-1", "s-1", "s-1"],
        at=["1000", "1000", "1000", None, "x", str(LATEST + 1), "1000", "1000"],
        n=["1", "1", "1", "1", "1", "1", "9" * 19, ""],
    )
    assert len(mapped.table) == 1
    assert [(each.row, each.column) for each in mapped.rejected] == [
        *((2, "d"), (3, "d"), (4, "at"), (5, "at"), (6, "at")),
        *((7, "n"), (8, "n")),
    ]
    assert {each.reason for each in mapped.rejected if each.row == 6} == {"the time is after the import began"}


def test_the_registry_says_where_a_device_was_at_that_time() -> None:
    text = TEXT.replace('tenant = "acme"\nsite = "oslo"', 'identity = "registry"')
    places = [Placed(1000, 2000, "acme", "oslo"), Placed(2000, None, "acme", "bergen")]
    mapped = _map(text, {"s-1": places}, d=["s-1", "s-1", "s-1", "s-2"], at=["999", "1999", "2000", "2000"])
    assert mapped.table["site"].to_pylist() == ["oslo", "bergen"]
    assert [(each.row, each.reason.partition(";")[0]) for each in mapped.rejected] == [
        (1, "the registry does not say where the device was at that time"),
        (4, "the registry has no such device"),
    ]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5_000_000), st.floats(-60, 150)), min_size=1, max_size=60))
def test_lines_are_valid_by_the_contract_and_hold_every_row(rows: list[tuple[int, int, float]]) -> None:
    """The judge of the contract, which knows nothing of imports, finds in the lines what the rows said."""
    mapped = _map(
        d=[f"s-{device}" for device, _, _ in rows],
        at=[str(ms) for _, ms, _ in rows],
        n=[str(n) for n in range(len(rows))],
        t=[repr(value) for *_, value in rows],
    )
    found = []
    for made in hour_objects(mapped.table, read_mapping(TEXT), 0):
        for line in gzip.decompress(made.body).splitlines():
            for reading in Judge().line(line):
                assert str(reading.outcome) == "valid", reading
                assert f"hour={(reading.event_ms or 0) // 3_600_000:02d}/" in made.key
                found.append((reading.message.device_id, reading.seq, reading.values["temperature"]))
    expected = [(f"s-{device}", n, value) for n, (device, _, value) in enumerate(rows)]
    assert sorted(found) == sorted(expected)
