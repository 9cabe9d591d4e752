"""Results: the CSV Athena writes, column metadata, and pages of rows."""

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.ipc
from duckdb.sqltypes import DuckDBPyType

from infra.local.athena.errors import UnsupportedError
from infra.local.athena.queries.value_text import is_missing, real_text, value_text
from infra.local.athena.sql.typed.kinds import DAY_TIME, YEAR_MONTH, ZONED, Kind
from infra.local.athena.sql.types import athena_name

_PRECISION = {"varchar": 2147483647, "double": 17, "float": 17, "bigint": 19, "integer": 10, "smallint": 5}
_PRECISION |= {"tinyint": 3, "timestamp": 3, "timestamp with time zone": 3, "varbinary": 1073741824, "json": 0}


def column_info(name: str, kind: DuckDBPyType, trino: Kind | None = None) -> dict[str, Any]:
    """The API's ColumnInfo of a result column; `trino` is its Trino type, where it is known."""
    precision, scale = None, 0
    if kind.id == "decimal":
        exact = trino.numbers if trino and trino.name == "decimal" else ()
        precision, scale = exact or (int(str(value)) for _, value in kind.children)
    if trino and trino.name in {"timestamp", ZONED}:
        precision = max(trino.numbers[0], 3)
    return described(name, _athena_name(kind, trino), precision, scale)


def described(name: str, athena: str, precision: int | None, scale: int = 0) -> dict[str, Any]:
    """The API's ColumnInfo from Athena's name of the type; without a precision, the type's own."""
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": athena,
        "Precision": _PRECISION.get(athena, 0) if precision is None else precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": athena == "varchar",
    }


def _athena_name(kind: DuckDBPyType, trino: Kind | None) -> str:
    if trino and trino.name in {ZONED, YEAR_MONTH, DAY_TIME, "row", "json", "unknown"}:
        return trino.name
    return athena_name(kind)


def text_info(names: list[str]) -> list[dict[str, Any]]:
    """ColumnInfo of DDL output: text columns."""
    return [column_info(name, DuckDBPyType("VARCHAR")) | {"Type": "string", "Precision": 0} for name in names]


def written_info() -> list[dict[str, Any]]:
    """ColumnInfo of CREATE TABLE AS: the column `rows`, of which there are none; UpdateCount has the number."""
    return [column_info("rows", DuckDBPyType("BIGINT"))]


def rendered(
    batch: pa.RecordBatch, kinds: Sequence[DuckDBPyType], names: Sequence[str], trino: Sequence[Kind | None] = ()
) -> pa.RecordBatch:
    """The batch with every value as the text Athena shows; `trino` are the columns' Trino types, where known."""
    known = list(trino) or [None] * len(names)
    columns = [_column(batch.column(i), kind, known[i]) for i, kind in enumerate(kinds)]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema([(f"c{i}", pa.string()) for i in range(len(names))]))


def _column(values: pa.Array, kind: DuckDBPyType, trino: Kind | None) -> pa.Array:
    if kind.id in {"timestamp", "timestamp_ms"} and (trino is None or not trino.numbers or trino.numbers[0] <= 3):
        return pc.strftime(values.cast(pa.timestamp("ms"), safe=False), format="%Y-%m-%d %H:%M:%S")
    if kind.id == "timestamp with time zone":
        naive = values.cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.timestamp("ms"))
        return pc.binary_join_element_wise(pc.strftime(naive, format="%Y-%m-%d %H:%M:%S"), "UTC", " ")
    if kind.id == "decimal":
        return pa.array([None if v is None else format(v, "f") for v in values.to_pylist()], pa.string())
    if kind.id in {"varchar", "bigint", "integer", "smallint", "tinyint", "boolean", "date", "hugeint"}:
        storage = values.storage if isinstance(values, pa.ExtensionArray) else values
        return storage.cast(pa.string())
    if kind.id == "float":
        return pa.array([None if v is None else real_text(v) for v in values.to_pylist()], pa.string())
    try:
        return pa.array([None if is_missing(v) else value_text(v, trino) for v in values.to_pylist()], pa.string())
    except (OverflowError, ValueError) as error:
        raise UnsupportedError(f"a value of type {trino or kind} outside the years 1 to 9999") from error


class ResultFile:
    """A query's rows, kept as an Arrow file for paging; row 0 is the header, as in the API."""

    def __init__(self, path: Path, names: list[str], *, header: bool) -> None:
        self.path, self.names, self.header = path, names, header
        self._sizes: list[int] = []
        self._lock = threading.Lock()

    def __getstate__(self) -> tuple[Path, list[str], bool, list[int]]:
        return self.path, self.names, self.header, self._sizes

    def __setstate__(self, held: tuple[Path, list[str], bool, list[int]]) -> None:
        self.path, self.names, self.header, self._sizes = held
        self._lock = threading.Lock()

    def write(self, batches: Iterator[pa.RecordBatch], csv_path: Path) -> None:
        """Write the rows for paging and as Athena's CSV (every value quoted, NULL empty)."""
        schema = pa.schema([(f"c{i}", pa.string()) for i in range(len(self.names))])
        options = pa.csv.WriteOptions(include_header=False, quoting_style="all_valid")
        with csv_path.open("wb") as out, pa.OSFile(str(self.path), "wb") as sink:
            out.write((",".join('"' + n.replace('"', '""') + '"' for n in self.names) + "\n").encode())
            with pa.ipc.new_file(sink, schema) as pages, pa.csv.CSVWriter(out, schema, write_options=options) as rows:
                for batch in batches:
                    pages.write_batch(batch)
                    rows.write_batch(batch)
                    self._sizes.append(batch.num_rows)

    def __len__(self) -> int:
        return sum(self._sizes) + self.header

    def page(self, start: int, count: int) -> list[list[str | None]]:
        """Rows start..start+count, the header being row 0 (if there is one)."""
        rows: list[list[str | None]] = []
        if self.header and start == 0:
            rows.append(list(self.names))
        first, last = max(start - self.header, 0), start - self.header + count
        position = 0
        with self._lock, pa.memory_map(str(self.path)) as source:
            reader = pa.ipc.open_file(source)
            for number, size in enumerate(self._sizes):
                low, high = max(first, position), min(last, position + size)
                if low < high:
                    piece = reader.get_batch(number).slice(low - position, high - low)
                    rows += [list(r) for r in zip(*(c.to_pylist() for c in piece.columns), strict=True)]
                position += size
        return rows


class TextResult:
    """Rows of a statement that is no query; they have no header."""

    def __init__(self, rows: list[list[str]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def page(self, start: int, count: int) -> list[list[str]]:
        """Rows start..start+count."""
        return self.rows[start : start + count]


def metadata_bytes(columns: list[dict[str, Any]]) -> bytes:
    """The .metadata object. Athena's own is an undocumented binary; this one is JSON with the same content."""
    return json.dumps({"ColumnInfo": columns}).encode()
