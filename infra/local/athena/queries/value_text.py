"""The text of a value in Athena's result files (Athena user guide, "Data types in Amazon Athena"; Trino's own text)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from infra.local.athena.sql.java_json import java_json
from infra.local.athena.sql.java_text import day_time_text
from infra.local.athena.sql.typed import kinds
from infra.local.athena.sql.typed.kinds import Kind
from iot_pipeline.contract.number_text import double_text as java_double


def value_text(value: Any, kind: Kind | None) -> str:
    """Athena's text of a value; without a Trino type the value's own kind decides."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return real_text(value) if kind == kinds.REAL else java_double(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if kind == kinds.JSON:
        return java_json(value) or "null"
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, dict):
        return _row_text(value, kind)
    if isinstance(value, list):
        return _list_text(value, kind)
    if isinstance(value, timedelta):
        return day_time_text(round(value / timedelta(milliseconds=1)))
    if isinstance(value, tuple) and hasattr(value, "months"):
        return _interval_text(value, kind)
    if hasattr(value, "strftime") and hasattr(value, "hour"):
        return _moment_text(value, kind)
    return str(value)


def is_missing(value: Any) -> bool:
    """Whether a column's value is NULL; a timestamp with its zone is so when its instant is."""
    return value is None or (isinstance(value, dict) and value.get("__instant", value) is None)


def real_text(value: float) -> str:
    """A REAL as Java's Float.toString writes it."""
    single = np.float32(value)
    if not np.isfinite(single):
        return java_double(float(single))
    return java_double(float(np.format_float_positional(single, unique=True, trim="0")))


def _row_text(value: dict[str, Any], kind: Kind | None) -> str:
    if "__instant" in value:
        moment = value["__instant"]
        zone = value["__zone"]
        offset = _offset(zone)
        wall = moment + offset if offset is not None else moment.astimezone(ZoneInfo(zone))
        return f"{_digits(wall, kind)} {zone}"
    parts = kind.parts if kind and len(kind.parts) == len(value) else (None,) * len(value)
    given = kind.fields if kind and len(kind.fields) == len(value) else tuple(value)
    names = [name or f"field{at}" for at, name in enumerate(given)]
    texts = (value_text(item, part) for item, part in zip(value.values(), parts, strict=True))
    return "{" + ", ".join(f"{name}={text}" for name, text in zip(names, texts, strict=True)) + "}"


def _list_text(value: list[Any], kind: Kind | None) -> str:
    pairs = bool(value) and all(isinstance(v, tuple) and len(v) == 2 for v in value)
    if kind.name == "map" if kind else pairs:
        key, item = kind.parts if kind else (None, None)
        return "{" + ", ".join(f"{value_text(k, key)}={value_text(v, item)}" for k, v in value) + "}"
    part = kind.parts[0] if kind and kind.parts else None
    return "[" + ", ".join(value_text(v, part) for v in value) + "]"


def _moment_text(value: Any, kind: Kind | None) -> str:
    zoned = " UTC" if value.tzinfo is not None else ""
    return _digits(value, kind) + zoned


def _digits(value: Any, kind: Kind | None) -> str:
    digits = max(kind.numbers[0] if kind and kind.numbers else 3, 3)
    return str(value.strftime("%Y-%m-%d %H:%M:%S.%f"))[: 20 + digits]


def _interval_text(value: Any, kind: Kind | None) -> str:
    if kind.name == kinds.YEAR_MONTH if kind else value.months and not (value.days or value.nanoseconds):
        years, months = divmod(abs(value.months), 12)
        return f"{'-' if value.months < 0 else ''}{years}-{months}"
    return day_time_text(value.days * 86_400_000 + value.nanoseconds // 1_000_000)


def _offset(zone: str) -> timedelta | None:
    if zone[0] not in "+-":
        return timedelta(0) if zone == "UTC" else None
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
