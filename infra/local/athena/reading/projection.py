"""Partition projection: values and locations computed from table properties.

AWS Athena user guide, "Supported types for partition projection" and "Set up partition projection".
"""

import re
from datetime import UTC, datetime, timedelta

from infra.local.athena.errors import QueryError
from infra.local.athena.reading.glue_tables import Partition, Table

_JAVA = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_STEP = {"MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 604800}
_NOW = re.compile(r"NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE)S?)?", re.IGNORECASE)


def values_of(table: Table, key: str, wanted: set[str] | None) -> list[str]:
    """The values `key` can take; with `wanted`, only those (numbers of a key are never listed one by one then)."""
    kind = _property(table, key, "type").lower()
    if kind == "injected":
        if not wanted:
            raise QueryError(
                f"CONSTRAINT_VIOLATION: For the injected projected partition column {key}, the WHERE clause must "
                "contain only static equality conditions, and at least one such condition must be present."
            )
        return sorted(wanted)
    if kind == "integer":
        return _integers(table, key, wanted)
    if kind == "enum":
        values = [v.strip() for v in _property(table, key, "values").split(",")]
    elif kind == "date":
        values = _dates(table, key)
    else:
        raise _invalid(table, f"projection.{key}.type", kind)
    return values if wanted is None else [v for v in values if v in wanted]


def partition(table: Table, values: tuple[str, ...]) -> Partition:
    """The partition of these values, at storage.location.template or Hive's default."""
    template = table.parameters.get("storage.location.template")
    if not template:
        return Partition(values, table.default_location(values))
    location = template
    for (key, _), value in zip(table.keys, values, strict=True):
        location = location.replace("${" + key + "}", value)
    return Partition(values, location.rstrip("/") + "/")


def _property(table: Table, key: str, name: str, default: str | None = None) -> str:
    value = table.parameters.get(f"projection.{key}.{name}", default)
    if value is None:
        raise _invalid(table, f"projection.{key}.{name}", "missing")
    return value


def _invalid(table: Table, name: str, value: str) -> QueryError:
    return QueryError(f"INVALID_TABLE_PROPERTY: {table.database}.{table.name}: {name} is {value}")


def _count(table: Table, key: str, name: str, default: int, least: int) -> int:
    """A whole number of a property. Raises QueryError for any other text, and for a number below `least`."""
    text = _property(table, key, name, str(default))
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
        raise _invalid(table, f"projection.{key}.{name}", f"{text!r}, and no whole number from {least} on")
    return int(text)


def _integers(table: Table, key: str, wanted: set[str] | None) -> list[str]:
    low, high = (int(v) for v in _property(table, key, "range").split(","))
    step = _count(table, key, "interval", default=1, least=1)
    digits = _count(table, key, "digits", default=0, least=0)
    allowed = range(low, high + 1, step)
    if wanted is None:
        return [str(n).zfill(digits) for n in allowed]
    numbers = {v for v in wanted if re.fullmatch(r"-?\d+", v) and int(v) in allowed}
    return sorted(v for v in numbers if v == str(int(v)).zfill(digits))


def _dates(table: Table, key: str) -> list[str]:
    java = _property(table, key, "format")
    pattern = re.sub("|".join(_JAVA), lambda m: _JAVA[m[0]], java).replace("'", "")
    first, last = (_moment(v.strip(), pattern) for v in _property(table, key, "range").split(","))
    finest = "DAY" if "dd" in java and "HH" not in java else "HOUR" if "HH" in java else "MONTH"
    unit = _property(table, key, "interval.unit", finest).upper().removesuffix("S")
    count = _count(table, key, "interval", default=1, least=1)
    values = []
    while first <= last:
        values.append(first.strftime(pattern))
        first = _next(first, unit, count)
    return values


def _next(moment: datetime, unit: str, count: int) -> datetime:
    if unit in _STEP:
        return moment + timedelta(seconds=_STEP[unit] * count)
    months = moment.month - 1 + count * (12 if unit == "YEAR" else 1)
    return moment.replace(year=moment.year + months // 12, month=months % 12 + 1, day=1)


def _moment(text: str, pattern: str) -> datetime:
    relative = _NOW.fullmatch(text)
    if not relative:
        return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    moment = datetime.now(UTC)
    if relative[1]:
        count = int(relative[2]) * (1 if relative[1] == "+" else -1)
        moment = _next(moment, relative[3].upper(), count)
    return datetime.strptime(moment.strftime(pattern), pattern).replace(tzinfo=UTC)
