"""What is shown of a CSV file before it is sent: how it is read, what its first rows mean, what is left out."""

from collections.abc import Iterator, Sequence

from simulator.encode import iso_time
from simulator.replay.check import Check
from simulator.replay.decimals import POINT
from simulator.replay.flaws import shown
from simulator.replay.form import CsvForm
from simulator.replay.readings import CsvReading, canonical


def preview(form: CsvForm, checked: Check) -> Iterator[str]:
    """The interpretation of a file as lines of text."""
    yield from _aligned([*_settings(form)])
    yield ""
    titles = ["line", "time as written", "time (UTC)"]
    for item in form.mapped:
        titles += [f"{item.metric.name} as written", f"{item.metric.name} sent"]
    yield from _aligned([titles, *(list(_cells(form, reading)) for reading in checked.first)])
    yield ""
    yield from _books(checked)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _settings(form: CsvForm) -> Iterator[tuple[str, str, str]]:
    for what, value in _properties(form):
        reason = form.reasons.get(what, "")
        yield what, value, f"({reason})" if reason else ""
    for item, index in zip(form.mapped, form.values, strict=True):
        yield item.metric.name, f"{form.column((index,))} in {item.unit.symbol}", "(--map, --unit)"


def _properties(form: CsvForm) -> Iterator[tuple[str, str]]:
    times = form.times
    yield "file", str(form.path)
    yield "encoding", form.syntax.encoding
    yield "delimiter", shown(form.syntax.delimiter)
    yield "quote", form.syntax.quote or "none"
    yield "header", "yes" if form.has_header else "no: columns are #1, #2, ..."
    yield "time", form.column(form.time)
    if times.order:
        yield "date order", times.order.upper()
    if times.unit:
        yield "epoch unit", times.unit
    yield "time zone", f"{times.zone}, where a time has none" if times.zone else "as each time says"
    marks = {None: "none occurs", POINT: "point"}
    yield "decimal mark", marks.get(form.mark, "comma")
    if form.missing:
        yield "no value", f"empty, {', '.join(map(shown, sorted(form.missing)))}"


def _cells(form: CsvForm, reading: CsvReading) -> Iterator[str]:
    yield str(reading.line)
    yield reading.written[0]
    yield iso_time(reading.ts_ms)
    converted = canonical(form.mapped, reading)
    for item, value, text in zip(form.mapped, reading.values, reading.written[1:], strict=True):
        yield text
        if value is None:
            yield "not sent"
        elif item.unit.symbol == item.metric.unit:
            yield f"{value} {item.unit.symbol}"
        else:
            yield f"{value} {item.unit.symbol} = {converted[item.metric.name]:.6g} {item.metric.unit}"


def _books(checked: Check) -> Iterator[str]:
    span = f"{iso_time(checked.earliest_ms)} to {iso_time(checked.latest_ms)}"
    yield f"{checked.readings:,} readings, {span}; {checked.bad_rows:,} rows cannot be read"
    for flaw, bad in checked.bad.items():
        yield f"  {flaw}: {bad}"
    for what, tally in (
        ("blank rows, nothing to send", checked.blank),
        ("rows with missing values alone, nothing to send", checked.without_value),
        ("times finer than a millisecond, rounded to it", checked.finer),
    ):
        if tally.count:
            yield f"  {what}: {tally}"
    for name, tally in checked.out_of_range.items():
        yield f"  {name} outside the contract's range, sent and expected in quarantine: {tally}"
