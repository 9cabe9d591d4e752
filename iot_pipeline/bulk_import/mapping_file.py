"""Reading a mapping: a TOML file, checked against the contract key by key, with errors that say what was expected."""

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from iot_pipeline.bulk_import.mapping import (
    FORMATS,
    Csv,
    EventTime,
    ImportMapping,
    LongForm,
    MappingError,
    MetricSource,
    Text,
    listed,
)
from iot_pipeline.contract import CONTRACT, Contract
from iot_pipeline.contract.identifiers import DEVICE_NAME, NAME

# It is part of the name of an object and of the client in the envelope.
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SAMPLE = datetime(2024, 12, 31, 23, 58, 59, tzinfo=UTC)


def read_mapping(text: str, contract: Contract = CONTRACT) -> ImportMapping:
    """The mapping that a TOML text says. Raises MappingError, naming the key and what was expected."""
    try:
        held = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"the mapping is no TOML: {error}") from error
    table = _Table(held, "")
    import_id = table.text("import", matching=_ID, expected="lower-case letters, digits and hyphens, at most 63")
    form = table.text("form", "wide", one_of=("wide", "long"))
    identity = table.text("identity", None, one_of=("registry",))
    if identity and (table.has("tenant") or table.has("site")):
        raise MappingError('`identity = "registry"` says tenant and site; take `tenant` and `site` away, or it')
    mapping = ImportMapping(
        import_id=import_id,
        device=_name(table, "device", DEVICE_NAME),
        tenant=None if identity else _name(table, "tenant", NAME),
        site=None if identity else _name(table, "site", NAME),
        time=_time(table.table("ts")),
        seq=table.table("seq").only("column") if table.has("seq") else None,
        metrics=_metrics(table.table("metrics"), contract, "name" if form == "long" else "column"),
        location=_location(table.table("location")) if table.has("location") else None,
        long=_long(table) if form == "long" else None,
        csv=_csv(table.table("csv") if table.has("csv") else _Table({}, "csv.")),
        nulls=frozenset(table.texts("nulls", [""])),
        ignored=frozenset(table.texts("ignore", [])),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )
    if mapping.long and mapping.location:
        raise MappingError("`location` stands in wide files alone: a row of a long one holds one value")
    table.end()
    if both := mapping.ignored & set(mapping.columns):
        raise MappingError(f"column {listed(sorted(both))} is mapped and under `ignore`; keep one")
    return mapping


def _time(table: "_Table") -> EventTime:
    form = table.text("format", None)
    if form is not None and form not in FORMATS:
        _check_pattern(form)
    zone = table.text("zone", None)
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise MappingError(
                f"ts.zone: expected IANA's name of a zone, such as Europe/Berlin, got {zone!r}"
            ) from error
    if form in ("epoch_s", "epoch_ms") and zone is not None:
        raise MappingError(f"ts.zone: {form} counts from 1970 in UTC and has no zone; take it away")
    if form is not None and form not in FORMATS and zone is None and "%z" not in form:
        raise MappingError(f"ts.zone: times as {form!r} say no zone; name it, such as UTC or Europe/Berlin")
    ambiguous = table.text("ambiguous", "reject", one_of=("reject", "earlier", "later"))
    found = EventTime(table.text("column"), form, zone, ambiguous)
    table.end()
    return found


def _check_pattern(form: str) -> None:
    """A pattern must give back what it was given, to the minute: a day or an hour that it does not say is a guess."""
    expected = f"ts.format: expected {', '.join(FORMATS)} or a pattern such as '%d.%m.%Y %H:%M:%S', got {form!r}"
    try:
        back = datetime.strptime(_SAMPLE.strftime(form), form).replace(tzinfo=UTC, second=59)
    except ValueError as error:
        raise MappingError(f"{expected}: {error}") from error
    if "%" not in form:
        raise MappingError(expected)
    if back != _SAMPLE:
        raise MappingError(f"ts.format: {form!r} does not say year, month, day, hour and minute of 24 hours")


def _metrics(table: "_Table", contract: Contract, key: str) -> tuple[MetricSource, ...]:
    known = {metric.name: metric for metric in contract.metrics}
    found = []
    for name in table.keys:
        if name not in known:
            raise MappingError(f"metrics.{name}: the contract has no such metric; it has {listed(list(known))}")
        inner = table.table(name)
        symbols = [unit.symbol for unit in known[name].units]
        unit = inner.text("unit", one_of=symbols)
        found.append(MetricSource(name, inner.text(key), unit, unit == known[name].unit))
        inner.end()
    if not found:
        raise MappingError("[metrics] names no metric; expected at least one")
    sources = [metric.source for metric in found]
    if twice := {source for source in sources if sources.count(source) > 1}:
        raise MappingError(f"[metrics]: {key} {listed(sorted(twice))} is named by two metrics; expected one")
    return tuple(found)


def _location(table: "_Table") -> tuple[str, str]:
    found = table.text("lat"), table.text("lon")
    table.end()
    return found


def _long(table: "_Table") -> LongForm:
    inner = table.table("long")
    found = LongForm(inner.text("name"), inner.text("value"), frozenset(inner.texts("ignore_names", [])))
    inner.end()
    return found


def _csv(table: "_Table") -> Csv:
    header = table.texts("header", [])
    skip = table.take("skip_lines", 0)
    if type(skip) is not int or skip < 0:
        raise MappingError(f"csv.skip_lines: expected a number of lines, got {skip!r}")
    found = Csv(
        delimiter=table.text("delimiter", ",", matching=re.compile(".", re.DOTALL), expected="one character"),
        quote=table.text("quote", '"', matching=re.compile("."), expected="one character"),
        decimal=table.text("decimal", ".", one_of=(".", ",")),
        encoding=table.text("encoding", "utf-8"),
        skip_lines=skip,
        header=tuple(header) or None,
    )
    table.end()
    try:
        "".encode(found.encoding)
    except LookupError as error:
        raise MappingError(f"csv.encoding: Python knows no encoding {found.encoding!r}; e.g. utf-8, latin-1") from error
    return found


def _name(table: "_Table", key: str, matching: re.Pattern[str]) -> Text:
    """A constant text, or `{ column = "..." }`."""
    if isinstance(table.peek(key), Mapping):
        return Text(column=table.table(key).only("column"))
    expected = f'a name of {matching.pattern}, or {{ column = "..." }}'
    return Text(constant=table.text(key, matching=matching, expected=expected))


_REQUIRED: Any = object()


class _Table:
    """A table of the file, of which each key is taken once; what is left at the end is unknown."""

    def __init__(self, held: Mapping[str, Any], path: str) -> None:
        self._held, self._path, self._taken = held, path, set[str]()

    @property
    def keys(self) -> list[str]:
        return list(self._held)

    def has(self, key: str) -> bool:
        return key in self._held

    def peek(self, key: str) -> Any:
        return self._held.get(key)

    def take(self, key: str, default: Any = _REQUIRED) -> Any:
        self._taken.add(key)
        found = self._held.get(key, default)
        if found is _REQUIRED:
            raise MappingError(f"{self._path}{key} is missing")
        return found

    def text(
        self,
        key: str,
        default: Any = _REQUIRED,
        *,
        one_of: Sequence[str] | None = None,
        matching: re.Pattern[str] | None = None,
        expected: str = "a text",
    ) -> Any:
        found = self.take(key, default)
        if found is None or (key not in self._held):
            return found
        fits: Callable[[str], object] = matching.fullmatch if matching else bool
        if not isinstance(found, str) or (one_of is not None and found not in one_of) or not fits(found):
            wanted = f"one of {listed(one_of)}" if one_of else expected
            raise MappingError(f"{self._path}{key}: expected {wanted}, got {found!r}")
        return found

    def texts(self, key: str, default: list[str]) -> list[str]:
        found = self.take(key, default)
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise MappingError(f"{self._path}{key}: expected a list of texts, got {found!r}")
        return found

    def table(self, key: str) -> "_Table":
        found = self.take(key)
        if not isinstance(found, Mapping):
            raise MappingError(f"{self._path}{key}: expected a table, got {found!r}")
        return _Table(found, f"{self._path}{key}.")

    def only(self, key: str) -> str:
        found: str = self.text(key)
        self.end()
        return found

    def end(self) -> None:
        """Raises MappingError for a key that nothing has asked for."""
        if unknown := [key for key in self._held if key not in self._taken]:
            known = listed(sorted(self._taken))
            raise MappingError(f"{self._path}{unknown[0]}: unknown; there may be {known}")
