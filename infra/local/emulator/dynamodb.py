"""DynamoDB: a batch of gets answers at most 16 MB, and items and a transaction's token take little memory.

API reference, BatchGetItem: what is beyond comes back as `UnprocessedKeys`, which a caller has to ask for again. Stock
ministack answers everything at once, so that a caller who forgets them would be found out on AWS only.

API reference, TransactWriteItems: a ClientRequestToken is valid for 10 minutes, in which another request with it is
refused (IdempotentParameterMismatchException). Stock ministack keeps each request for them, up to 4 MB; a digest of it
tells the same. Items are kept as their JSON (`packed_items.py`).
"""

import hashlib
import json
from typing import Any

from ministack.core.responses import json_response
from ministack.services import dynamodb

from infra.local.emulator.packed_items import PackedItems

ANSWER_BYTES = 16 << 20
_stock_batch_get = dynamodb._batch_get_item
_stock_store = dynamodb._txn_token_store
_stock_set_item = dynamodb._set_item
_stock_load = dynamodb.load_persisted_state


def install() -> None:
    """Replace BatchGetItem, and how items and tokens are kept."""
    dynamodb._batch_get_item = _batch_get
    dynamodb._txn_token_store = _keep_token
    dynamodb._set_item = _set_item
    dynamodb.load_persisted_state = _load_persisted_state


def _set_item(table: dict[str, Any], partition: Any, sort: Any, item: Any) -> Any:
    if partition not in table["items"]:
        table["items"][partition] = PackedItems({})
    return _stock_set_item(table, partition, sort, item)


def _load_persisted_state(data: Any) -> None:
    _stock_load(data)
    for table in dynamodb._tables.all_values():
        for partition, items in table["items"].items():
            table["items"][partition] = PackedItems(items)


class RequestDigest:
    """Equal to the request that it was made of."""

    __slots__ = ("_digest",)
    __hash__ = None  # type: ignore[assignment]  # it is equal to a dict, which has none

    def __init__(self, request: dict[str, Any]) -> None:
        self._digest = _digest(request)

    def __eq__(self, request: object) -> bool:
        return isinstance(request, dict) and self._digest == _digest(request)


def _digest(request: dict[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).digest()


def _keep_token(token: str, entry: dict[str, Any]) -> None:
    _stock_store(token, {**entry, "signature": RequestDigest(entry["signature"])})


def _batch_get(data: Any) -> Any:
    response = _stock_batch_get(data)
    status, _headers, body = response
    # Its JSON is longer than the items, so that most calls are done here.
    if status >= 400 or len(body) <= ANSWER_BYTES:
        return response
    wanted, left = _fitting(data["RequestItems"])
    status, _headers, body = _stock_batch_get({**data, "RequestItems": wanted})
    answer = json.loads(body)
    return json_response({**answer, "UnprocessedKeys": {**answer["UnprocessedKeys"], **left}}, status)


def _fitting(request: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The request with the keys whose items fit into an answer, and one with the others."""
    size = 0
    wanted: dict[str, Any] = {}
    left: dict[str, Any] = {}
    for name, asked in request.items():
        table = dynamodb._tables[dynamodb._normalize_table_name(name)]
        for key in asked["Keys"]:
            partition, sort, _error = dynamodb._resolve_table_key_values(table, key, allow_extra=False)
            item = table["items"].get(partition, {}).get(sort)
            size += dynamodb._item_size_bytes(item) if item else 0
            part = wanted if size <= ANSWER_BYTES else left
            part.setdefault(name, {**asked, "Keys": []})["Keys"].append(key)
    return wanted, left
