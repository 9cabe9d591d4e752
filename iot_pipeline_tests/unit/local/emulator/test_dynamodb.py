"""DynamoDB beside stock ministack's: what it remembers of transactions."""

import tracemalloc
from typing import Any

from ministack.services import dynamodb as stock

from infra.local.emulator import dynamodb
from infra.local.emulator.dynamodb import RequestDigest


def request(number: int, state: str = "x" * 20_000) -> dict[str, Any]:
    item = {"device": {"S": f"device-{number}"}, "body": {"S": f"{number} {state}"}}
    return {"TransactItems": [{"Put": {"TableName": "state", "Item": item}}], "ReturnConsumedCapacity": "NONE"}


def test_a_token_takes_little_however_large_its_request_is() -> None:
    tracemalloc.start()
    for number in range(500):
        dynamodb._keep_token(f"token-{number}", {"signature": request(number), "response": {}, "sizes": {}})
    size, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / 500 < 1_500
    assert stock._txn_token_lookup("token-7")["signature"] == request(7)
    stock._txn_idempotency.clear()


def test_a_digest_is_equal_to_its_request_alone() -> None:
    digest = RequestDigest(request(1))
    assert digest == dict(reversed(request(1).items()))
    assert digest != request(2)
    assert digest != request(1, "y")
    assert digest != "something else"
