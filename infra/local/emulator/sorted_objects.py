"""The keys of a bucket in their order: what is listed of them costs what lies below the prefix, not the whole bucket.

Stock ministack goes through all keys of a bucket for each page of a listing. A lake grows by some forty objects each
hour, and each statement lists the partitions that it reads.
"""

from itertools import islice, takewhile
from typing import Any

from ministack.services import s3
from sortedcontainers import SortedDict

_stock_collect = s3._collect_list_entries


def install() -> None:
    """List so, of the buckets that `keep_sorted` has seen."""
    s3._collect_list_entries = _collect


def keep_sorted(bucket: dict[str, Any]) -> SortedDict:
    """The objects of a bucket, which are in their order from now on."""
    if not isinstance(bucket["objects"], SortedDict):
        bucket["objects"] = SortedDict(bucket["objects"])
    return bucket["objects"]


def _collect(objects: Any, prefix: str, delimiter: str, max_keys: int, start_after: str) -> Any:
    """As ministack's, whose arguments and answer it has."""
    if isinstance(objects, SortedDict):
        below = takewhile(lambda key: key.startswith(prefix), objects.irange(max(prefix, start_after or "")))
        # One is where it starts, which is left out; one says that there are more.
        objects = list(below if delimiter else islice(below, max_keys + 2))
    return _stock_collect(objects, prefix, delimiter, max_keys, start_after)
