"""A partition's items of DynamoDB, each kept as its JSON.

As dictionaries of dictionaries an alert takes many times its JSON. Stock ministack never changes a stored item:
it copies it, and stores what it has made of the copy. So what is read here may be another object each time.
"""

import json
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, NoReturn


class PackedItems(dict[Any, Any]):
    """Items by their sort key, as ministack's own `dict` of them."""

    __slots__ = ()

    def __init__(self, items: Mapping[Any, Any]) -> None:
        super().__init__()
        self.update(items)

    def __getitem__(self, sort: Any) -> Any:
        return json.loads(super().__getitem__(sort))

    def __setitem__(self, sort: Any, item: Any) -> None:
        super().__setitem__(sort, json.dumps(item, separators=(",", ":")))

    def __iter__(self) -> Iterator[Any]:
        # Without a method of its own, `dict(packed)` would take what is kept.
        return super().__iter__()

    def pop(self, sort: Any, *default: Any) -> Any:
        if sort not in self:
            return super().pop(sort, *default)
        item = self[sort]
        del self[sort]
        return item

    def _refuse(self, *_: Any) -> NoReturn:
        msg = "packed items are merged by `update`, and copied by `copy.deepcopy`"
        raise TypeError(msg)

    copy = __or__ = __ror__ = __ior__ = _refuse  # dict's would give what is kept


# These are made of the three above, in place of dict's own, which read and write what is kept.
for _name in ("get", "items", "values", "popitem", "setdefault", "update", "__eq__"):
    setattr(PackedItems, _name, getattr(MutableMapping, _name))
