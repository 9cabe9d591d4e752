"""The Data API's errors, by the names and members of its API reference."""

import json
from typing import Any

JSON_TYPE = "application/x-amz-json-1.1"


class DataApiError(Exception):
    """A request that is refused. `name` is AWS's name of the error; `members` are what it carries beside a message."""

    def __init__(self, name: str, message: str, *, status: int = 400, **members: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = status
        self.members = members

    def response(self) -> tuple[int, dict[str, str], bytes]:
        """(HTTP status, headers, body)."""
        body: dict[str, Any] = {"__type": self.name, "Message": self.message, **self.members}
        headers = {"Content-Type": JSON_TYPE, "x-amzn-errortype": self.name}
        return self.status, headers, json.dumps(body).encode()


def invalid(message: str) -> DataApiError:
    """ValidationException."""
    return DataApiError("ValidationException", message)


def not_found(what: str, resource_id: str) -> DataApiError:
    """ResourceNotFoundException."""
    return DataApiError("ResourceNotFoundException", f"{what} does not exist.", ResourceId=resource_id)


def no_connection(message: str) -> DataApiError:
    """DatabaseConnectionException: a listing could not reach its database."""
    return DataApiError("DatabaseConnectionException", message, status=500)
