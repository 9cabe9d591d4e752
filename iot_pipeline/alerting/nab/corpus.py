"""Reads series and their labelled windows in the form of the Numenta Anomaly Benchmark.

A series is a CSV file with the columns `timestamp` and `value`. The windows are one JSON object: a key names a series,
its value lists pairs of timestamps, the first and the last row of each anomaly. A key is a path. It may end in the
path of a file below the folder (`realKnownCause/x.csv`, as NAB lays its files out), or name a file whose folder became
part of its name (`realKnownCause__x.csv`); leading `../` do not count.
"""

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

HEADER = ["timestamp", "value"]


class CorpusError(ValueError):
    """A file of the corpus is missing or malformed; the text names it, and its line where there is one."""


@dataclass(frozen=True)
class Window:
    """A labelled anomaly, by the indices of its first and its last row."""

    first: int
    last: int

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Series:
    """One series of the corpus: its rows in the order of the file, and its windows in the order of the rows."""

    name: str
    times: Sequence[int]
    values: Sequence[float]
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True)
class Corpus:
    """The labelled series, and the CSV files of the folder that no window's key names."""

    series: tuple[Series, ...]
    unlabelled: tuple[str, ...]


def load(folder: Path, windows_file: Path) -> Corpus:
    """Read the series below a folder that a file of windows names.

    Raises CorpusError if a named series is missing or ambiguous, or if a file is malformed.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder} is no folder")
    limits = _read_windows(windows_file)
    files = sorted(folder.rglob("*.csv"))
    series, used = [], set()
    for key, spans in limits.items():
        path = _find(key, folder, files)
        used.add(path)
        name = PurePosixPath(_plain(key)).with_suffix("").as_posix()
        times, values = read_series(path)
        series.append(Series(name, times, values, _windows(spans, times, f"{windows_file}: {key}")))
    return Corpus(tuple(series), tuple(str(path.relative_to(folder)) for path in files if path not in used))


def read_series(path: Path) -> tuple[list[int], list[float]]:
    """Read the times, in milliseconds of the epoch, and the values of a CSV file.

    Raises CorpusError with file and line if a row is malformed, or if there is no row.
    """
    times: list[int] = []
    values: list[float] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, at, value in _rows(path, csv.reader(file)):
                times.append(_milliseconds(at, f"{path}, line {line}"))
                values.append(_number(value, f"{path}, line {line}"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path} cannot be read: {error}") from error
    if not times:
        raise CorpusError(f"{path} has no rows below its header")
    return times, values


def _rows(path: Path, reader: Any) -> Iterator[tuple[int, str, str]]:
    header = [name.strip().lower() for name in next(reader, [])]
    if header[:2] != HEADER:
        raise CorpusError(f"{path}, line 1: the columns should be {','.join(HEADER)}, they are {','.join(header)!r}")
    for row in reader:
        if not row:
            continue
        if len(row) < 2:
            raise CorpusError(f"{path}, line {reader.line_num}: a timestamp and a value are needed, found {row!r}")
        yield reader.line_num, row[0], row[1]


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise CorpusError(f"{where}: the value {text!r} is no number") from error
    if not math.isfinite(value):
        raise CorpusError(f"{where}: the value {text!r} is not finite")
    return value


def _milliseconds(text: str, where: str) -> int:
    """NAB's times have no zone; they are read as UTC, so that the hour of the day is the one that is written."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise CorpusError(f"{where}: {text!r} is no timestamp such as 2014-04-10 00:04:00") from error
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _read_windows(path: Path) -> dict[str, list[tuple[int, int]]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise CorpusError(f"{path}, line {error.lineno}: no JSON: {error.msg}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict) or not content:
        raise CorpusError(f"{path} should hold an object that gives each series its windows")
    return {key: _spans(spans, f"{path}: {key}") for key, spans in content.items()}


def _spans(spans: object, where: str) -> list[tuple[int, int]]:
    if not isinstance(spans, list) or not all(isinstance(span, list) and len(span) == 2 for span in spans):
        raise CorpusError(f"{where}: the windows should be a list of pairs of timestamps")
    found = sorted((_milliseconds(str(first), where), _milliseconds(str(last), where)) for first, last in spans)
    for first, last in found:
        if last < first:
            raise CorpusError(f"{where}: a window ends before it begins")
    return found


def _plain(key: str) -> str:
    return "/".join(part for part in key.replace("\\", "/").split("/") if part not in {"", ".", ".."})


def _find(key: str, folder: Path, files: Sequence[Path]) -> Path:
    plain = _plain(key)
    relative = {path: path.relative_to(folder).as_posix() for path in files}
    found = [path for path in files if f"/{relative[path]}".endswith(f"/{plain}")]
    found = found or [path for path in files if f"/{relative[path]}".endswith("/" + plain.replace("/", "__"))]
    if not found:
        raise CorpusError(f"{key} has windows, but there is no such CSV file below {folder}")
    shortest = min(len(relative[path]) for path in found)
    nearest = [path for path in found if len(relative[path]) == shortest]
    if len(nearest) > 1:
        raise CorpusError(f"{key} could be {' or '.join(str(path) for path in nearest)}")
    return nearest[0]


def _windows(spans: Sequence[tuple[int, int]], times: Sequence[int], where: str) -> tuple[Window, ...]:
    windows: list[Window] = []
    for start, end in spans:
        first = _first_row(times, start)
        last = _last_row(times, first, end) if first is not None else None
        if first is None or last is None:
            raise CorpusError(f"{where}: no row of the series is in the window that begins at {start} ms of the epoch")
        if windows and first <= windows[-1].last:
            raise CorpusError(f"{where}: two windows overlap")
        windows.append(Window(first, last))
    return tuple(windows)


def _first_row(times: Sequence[int], start: int) -> int | None:
    """NAB begins a window at the first row of exactly its time; where there is none, here the next later row does."""
    exact = next((i for i, at in enumerate(times) if at == start), None)
    return exact if exact is not None else next((i for i, at in enumerate(times) if at >= start), None)


def _last_row(times: Sequence[int], first: int, end: int) -> int | None:
    exact = next((i for i in range(first, len(times)) if times[i] == end), None)
    if exact is not None:
        return exact
    return next((i for i in range(len(times) - 1, first - 1, -1) if times[i] <= end), None)
