"""The times of a column as epoch milliseconds UTC, or why a value is no time: column-wise, strictly."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from iot_pipeline.bulk_import.mapping import EventTime, MappingError
from iot_pipeline.contract.event_time import epoch_ms

_ZONED = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})$"
_NAIVE = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?$"
_WHOLE = r"^\d{1,14}$"
_SECONDS = r"^\d{1,11}(\.\d{1,9})?$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_US, _MS = pa.timestamp("us"), pa.int64()
NO_ZONE, TWICE, SKIPPED, FAR = "no zone", "twice", "skipped", "far"
# Arrow knows the changes of the clocks that a zone's file lists, up to 2037, and not the rule for those after.
_FAR = datetime(2037, 1, 1, tzinfo=UTC)
# A time of Parquet may be any whole number of 64 bits; those of the calendar can be counted in microseconds.
_YEAR_1_US, _YEAR_10000_US = -62_135_596_800_000_000, 253_402_300_800_000_000
_FAR_US = (_FAR - _EPOCH) // timedelta(microseconds=1)


class EventTimes:
    """Reads the times of one mapping."""

    def __init__(self, spec: EventTime) -> None:
        self._spec = spec
        self.reasons = {
            None: f"expected a time as {spec.format}" if spec.format else "expected a time before the year 10000",
            NO_ZONE: "the time says no zone; set ts.zone in the mapping",
            TWICE: f"the clocks of {spec.zone} showed this time twice; set ts.ambiguous to `earlier` or `later`",
            FAR: f"local times of {_FAR.year} and later are not read; give them with their offset from UTC",
            SKIPPED: f"the clocks of {spec.zone} never showed this time",
        }

    def check_type(self, kind: pa.DataType, where: str) -> None:
        """Raises MappingError if a Parquet column of this type cannot be read as the mapping says."""
        spec = self._spec
        if pa.types.is_timestamp(kind):
            if kind.tz is None and spec.zone is None:
                raise MappingError(f"{where}: {spec.column} is a time without a zone; name it under ts.zone")
            if spec.format is not None:
                raise MappingError(f"{where}: {spec.column} is a time already; take ts.format away")
        elif spec.format is None or (spec.format.startswith("epoch") != is_number(kind) and not is_text(kind)):
            expected = "a ts.format: `epoch_s` or `epoch_ms` for numbers, another for texts"
            raise MappingError(f"{where}: {spec.column} is of type {kind}; expected {expected}")

    def read(self, values: pa.Array) -> tuple[pa.Array, dict[int, str]]:
        """Of each value the epoch milliseconds, null where it is null or no time; by position, why it is none."""
        if pa.types.is_timestamp(values.type):
            return self._of_times(values)
        if is_number(values.type):
            return self._of_numbers(values)
        form = self._spec.format
        if form == "iso8601":
            return self._of_iso(values)
        if form in ("epoch_s", "epoch_ms"):
            fits = _matching(values, _WHOLE if form == "epoch_ms" else _SECONDS)
            number = _where(fits, values).cast(_MS if form == "epoch_ms" else pa.float64())
            return self._of_numbers(number, values)
        return self._of_pattern(values)

    def _of_times(self, values: pa.Array) -> tuple[pa.Array, dict[int, str]]:
        micros_a_unit = {"s": 1_000_000, "ms": 1_000, "us": 1}.get(values.type.unit)
        within = values
        if micros_a_unit is not None:  # nanoseconds end before that
            number = values.cast(_MS)
            is_time = pc.and_(
                pc.greater_equal(number, _YEAR_1_US // micros_a_unit), pc.less(number, _YEAR_10000_US // micros_a_unit)
            )
            within = pc.if_else(is_time, values, None)
        why, micros = self._failed(values, within), within.cast(pa.timestamp("us", values.type.tz), safe=False)
        if values.type.tz is not None:
            return _rounded(micros), why
        utc, named = self._in_zone(micros)
        return _rounded(utc), why | {at: self.reasons[reason] for at, reason in named.items()}

    def _of_numbers(self, number: pa.Array, sent: pa.Array | None = None) -> tuple[pa.Array, dict[int, str]]:
        if self._spec.format == "epoch_s" or not pa.types.is_signed_integer(number.type):
            factor = 1000.0 if self._spec.format == "epoch_s" else 1.0
            # Half up, as the contract rounds; a DOUBLE is exact as far as times go, and what is not is out of range.
            number = pc.floor(pc.add(pc.multiply(number.cast(pa.float64(), safe=False), factor), 0.5))
        in_range = pc.and_(pc.greater_equal(number, 0), pc.less(number, 10**14))
        found = pc.if_else(in_range, number, None).cast(_MS, safe=False)
        return found, self._failed(sent if sent is not None else number, found)

    def _of_iso(self, values: pa.Array) -> tuple[pa.Array, dict[int, str]]:
        zoned, naive = _matching(values, _ZONED), _matching(values, _NAIVE)
        found = _rounded(_cast(_where(zoned, values), pa.timestamp("us", "UTC"), _one_zoned))
        why: dict[int, str] = {}
        if pc.any(naive).as_py():
            local = _cast(_where(naive, values), _US, _one_naive)
            if self._spec.zone is None:
                why = dict.fromkeys(_positions(local.is_valid()), self.reasons[NO_ZONE])
            else:
                utc, named = self._in_zone(local)
                found = pc.coalesce(found, _rounded(utc))
                why = {at: self.reasons[reason] for at, reason in named.items()}
        return found, self._failed(values, found) | why

    def _of_pattern(self, values: pa.Array) -> tuple[pa.Array, dict[int, str]]:
        """By Python's strptime, which refuses the 31st of February; each distinct text once."""
        form = self._spec.format or ""
        coded = values.dictionary_encode()
        parsed = [_strptime(text, form) for text in coded.dictionary.to_pylist()]
        zoned = "%z" in form
        distinct = pa.array(parsed, pa.timestamp("us", "UTC") if zoned else _US)
        times = distinct.take(coded.indices)
        if zoned:
            found = _rounded(times)
            return found, self._failed(values, found)
        utc, named = self._in_zone(times)
        found = _rounded(utc)
        return found, self._failed(values, found) | {at: self.reasons[reason] for at, reason in named.items()}

    def _in_zone(self, local: pa.Array) -> tuple[pa.Array, dict[int, str]]:
        """Local times in UTC. A time that a change of the clocks brings twice is by the mapping's rule, one that it
        leaves out is none.
        """
        zone = self._spec.zone or "UTC"
        far = pc.fill_null(pc.greater_equal(local.cast(_MS), _FAR_US), False)
        why = dict.fromkeys(_positions(far), FAR)
        local = pc.if_else(far, None, local)
        early = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="earliest")
        late = pc.assume_timezone(local, zone, ambiguous="latest", nonexistent="latest")
        differ = pc.not_equal(early, late)
        if not pc.any(differ).as_py():
            return early, why
        # What never was differs by a nanosecond's step alone; what was twice by the shift of the clocks.
        gap = pc.less(pc.subtract(late.cast(_MS), early.cast(_MS)), 1_000_000)
        skipped = pc.and_(differ, gap)
        twice = pc.and_(differ, pc.invert(gap))
        why |= dict.fromkeys(_positions(skipped), SKIPPED)
        if self._spec.ambiguous == "reject":
            why |= dict.fromkeys(_positions(twice), TWICE)
            return pc.if_else(differ, None, early), why
        chosen = late if self._spec.ambiguous == "later" else early
        return pc.if_else(skipped, None, chosen), why

    def _failed(self, sent: pa.Array, found: pa.Array) -> dict[int, str]:
        return dict.fromkeys(_positions(pc.and_(sent.is_valid(), found.is_null())), self.reasons[None])


def _rounded(micros: pa.Array) -> pa.Array:
    """Milliseconds, half up, as the contract rounds."""
    number = micros.cast(_MS)
    # Division cuts towards zero: of what is before 1970 the floor is taken by a shift into what is after it.
    shifted = pc.add(number, 500 - _YEAR_1_US)
    return pc.add(pc.divide(shifted, 1000), _YEAR_1_US // 1000)


def _cast(texts: pa.Array, kind: pa.DataType, one: Callable[[str], datetime | None]) -> pa.Array:
    """All at once; one by one if there is a value that is no time, such as the 30th of February."""
    try:
        return texts.cast(kind)
    except pa.ArrowInvalid:
        return pa.array([None if text is None else one(text) for text in texts.to_pylist()], kind)


def _one_zoned(text: str) -> datetime | None:
    ms = epoch_ms(text.replace(" ", "T"))
    return None if ms is None else _EPOCH + ms * _MILLISECOND


def _one_naive(text: str) -> datetime | None:
    found = _one_zoned(f"{text}Z")
    return found.replace(tzinfo=None) if found else None


def _strptime(text: str | None, form: str) -> datetime | None:
    if text is None:
        return None
    try:
        # Naive unless the pattern has %z: its zone is the mapping's, which the caller gives it.
        found = datetime.strptime(text, form)  # noqa: DTZ007 - see above
    except ValueError:
        return None
    return found if found.tzinfo is None else found.astimezone(UTC)


def _matching(values: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(values, pattern), False)


def _where(fits: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(fits, values, None)


def _positions(mask: Any) -> list[int]:
    found: list[int] = pc.indices_nonzero(mask).to_pylist()
    return found


def is_number(kind: pa.DataType) -> bool:
    """Whether a type of Arrow is one of numbers; booleans are none."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_text(kind: pa.DataType) -> bool:
    """Whether a type of Arrow is one of texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
