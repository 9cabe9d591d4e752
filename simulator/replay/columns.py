"""Which columns of a file are the event time and the metrics."""

from collections.abc import Sequence
from dataclasses import dataclass

from iot_pipeline.contract import METRICS, Metric, Unit
from simulator.replay.flaws import CsvError, shown
from simulator.replay.times import Kind, kind_of

# Of the names of columns an error shows so many.
_SHOWN = 50
_METRICS = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True)
class Mapped:
    """A metric, and the column (its name, or #1 for the first) and unit it comes in."""

    metric: Metric
    column: str
    unit: Unit


def parse_mapping(maps: Sequence[str], units: Sequence[str]) -> list[Mapped]:
    """`temperature=value` and `temperature=F` options. Raises ValueError naming the bad one."""
    if not maps:
        raise ValueError("--map is missing; name at least one metric's column, such as --map temperature=value")
    columns, symbols = _pairs(maps, "--map", "METRIC=COLUMN"), _pairs(units, "--unit", "METRIC=UNIT")
    if unmapped := [name for name in symbols if name not in columns]:
        raise ValueError(f"--unit {unmapped[0]}=...: that metric has no --map")
    return [
        Mapped(_METRICS[name], column, _unit(_METRICS[name], symbols.get(name, _METRICS[name].unit)))
        for name, column in columns.items()
    ]


def _unit(metric: Metric, symbol: str) -> Unit:
    found = next((unit for unit in metric.units if unit.symbol == symbol), None)
    if found is None:
        accepted = ", ".join(unit.symbol for unit in metric.units)
        raise ValueError(f"--unit {metric.name}={symbol}: {metric.name} is accepted in {accepted}")
    return found


def _pairs(texts: Sequence[str], option: str, form: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or name not in _METRICS or not value:
            raise ValueError(f"{option} {text!r}: expected {form} with a metric of {', '.join(_METRICS)}")
        if name in pairs:
            raise ValueError(f"{option} {name} is given twice: {pairs[name]!r} and {value!r}; give it once")
        pairs[name] = value
    return pairs


def is_number(reference: str) -> bool:
    """Whether a column is named by its number, as #1."""
    return reference.startswith("#") and reference[1:].isascii() and reference[1:].isdigit()


def index_of(reference: str, header: Sequence[str], option: str) -> int:
    """The index of the column that an option names: by its name in `header`, or as #1.

    Raises CsvError for a column that is not there, or whose name stands in the header twice.
    """
    found = [index for index, name in enumerate(header) if name == reference]
    if len(found) > 1:
        numbers = " and ".join(f"#{index + 1}" for index in found)
        raise CsvError(f"{option}: column {reference!r} is there {len(found)} times, as {numbers}; give that number")
    if is_number(reference):
        number = int(reference[1:])
        if found and found != [number - 1]:
            raise CsvError(f"{option}: {reference!r} is column {found[0] + 1}'s name; rename it in the first line")
        if not 1 <= number <= len(header):
            raise CsvError(f"{option}: there is no column {reference}; there are {len(header)}")
        return number - 1
    if not found:
        raise CsvError(f"{option}: no column {reference!r}; its columns are {_listed(header)}")
    return found[0]


def _listed(names: Sequence[str]) -> str:
    """Names as an error shows them: of many the first."""
    texts = ", ".join(map(shown, names[:_SHOWN]))
    return f"{texts} and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else texts


def time_columns(header: Sequence[str], sample: Sequence[Sequence[str]], taken: Sequence[int]) -> list[int]:
    """The column that alone holds event times, or the two with their date and time of day, or the only one left.

    `sample` are the fields of the first rows, `taken` the metrics' columns. Raises CsvError unless there is exactly one
    choice.
    """
    kinds = {index: _kind(sample, index) for index in range(len(header)) if index not in taken}
    timed = {index: kind for index, kind in kinds.items() if kind is not None}
    dates, clocks = ([i for i, kind in timed.items() if kind == wanted] for wanted in (Kind.DATE, Kind.CLOCK))
    if len(timed) == 1 and not clocks:
        return list(timed)
    if len(timed) == 2 and len(dates) == len(clocks) == 1:
        return [dates[0], clocks[0]]
    if timed:
        found = ", ".join(f"{header[index]!r} ({kind})" for index, kind in timed.items())
        raise CsvError(f"more than one column may be the event time, or none is whole: {found}; give --time-column")
    if len(kinds) == 1:
        return list(kinds)
    first = f"; the first row is {', '.join(map(repr, sample[0]))}" if sample else ""
    raise CsvError(f"no column reads as a time{first}; give --time-column")


def _kind(sample: Sequence[Sequence[str]], index: int) -> Kind | None:
    """What most of a column's cells are."""
    cells = [row[index].strip() for row in sample if index < len(row) and row[index].strip()]
    kinds = [kind for cell in cells if (kind := kind_of(cell))]
    return max(set(kinds), key=kinds.count) if 2 * len(kinds) > len(cells) else None
