"""Named queries of the Athena API, which the emulator keeps: those of CloudFormation's stacks are there too."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from infra.local.athena.errors import ApiError
from infra.local.athena.pages import Body


class NamedQueryApi:
    """Operations by name; each takes the request body and returns the emulator's answer, or raises its ApiError."""

    def __init__(self, emulator: Any) -> None:
        self._emulator = emulator

    def create_named_query(self, body: Body) -> Body:
        return _passed_on(self._emulator.create_named_query, body)

    def get_named_query(self, body: Body) -> Body:
        return _passed_on(self._emulator.get_named_query, body)

    def batch_get_named_query(self, body: Body) -> Body:
        return _passed_on(self._emulator.batch_get_named_query, body)

    def list_named_queries(self, body: Body) -> Body:
        return _passed_on(self._emulator.list_named_queries, body)

    def update_named_query(self, body: Body) -> Body:
        return _passed_on(self._emulator.update_named_query, body)

    def delete_named_query(self, body: Body) -> Body:
        return _passed_on(self._emulator.delete_named_query, body)


def _passed_on(operation: Callable[..., Any], body: Body) -> Body:
    try:
        answer = operation(**body)
    except ClientError as error:
        raise ApiError(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}
