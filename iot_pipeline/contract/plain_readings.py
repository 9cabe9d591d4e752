"""The judge's short way, for readings that are time, number, plausible metrics, their units and a place alone.

Nearly all readings are, and have the fields of the one before. The short way says of them what the long one of
`judge.py` says as well; of what it leaves in doubt it says nothing.
"""

from functools import lru_cache
from typing import Any

from iot_pipeline.contract.contract import READING_FIELDS, Contract
from iot_pipeline.contract.event_time import epoch_ms
from iot_pipeline.contract.judged_reading import Message, Reading

LEAST_BIGINT, MOST_BIGINT = -(1 << 63), (1 << 63) - 1
PLACE = frozenset(("lat", "lon"))
# Name, minimum and maximum of metrics.
_Limits = tuple[tuple[str, float, float], ...]


class PlainReadings:
    """Reads plain readings by one contract. Threads may share it."""

    def __init__(self, contract: Contract) -> None:
        self._limits = {m.name: (m.minimum, m.maximum) for m in contract.metrics}
        self._fields = frozenset((*READING_FIELDS, *self._limits))
        self._units = {
            m.name: {unit.symbol: (unit.factor, unit.offset) for unit in m.units if unit is not m.units[0]}
            | {m.unit: None}
            for m in contract.metrics
        }
        self._late_ms = round(contract.lateness_bound.total_seconds()) * 1000
        self._ahead_ms = round(contract.future_bound.total_seconds()) * 1000
        # A fleet's readings have few sets of fields.
        self._limits_of = lru_cache(maxsize=256)(self._limits_among)

    def read(self, message: Message, sent: list[Any]) -> tuple[list[Reading], list[Reading]]:
        """The readings of a message of which nothing is to be said but by them, and those of them in doubt.

        Those that are plain are filled in, and valid.
        """
        received_ms = message.received_ms or 0
        earliest, latest = received_ms - self._late_ms, received_ms + self._ahead_ms
        found: list[Reading] = []
        doubtful: list[Reading] = []
        names: tuple[str, ...] = ()
        limits: _Limits = ()
        for position, each in enumerate(sent, 1):
            reading = Reading(message, position, each)
            found.append(reading)
            if type(each) is dict:
                if (fields := tuple(each)) != names:
                    names, limits = fields, self._limits_of(fields)
                measured = self._in_canonical_units(each) if "unit" in each else each
                if limits and measured is not None and _fill_in(reading, measured, limits, earliest, latest):
                    continue
            doubtful.append(reading)
        return found, doubtful

    def _limits_among(self, names: tuple[str, ...]) -> _Limits:
        """The limits of the metrics among the fields of a reading; none where it has not what a plain one has."""
        if "ts" not in names or "seq" not in names or not self._fields.issuperset(names):
            return ()
        return tuple((name, *self._limits[name]) for name in names if name in self._limits)

    def _in_canonical_units(self, sent: dict[str, Any]) -> dict[str, Any] | None:
        """A reading that has units with its metrics converted by them; None where one is not as the contract says."""
        unit = sent["unit"]
        if type(unit) is not dict:
            return None
        converted = dict(sent)
        for name, symbol in unit.items():
            known = self._units.get(name)
            if known is None or type(symbol) is not str or symbol not in known:
                return None
            conversion, value = known[symbol], sent.get(name)
            if conversion is not None:
                if type(value) is not float:
                    return None
                converted[name] = value * conversion[0] + conversion[1]
        return converted


def _fill_in(reading: Reading, measured: dict[str, Any], limits: _Limits, earliest: int, latest: int) -> bool:
    """Whether a reading is plain, its event between two times; fills it in if so."""
    event_ms, seq = epoch_ms(measured["ts"]), measured["seq"]
    if event_ms is None or not earliest <= event_ms <= latest:
        return False
    if type(seq) is not int or not LEAST_BIGINT <= seq <= MOST_BIGINT:
        return False
    values: dict[str, float] = {}
    for name, minimum, maximum in limits:
        value = measured[name]
        if type(value) is float:
            if value < minimum or value > maximum:
                return False
            values[name] = value
        elif type(value) is int and minimum <= value <= maximum:
            values[name] = float(value)
        else:
            return False
    if "location" in measured and not _is_placed(reading, measured["location"]):
        return False
    reading.event_ms, reading.seq, reading.values = event_ms, seq, values
    return True


def _is_placed(reading: Reading, place: Any) -> bool:
    """Whether a place is two fractions on Earth; fills it in if so."""
    if type(place) is not dict or len(place) != len(PLACE):
        return False
    lat, lon = place.get("lat"), place.get("lon")
    if type(lat) is not float or type(lon) is not float or not (abs(lat) <= 90 and abs(lon) <= 180):
        return False
    reading.lat, reading.lon = lat, lon
    return True
