"""What a search finds of a subject, and for how long that stays."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from iot_pipeline.lake.hours import Hour


@dataclass(frozen=True)
class Found:
    """Something of the subject in one place: an object, a table, an item. `rows` are lines, rows or items.

    `expires` says when it goes by itself, as docs/retention.md has it; None: it does not, and has to be erased.
    `is_mention`: it is another's, and names the subject. `hour` is that of the partition it lies in; `tenants` are
    those that lines and rows of it name.
    """

    zone: str
    place: str
    rows: int
    bytes: int = 0
    hour: Hour | None = None
    is_mention: bool = False
    expires: str | None = None
    tenants: frozenset[str] = frozenset()


def summary(found: Iterable[Found]) -> list[tuple[str, str, int, int, int]]:
    """By zone: what it is, places, rows, bytes."""
    groups: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for each in found:
        what = f"expires: {each.expires}" if each.expires else "mentioned by another" if each.is_mention else "theirs"
        groups[each.zone, what].append(each)
    return [
        (zone, what, len(items), sum(it.rows for it in items), sum(it.bytes for it in items))
        for (zone, what), items in sorted(groups.items())
    ]
