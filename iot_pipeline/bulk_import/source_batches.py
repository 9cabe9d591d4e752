"""A file in batches of rows, each row with its number: from 1, the header and blank lines not counted."""

import gzip
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from iot_pipeline.bulk_import.csv_header import MOST_COLUMNS, is_too_wide
from iot_pipeline.bulk_import.mapped_rows import Rejected
from iot_pipeline.bulk_import.mapping import ImportMapping
from iot_pipeline.bulk_import.source_files import SourceError, SourceFile, Sources

BATCH_ROWS = 65_536
_BLOCK = 4 * 2**20
Batch = tuple[pa.RecordBatch, pa.Array, list[Rejected]]


def schema_of(sources: Sources, file: SourceFile, mapping: ImportMapping) -> pa.Schema:
    """The columns of a file. Raises SourceError if it is not what its name says, MappingError as `check_columns`."""
    with sources.open(file) as opened, _readable(file):
        if file.is_parquet:
            schema = _parquet_file(opened).schema_arrow
        else:
            _require_columns(file, opened, mapping)
            options = _options(mapping, [])
            options["parse_options"].invalid_row_handler = lambda _row: "skip"
            schema = pa_csv.open_csv(_plain(file, opened), **options).schema
        # Arrow keeps names as bytes: here they become texts, or are none.
        names = schema.names
    mapping.check_columns(names, file.uri)
    return schema


def _require_columns(file: SourceFile, opened: IO[bytes], mapping: ImportMapping) -> None:
    """Raises SourceError for a header of too many columns; leaves the file at its beginning."""
    if mapping.csv.header is None and is_too_wide(_plain(file, opened), mapping.csv, _BLOCK):
        raise SourceError(
            f"{file.uri}: its header has more than {MOST_COLUMNS:,} columns; expected one a line: are the ends of its "
            "lines lost, or is its header missing?"
        )
    opened.seek(0)


def batches(sources: Sources, file: SourceFile, mapping: ImportMapping, after: int = 0) -> Iterator[Batch]:
    """The rows after so many: a batch of the mapping's columns, the rows' numbers, and rows that are none, rejected.

    Of Parquet whole row groups are skipped unread; CSV is read from its beginning. Raises SourceError.
    """
    read = _parquet if file.is_parquet else _csv
    for batch, rows, rejected in read(sources, file, mapping, after):
        kept = [each for each in rejected if each.row > after]
        seen = len(rows) and rows[0].as_py() > after
        if seen:
            yield batch, rows, kept
            continue
        mask = pc.greater(rows, after)
        if pc.any(mask).as_py() or kept:
            yield batch.filter(mask), rows.filter(mask), kept


def _parquet(sources: Sources, file: SourceFile, mapping: ImportMapping, after: int) -> Iterator[Batch]:
    with sources.open(file) as opened, _readable(file):
        parquet = _parquet_file(opened)
        first = 0
        for group in range(parquet.metadata.num_row_groups):
            count = parquet.metadata.row_group(group).num_rows
            if first + count > after:
                found = parquet.iter_batches(BATCH_ROWS, [group], columns=mapping.columns, use_threads=False)
                at = first
                for batch in found:
                    yield batch, _numbers(at, batch.num_rows), []
                    at += batch.num_rows
            first += count


def _parquet_file(opened: IO[bytes]) -> pq.ParquetFile:
    """INT96 as microseconds: the nanoseconds that Arrow makes of it begin anew after the year 2262, unsaid."""
    return pq.ParquetFile(opened, pre_buffer=False, coerce_int96_timestamp_unit="us")


def _csv(sources: Sources, file: SourceFile, mapping: ImportMapping, _: int) -> Iterator[Batch]:
    wrong: deque[Any] = deque()

    def handle(row: Any) -> str:
        wrong.append(row)
        return "skip"

    with sources.open(file) as opened, _readable(file):
        options = _options(mapping, mapping.columns)
        options["parse_options"].invalid_row_handler = handle
        reader = pa_csv.open_csv(_plain(file, opened), **options)
        header = mapping.csv.skip_lines + (0 if mapping.csv.header else 1)
        at = 0
        while (batch := _next(file, reader, at)) is not None:
            # The reader parses in order and may be ahead: rows that are none, and stand among these, are known by now.
            between: list[Any] = []
            while wrong and wrong[0].number - header <= at + batch.num_rows + len(between) + 1:
                between.append(wrong.popleft())
            numbers = np.arange(at + 1, at + batch.num_rows + len(between) + 1)
            strange = [row.number - header for row in between]
            rows = np.setdiff1d(numbers, strange, assume_unique=True)[: batch.num_rows]
            at += batch.num_rows + len(between)
            yield batch, pa.array(rows, pa.int64()), [_of_wrong(row, row.number - header) for row in between]
        left = [_of_wrong(row, row.number - header) for row in wrong]
        if left:
            empty = pa.RecordBatch.from_arrays(
                [pa.array([], field.type) for field in reader.schema], reader.schema.names
            )
            yield empty, pa.array([], pa.int64()), left


def _next(file: SourceFile, reader: pa_csv.CSVStreamingReader, row: int) -> pa.RecordBatch | None:
    """The reader's next batch, None at the end. Raises SourceError that says behind which row it failed."""
    try:
        found: pa.RecordBatch = reader.read_next_batch()
    except StopIteration:
        return None
    except pa.ArrowInvalid as error:
        why = f"a row is longer than {_BLOCK >> 20} MiB: is a quote open?" if "straddling" in str(error) else error
        raise SourceError(f"{file.uri} cannot be read behind row {row}: {why}") from error
    return found


def _of_wrong(row: Any, number: int) -> Rejected:
    reason = f"the row has {row.actual_columns} fields, expected {row.expected_columns}"
    return Rejected(number, "", reason, str(row.text)[:200])


def _options(mapping: ImportMapping, columns: list[str]) -> dict[str, Any]:
    csv = mapping.csv
    return {
        "read_options": pa_csv.ReadOptions(
            use_threads=False,
            block_size=_BLOCK,
            skip_rows=csv.skip_lines,
            column_names=list(csv.header) if csv.header else None,
            encoding=csv.encoding,
        ),
        "parse_options": pa_csv.ParseOptions(
            delimiter=csv.delimiter, quote_char=csv.quote, double_quote=True, newlines_in_values=True
        ),
        # Texts as they stand: what they mean is the mapping's to say, and a bad byte costs its row alone.
        "convert_options": pa_csv.ConvertOptions(
            check_utf8=False, include_columns=columns, column_types=dict.fromkeys(columns, pa.string())
        ),
    }


def _plain(file: SourceFile, opened: IO[bytes]) -> Any:
    return gzip.GzipFile(fileobj=opened) if file.uri.endswith(".gz") else opened


def _numbers(before: int, count: int) -> pa.Array:
    return pa.array(np.arange(before + 1, before + count + 1), pa.int64())


@contextmanager
def _readable(file: SourceFile) -> Iterator[None]:
    """Turn what the readers raise of a file that is broken into a SourceError that names it."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, zlib.error, UnicodeError) as error:
        raise SourceError(f"{file.uri} cannot be read: {error}") from error
