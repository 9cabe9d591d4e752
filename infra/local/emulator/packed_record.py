"""A record of S3's index, an object's or a version's, kept as the JSON of its values.

As a dictionary a record takes several times its JSON, and a day's work makes thousands.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import orjson

# Of the members that stock ministack nests it changes `restore` in place, but none of these.
_NEVER_CHANGED = ("metadata", "preserved_headers", "checksums")
# Where the values of members lie, once for all records that have members of the same names.
_layouts: list[dict[str, int]] = []
_places: dict[tuple[str, ...], int] = {}
_IS_LATEST = "is_latest"


class PackedRecord(MutableMapping[str, Any]):
    """Members by name. One with a member that may be changed in place, or that JSON has not, is held as it is.

    `kept` is the same object as long as no member but `is_latest` is set.
    """

    __slots__ = ("_is_latest", "kept")
    kept: bytes | dict[str, Any]
    _is_latest: bool | None

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._keep(dict(members))

    def __getitem__(self, name: str) -> Any:
        if name == _IS_LATEST and self._is_latest is not None:
            return self._is_latest
        if isinstance(self.kept, dict):
            return self.kept[name]
        values = orjson.loads(self.kept)
        return values[_layouts[values[0]][name]]

    def __setitem__(self, name: str, value: Any) -> None:
        if name == _IS_LATEST and isinstance(value, bool):
            self._is_latest = value
        else:
            self._keep({**self._members(), name: value})

    def __delitem__(self, name: str) -> None:
        members = self._members()
        del members[name]
        self._keep(members)

    def __iter__(self) -> Iterator[str]:
        return iter(self._members())

    def __len__(self) -> int:
        return len(self._members())

    def _keep(self, members: dict[str, Any]) -> None:
        # By itself: with each new version of a key ministack says of all others that they are not the latest.
        self._is_latest = members.pop(_IS_LATEST) if isinstance(members.get(_IS_LATEST), bool) else None
        self.kept = _packed(members)

    def _members(self) -> dict[str, Any]:
        if isinstance(self.kept, dict):
            found = dict(self.kept)
        else:
            values = orjson.loads(self.kept)
            found = {name: values[at] for name, at in _layouts[values[0]].items()}
        return found if self._is_latest is None else {**found, _IS_LATEST: self._is_latest}


def _packed(members: dict[str, Any]) -> bytes | dict[str, Any]:
    nested = [name for name, value in members.items() if isinstance(value, dict | list | tuple)]
    if not all(name in _NEVER_CHANGED and isinstance(members[name], dict) for name in nested):
        return members
    names = tuple(members)
    if names not in _places:
        _layouts.append({name: at + 1 for at, name in enumerate(names)})
        _places[names] = len(_layouts) - 1
    try:
        # Copied, since orjson leaves its bytes where it made room for a thousand.
        return bytes(memoryview(orjson.dumps([_places[names], *members.values()])))
    except orjson.JSONEncodeError:
        return members
