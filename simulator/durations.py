"""Durations and times as people type them."""

import re
from datetime import UTC, datetime

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """`90s`, `5m`, `24h`, `7d` (or a number of seconds) in seconds. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if not match or float(match[1]) == 0:
        raise ValueError(f"{text!r} is no duration; write it as 90s, 5m, 24h or 7d")
    return float(match[1]) * _SECONDS[match[2] or "s"]


def epoch_ms(text: str) -> int:
    """An ISO-8601 time with a zone as epoch milliseconds. Raises ValueError for anything else."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write it as 2026-11-21T12:00:00Z") from None
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; write it as {text}Z or with an offset")
    return round(time.astimezone(UTC).timestamp() * 1000)
