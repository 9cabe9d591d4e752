"""How often a cron schedule comes round, and how people say how often something is."""

_MINUTES, _HOURS = 60, 24


def times_a_day(cron: str) -> int:
    """How often a schedule ticks a day. Raises ValueError for one that is not the same every day, or is no schedule."""
    minute, hour, *rest = cron.split()
    if rest != ["*", "*", "*"]:
        raise ValueError(f"cron schedule {cron!r} is not the same every day: say how often it ticks a day")
    return len(_values(minute, _MINUTES)) * len(_values(hour, _HOURS))


def every(seconds: int) -> str:
    """An interval in words."""
    if seconds % 60:
        return f"every {seconds} s"
    return "every minute" if seconds == 60 else f"every {seconds // 60} min"


def _values(field: str, end: int) -> list[int]:
    """The values of a field: `*`, `5`, `7-59`, each with `/step`, and lists of them."""
    found: list[int] = []
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = 0 if span == "*" else int(first)
        until = end - 1 if span == "*" else int(last or first)
        found += range(begin, until + 1, int(step or 1))
    return sorted(set(found))
