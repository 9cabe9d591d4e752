"""How a CSV file is written: found out from the file or said by options, never guessed, and known with its reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from itertools import islice
from pathlib import Path

from simulator.replay.columns import Mapped, index_of, is_number, time_columns
from simulator.replay.decimals import COMMA, POINT, mark_of, plain_number
from simulator.replay.encoding import encoding_of
from simulator.replay.flaws import CellError, CsvError, shown
from simulator.replay.records import BLANKS, Record, Syntax, check_characters, records
from simulator.replay.times import EpochUnit, Kind, Order, TimeForm, epoch_unit_of, has_unclear_order, kind_of, order_of

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_RECORDS = 21


@dataclass(frozen=True)
class Given:
    """What the options say of a file; None (and empty) leaves it to the file."""

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    decimal_mark: str | None = None
    header: bool | None = None
    time_columns: tuple[str, ...] = ()
    date_order: Order | None = None
    epoch_unit: EpochUnit | None = None
    zone: tzinfo | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class CsvForm:
    """How a file is read. `time` and `values` are indices of columns, the latter in the order of `mapped`.

    `header` has a name for each column, #1 and so on where the file has none. `reasons` says of each property how it is
    known.
    """

    path: Path
    syntax: Syntax
    has_header: bool
    header: tuple[str, ...]
    time: tuple[int, ...]
    mapped: tuple[Mapped, ...]
    values: tuple[int, ...]
    times: TimeForm
    mark: str | None
    missing: frozenset[str]
    reasons: dict[str, str] = field(default_factory=dict)

    def column(self, indices: Sequence[int]) -> str:
        """The columns at some indices, as a message names them."""
        return "column " + " and ".join(f"{shown(self.header[index])} (#{index + 1})" for index in indices)

    def is_missing(self, text: str) -> bool:
        """Whether --missing names a cell's text, or the number it is."""
        if not self.missing or text in self.missing:
            return bool(self.missing)
        value = plain_number(text, self.mark)
        return value is not None and any(plain_number(missing, self.mark) == value for missing in self.missing)

    def time_text(self, record: Record) -> str:
        """What a record, which has the header's number of fields, says of its time."""
        return " ".join(record.fields[index].strip(BLANKS) for index in self.time).strip(BLANKS)


def detect(path: Path, mapped: Sequence[Mapped], given: Given) -> CsvForm:
    """Find out how a file is written. Reads as much of it as that takes: all of it where nothing proves it sooner.

    Raises CsvError for an empty file, a column that is not there or is there twice, several delimiters or times that
    are possible, and what `records` raises; OSError for a file that cannot be read.
    """
    if not path.is_file():
        raise CsvError(f"{path} is no regular file; a replay reads it more than once: save it as a file first")
    encoding, known_by = encoding_of(path, given.encoding)
    found, errors = [], []
    for delimiter in [given.delimiter] if given.delimiter else _DELIMITERS:
        rank = (False, 0)
        try:
            sample = _sample(path, Syntax(encoding, delimiter, None), given.quote)
            cells = sample.records[0].fields
            rank = (any(kind_of(cell.strip(BLANKS)) for cell in cells), len(cells))
            found.append(_form(path, sample, mapped, given))
        except CsvError as error:
            errors.append((rank, error))
    if not found:
        raise max(errors, key=lambda pair: pair[0])[1]
    form = _only(path, found)
    reasons = {"encoding": known_by, "delimiter": "--delimiter" if given.delimiter else "detected"}
    reasons["quote"] = "--quote" if given.quote else "detected"
    return _surveyed(replace(form, reasons={**form.reasons, **reasons}), given)


@dataclass(frozen=True)
class _Sample:
    """The first records that are not blank, and the error that ended them early."""

    syntax: Syntax
    records: list[Record]
    error: CsvError | None


def _sample(path: Path, syntax: Syntax, quote: str | None) -> _Sample:
    """The beginning of a file. Raises CsvError if it has none that can be read."""
    empty = f"{path} is empty; expected a header line, and a line for each row"
    first = next((record for record in records(path, syntax) if not record.is_blank), None)
    if first is None:
        raise CsvError(empty)
    if quote is None:
        cells = [cell.strip(BLANKS) for cell in first.fields]
        single = any(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells)
        quote = "'" if single and not any('"' in cell for cell in cells) else '"'
    quoted = replace(syntax, quote=None if quote == "none" else quote)
    found: list[Record] = []
    try:
        found.extend(islice((record for record in records(path, quoted) if not record.is_blank), _SAMPLE_RECORDS))
    except CsvError as error:
        if not found:
            raise
        return _Sample(quoted, found, error)
    if not found:
        raise CsvError(empty)
    return _Sample(quoted, found, None)


def _form(path: Path, sample: _Sample, mapped: Sequence[Mapped], given: Given) -> CsvForm:
    first = sample.records[0]
    where = f"{path}, line {first.line}"
    has_header, known_by = _has_header(first, where, mapped, given)
    names = [cell.strip(BLANKS) for cell in first.fields]
    header = names if has_header else [f"#{number}" for number in range(1, len(names) + 1)]
    for number, cell in enumerate(first.fields, 1):
        try:
            check_characters(cell)
        except CellError as error:
            raise CsvError(f"{where}, column {number}: {error}") from None
    rows = [record.fields for record in (sample.records[1:] if has_header else sample.records)]
    data = ""
    if has_header and any(kind_of(name) for name in names):
        data = " (the line holds a time: if it is a row and no header, give --no-header, and columns as #1)"
    elif has_header and any(len(row) > len(names) for row in rows):
        data = " (later lines have more fields: if the header is further down, remove what stands above it)"
    if not rows:
        raise sample.error or CsvError(f"{where}: a header and no row below it, expected at least one{data}")
    try:
        values = [index_of(item.column, header, f"--map {item.metric.name}") for item in mapped]
        given_time = [index_of(name, header, "--time-column") for name in given.time_columns]
        time = given_time or time_columns(header, rows, values)
    except CsvError as error:
        raise CsvError(f"{where}, delimiter {sample.syntax.delimiter!r}: {error}{data}") from None
    if both := set(time) & set(values):
        raise CsvError(f"{where}: column {header[min(both)]!r} is both a metric and the time; give one of them another")
    times = TimeForm(given.date_order, given.epoch_unit, given.epoch_unit is not None, given.zone)
    reasons = {"header": known_by, "time": "--time-column" if given_time else "the only one that may be"}
    missing = frozenset(given.missing)
    return CsvForm(
        *(path, sample.syntax, has_header, tuple(header), tuple(time), tuple(mapped), tuple(values), times),
        *(given.decimal_mark, missing, reasons),
    )


def _has_header(first: Record, where: str, mapped: Sequence[Mapped], given: Given) -> tuple[bool, str]:
    if given.header is not None:
        return given.header, "--header" if given.header else "--no-header"
    named = [name for name in (*(item.column for item in mapped), *given.time_columns) if not is_number(name)]
    if named:
        return True, "columns are given by name"
    cells = [cell.strip(BLANKS) for cell in first.fields]
    has_time = any(map(kind_of, cells))
    if not has_time and any(
        plain_number(cell, POINT) is not None or plain_number(cell, COMMA) is not None for cell in cells
    ):
        raise CsvError(
            f"{where}: it may be a header or a row (it holds a number and no time); give --header or --no-header"
        )
    return not has_time, f"line {first.line} holds {'a' if has_time else 'no'} time"


def _only(path: Path, found: list[CsvForm]) -> CsvForm:
    """The one form of several by which the first row has as many fields as the header, and a time."""
    if len(found) > 1:
        found = [
            form for form in found if _has_time(form, next(record for record in body(form) if not record.is_blank))
        ] or found
    if len(found) > 1:
        delimiters = ", ".join(repr(form.syntax.delimiter) for form in found)
        raise CsvError(f"{path}: its fields may be separated by any of {delimiters}; give --delimiter")
    return found[0]


def _has_time(form: CsvForm, record: Record) -> bool:
    return len(record.fields) == len(form.header) and kind_of(form.time_text(record)) is not None


def body(form: CsvForm) -> Iterator[Record]:
    """The records after the header, blank ones too. Raises what `records` raises."""
    below = records(form.path, form.syntax)
    if form.has_header:
        next(record for record in below if not record.is_blank)
    return below


def _surveyed(form: CsvForm, given: Given) -> CsvForm:
    """The form with what the rows prove of order, unit and decimal mark; reads on until all that occurs is proven."""
    survey = _Survey(form, given)
    for record in body(form):
        if len(record.fields) == len(form.header):
            survey.read(record)
            if survey.is_done:
                break
    return replace(form, times=survey.times, mark=survey.mark, reasons={**form.reasons, **survey.reasons})


class _Survey:
    """Looks for the first cells that prove how times and numbers are written."""

    def __init__(self, form: CsvForm, given: Given) -> None:
        self._form = form
        self._time_is_known = False
        self.times, self.mark = form.times, form.mark
        options = {"date order": given.date_order, "epoch unit": given.epoch_unit, "decimal mark": given.decimal_mark}
        self.reasons = {what: f"--{what.replace(' ', '-')}" for what, value in options.items() if value}

    @property
    def is_done(self) -> bool:
        return self._time_is_known and self.mark is not None

    def read(self, record: Record) -> None:
        if not self._time_is_known:
            self._read_time(record, self._form.time_text(record))
        for index in self._form.values if self.mark is None else ():
            text = record.fields[index].strip(BLANKS)
            self.mark = None if text in self._form.missing else mark_of(text, self._form.syntax.delimiter)
            if self.mark:
                self.reasons["decimal mark"] = f"line {record.line}: {shown(text)}"
                return

    def _read_time(self, record: Record, text: str) -> None:
        proof = f"line {record.line}: {shown(text)}"
        if has_unclear_order(text):
            if self.times.order is None and (order := order_of(text)):
                self.times = replace(self.times, order=order)
                self.reasons["date order"] = proof
            self._time_is_known = self.times.order is not None
        elif kind_of(text) == Kind.FULL:
            self._time_is_known = True
        elif self.times.unit is None and (unit := epoch_unit_of(text)):
            self.times = replace(self.times, unit=unit)
            self.reasons["epoch unit"] = proof
            self._time_is_known = True
        else:
            self._time_is_known = self.times.unit is not None
