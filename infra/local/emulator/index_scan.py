"""Scan of an index: the items in it are read, and no others.

Stock ministack lists the items of the whole table to leave out those that the index does not have. An index like that
of the open alerts has a few of thousands, and each item is kept as its JSON (`packed_items.py`). Which items an index
has ministack knows, for Query.
"""

from contextvars import ContextVar
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb

# The name of the table that a scan is of, and the table as the scan sees it.
_seen: ContextVar[tuple[str, dict[str, Any]] | None] = ContextVar("table_of_a_scan", default=None)
_stock_scan = dynamodb._scan


class _Tables(AccountRegionScopedDict):  # type: ignore[misc]  # ministack is not typed
    """The tables, of which a scan sees its own with the items of an index."""

    __slots__ = ()

    def get(self, name: Any, default: Any = None) -> Any:
        seen = _seen.get()
        return seen[1] if seen and seen[0] == name else super().get(name, default)


def install() -> None:
    """Replace Scan."""
    # The tables themselves stay where other modules have them.
    dynamodb._tables.__class__ = _Tables
    dynamodb._scan = _scan


def _scan(data: Any) -> Any:
    name = dynamodb._normalize_table_name(data.get("TableName"))
    table = dynamodb._tables.get(name) if isinstance(name, str) else None
    members = dynamodb._index_members(table).get(data.get("IndexName")) if table else None
    if table is None or members is None:
        return _stock_scan(data)
    token = _seen.set((name, {**table, "items": _items(table["items"], members)}))
    try:
        return _stock_scan(data)
    finally:
        _seen.reset(token)


def _items(items: Any, members: dict[Any, dict[tuple[Any, Any], None]]) -> dict[Any, dict[Any, Any]]:
    found: dict[Any, dict[Any, Any]] = {}
    for partition in members.values():
        for base, sort in partition:
            if sort in items.get(base, ()):
                found.setdefault(base, {})[sort] = items[base][sort]
    return found
