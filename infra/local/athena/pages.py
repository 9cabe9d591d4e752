"""Requests and answers of the API, and their pages."""

from typing import Any

from infra.local.athena.errors import ApiError

Body = dict[str, Any]


def page(items: list[Any], body: Body, name: str, default: int) -> Body:
    """The part of `items` that a request asks for, under `name`, with NextToken where more are left.

    ApiError InvalidRequestException for a NextToken that no page gave.
    """
    token = str(body.get("NextToken") or 0)
    if not token.isdecimal():
        raise ApiError("InvalidRequestException", f"Invalid NextToken: {token}")
    start, size = int(token), int(body.get("MaxResults") or default)
    answer: Body = {name: items[start : start + size]}
    if start + size < len(items):
        answer["NextToken"] = str(start + size)
    return answer
