"""What a message says of each metric: its readings in the order of time, turned into columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import lt

from iot_pipeline.contract.judged_reading import VALID, Reading

# Effective time, the device's sequence number, the reading.
Timed = tuple[int, int, Reading]


@dataclass(slots=True)
class Points:
    """What a message says of one metric, in the order of time: of readings that are valid.

    `is_rising`: each is later than the one before. `beyond` has time, sequence number and value of those that are
    quarantined for this metric's range.
    """

    times: Sequence[int] = ()
    seqs: Sequence[int] = ()
    values: Sequence[float] = ()
    is_rising: bool = True
    beyond: list[tuple[int, int, float]] = field(default_factory=list)


def is_rising(times: Sequence[int]) -> bool:
    """Whether each time is later than the one before."""
    return all(map(lt, times, islice(times, 1, None)))


def columns(timed: Sequence[Timed]) -> dict[str, Points]:
    """What readings say, by metric."""
    valid = [each for each in timed if each[2].outcome == VALID]
    found = _of_valid(valid)
    if len(valid) < len(timed):
        for at_ms, seq, reading in timed:
            if reading.outcome != VALID:
                for name, value in reading.values.items():
                    found.setdefault(name, Points()).beyond.append((at_ms, seq, value))
    return found


def _of_valid(timed: Sequence[Timed]) -> dict[str, Points]:
    """What valid readings say, by metric; fast if all have the same ones."""
    if not timed:
        return {}
    times, seqs, readings = zip(*timed, strict=True)
    every = [reading.values for reading in readings]
    names = every[0].keys()
    if list(map(len, every)).count(len(names)) == len(every):
        rising = is_rising(times)
        try:
            return {name: Points(times, seqs, [values[name] for values in every], rising) for name in names}
        except KeyError:
            pass
    sent: dict[str, list[tuple[int, int, float]]] = {}
    for at_ms, seq, reading in timed:
        for name, value in reading.values.items():
            sent.setdefault(name, []).append((at_ms, seq, value))
    return {name: _points(rows) for name, rows in sent.items()}


def _points(rows: list[tuple[int, int, float]]) -> Points:
    times, seqs, values = zip(*rows, strict=True)
    return Points(times, seqs, values, is_rising(times))
