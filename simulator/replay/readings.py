"""The rows of a CSV file as readings, streamed: what a row says, or why it cannot be read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from simulator.replay.columns import Mapped
from simulator.replay.decimals import is_ambiguous, number
from simulator.replay.flaws import BadRow, CellError, CsvError, Flaw, shown
from simulator.replay.form import CsvForm, body
from simulator.replay.records import BLANKS, Record, broken_lines, check_characters
from simulator.replay.times import epoch_ms, kind_of

_T = TypeVar("_T")
_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class CsvReading:
    """One row of the file.

    `line` is the first it stands on, `ts_ms` the event time in epoch milliseconds UTC, `seq` the row's number from 1,
    `values` the metrics in the units of the file (None where the row has none). `written` is what the file says, the
    time first; `was_finer` that its time had parts of a millisecond.
    """

    line: int
    ts_ms: int
    seq: int
    values: tuple[float | None, ...]
    written: tuple[str, ...] = ()
    was_finer: bool = False


@dataclass(frozen=True)
class NoReading:
    """A row with nothing to send, rightly: `is_blank` if all its fields are empty, else its values are missing ones."""

    line: int
    is_blank: bool


class _RowError(ValueError):
    def __init__(self, flaw: Flaw, text: str) -> None:
        super().__init__(text)
        self.flaw = flaw


def rows(form: CsvForm) -> Iterator[CsvReading | NoReading | BadRow]:
    """What each row below the header says, in the file's order.

    The sequence number counts every row, so that correcting one leaves the others' keys. Raises CsvError where nothing
    says where rows begin (see `records`), and for a quoted text with lines in it that read as rows.
    """
    for seq, record in enumerate(body(form), 1):
        try:
            yield _row(form, record, seq)
        except _RowError as error:
            yield BadRow(record.line, error.flaw, f"{form.path}, line {record.line}{error}")


def _row(form: CsvForm, record: Record, seq: int) -> CsvReading | NoReading:
    if record.is_blank:
        return NoReading(record.line, is_blank=True)
    if record.last_line > record.line:
        _refuse_swallowed_rows(form, record)
    if len(record.fields) != len(form.header):
        expected = f"expected {len(form.header)} as in the {'header' if form.has_header else 'first line'}"
        raise _RowError(Flaw.FIELDS, f": {len(record.fields)} fields, {expected}; correct the row, or quote its texts")
    if not record.is_plain:
        for index, field in enumerate(record.fields):
            _cell(form, (index,), Flaw.BYTES, check_characters, field)
    time = form.time_text(record)
    ts_ms, was_finer = _cell(form, form.time, Flaw.TIME, lambda text: epoch_ms(text, form.times), time)
    texts = [record.fields[index].strip(BLANKS) for index in form.values]
    values = tuple(_value(form, index, text) for index, text in zip(form.values, texts, strict=True))
    if all(value is None for value in values):
        if any(map(form.is_missing, texts)):
            return NoReading(record.line, is_blank=False)
        columns = form.column(form.values)
        remedy = "correct the row, or give --missing '' if such rows are right"
        raise _RowError(Flaw.NO_VALUE, f", {columns}: no value, expected one; {remedy}")
    return CsvReading(record.line, ts_ms, seq, values, (time, *texts), was_finer)


def _value(form: CsvForm, index: int, text: str) -> float | None:
    if not text or form.is_missing(text):
        return None

    def read(text: str) -> float:
        if form.mark is None and is_ambiguous(text):
            raise CellError(
                f"{shown(text)} may be a number with decimals or a whole one with its thousands grouped; give "
                "--decimal-mark point or comma, or remove the thousands separators"
            )
        return number(text, form.mark)

    return _cell(form, (index,), Flaw.NUMBER, read, text)


def _cell(form: CsvForm, indices: tuple[int, ...], flaw: Flaw, read: Callable[[str], _T], text: str) -> _T:
    try:
        return read(text)
    except CellError as error:
        raise _RowError(flaw, f", {form.column(indices)}: {error}") from None


def _refuse_swallowed_rows(form: CsvForm, record: Record) -> None:
    """A quote that was not closed ends at the next one: rows between would be one cell's text."""
    for index, lines in broken_lines(record):
        for line in lines[1:]:
            if _reads_as_row(form, [cell.strip(BLANKS) for cell in line.split(form.syntax.delimiter)]):
                raise CsvError(
                    f"{form.path}, line {record.line}, column {index + 1}: text in quotes runs on to line "
                    f"{record.last_line}, and a line in it reads as a row ({shown(line)}); close the quote, or take "
                    "the line breaks out of the text"
                )


def _reads_as_row(form: CsvForm, cells: list[str]) -> bool:
    if len(cells) > 1 and any(map(kind_of, cells)):
        return True
    if len(cells) != len(form.header):
        return False
    try:
        epoch_ms(" ".join(cells[index] for index in form.time), form.times)
    except CellError:
        return False
    return True


def rebased(readings: Iterator[CsvReading], shift_ms: int) -> Iterator[CsvReading]:
    """The readings moved in time."""
    return (replace(reading, ts_ms=reading.ts_ms + shift_ms) for reading in readings)


def shift_ms(latest_ms: int, until_ms: int, whole_hours: bool) -> int:
    """By how much to move a file so that its latest reading is at `until_ms` (epoch milliseconds).

    With `whole_hours` by whole hours, which keeps every reading's minute: the latest is then less than an hour earlier.
    """
    shift = until_ms - latest_ms
    return shift // _HOUR_MS * _HOUR_MS if whole_hours else shift


def numbered_by_time(readings: Iterator[CsvReading]) -> Iterator[CsvReading]:
    """The readings with the event time in epoch milliseconds as their sequence number."""
    return (replace(reading, seq=reading.ts_ms) for reading in readings)


def canonical(mapped: tuple[Mapped, ...], reading: CsvReading) -> dict[str, float]:
    """The reading's values by metric, in the contract's units."""
    return {
        item.metric.name: value * item.unit.factor + item.unit.offset
        for item, value in zip(mapped, reading.values, strict=True)
        if value is not None
    }
