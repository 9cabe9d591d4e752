"""DynamoDB: a batch of gets answers at most 16 MB, and says which keys it left for the next call.

API reference, BatchGetItem: what is beyond comes back as `UnprocessedKeys`, which a caller has to ask for again. Stock
ministack answers everything at once, so that a caller who forgets them would be found out on AWS only.
"""

import json
from typing import Any

from ministack.core.responses import json_response
from ministack.services import dynamodb

ANSWER_BYTES = 16 << 20
_stock_batch_get = dynamodb._batch_get_item


def install() -> None:
    """Replace BatchGetItem."""
    dynamodb._batch_get_item = _batch_get


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
