"""Which row groups a comparison with a text leaves out of the bytes scanned: never one with a wanted row."""

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlglot import parse_one

from infra.local.athena.reading.scanned import _left_out, _wanted_texts

GROUP = 2048


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three row groups: devices a and b, c to é, and none that is known."""
    path = tmp_path_factory.mktemp("scanned") / "rows.parquet"
    names = ["a", "b"] * (GROUP // 2) + ["c", "é"] * (GROUP // 2) + [None] * GROUP
    values = [float(n % (1 + n // GROUP * 7)) for n in range(3 * GROUP)]
    rows = pa.table({"device": pa.array(names, pa.string()), "value": values})
    pq.write_table(rows, path, row_group_size=GROUP)
    return str(path)


def left_out(file: str, *wanted: dict[str, list[str]]) -> list[int]:
    """The row groups that are left out, told by their bytes."""
    con = duckdb.connect()
    sizes = con.execute(
        f"SELECT sum(total_compressed_size) FROM parquet_metadata('{file}') GROUP BY row_group_id ORDER BY row_group_id"
    ).fetchall()
    assert len({size for (size,) in sizes}) == 3, "told apart by their bytes"
    total = _left_out(con, [file], {"device", "value"}, list(wanted))
    subsets = {sum(sizes[n][0] for n in range(3) if mask >> n & 1): mask for mask in range(8)}
    return [n for n in range(3) if subsets[total] >> n & 1]


@pytest.mark.parametrize(
    ("wanted", "groups"),
    [
        ([{"device": ["a"]}], [1]),
        ([{"device": ["d"]}], [0]),
        ([{"device": ["é"]}], [0]),
        ([{"device": ["x", "z"]}], [0]),
        ([{"device": ["ü"]}], [0, 1]),
        ([{"device": ["a", "d"]}], []),
        ([{"device": ["a"]}, {"device": ["d"]}], []),
        ([{"device": ["a"]}, {"device": ["b"]}], [1]),
        ([{"site": ["a"]}], []),
        ([{"site": ["a"], "device": ["a"]}], [1]),
    ],
)
def test_row_groups_without_a_wanted_text(file: str, wanted: list[dict[str, list[str]]], groups: list[int]) -> None:
    assert left_out(file, *wanted) == groups, "one without any text says nothing of itself, and is counted"


@pytest.mark.parametrize(
    ("condition", "texts"),
    [
        ("device = 'a'", {"device": ["a"]}),
        ("Device IN ('a', 'b')", {"device": ["a", "b"]}),
        ("device <> 'a'", {}),
        ("NOT device = 'a'", {}),
        ("device = site", {}),
        ("device = 'a' OR site = 'b'", {}),
        ("lower(device) = 'a'", {}),
        ("device IN (SELECT 'a')", {}),
        ("device IN ('a', site)", {}),
        ("device LIKE 'a'", {}),
        ("device > 'a'", {}),
    ],
)
def test_texts_that_a_condition_wants(condition: str, texts: dict[str, list[str]]) -> None:
    assert _wanted_texts([parse_one(condition, dialect="trino")]) == texts
