"""Errors as problem documents (RFC 9457): what is wrong, and what to do."""

from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
_DOCUMENT = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "A name that scripts can compare"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong and what to do, for people"},
        "line": {"type": "integer", "description": "Of a refused query: the line, from 1"},
        "column": {"type": "integer", "description": "Of a refused query: the character in the line, from 1"},
    },
}


def documented(status: int | str, words: str) -> dict[int | str, dict[str, Any]]:
    """A problem document among a route's answers in the OpenAPI document; `default` stands for any status."""
    return {status: {"description": words, "content": {MEDIA_TYPE: {"schema": _DOCUMENT}}}}


# What every route can answer beside its own. 422 is named, or FastAPI would describe its own document.
RESPONSES = documented(422, "A field is wrong: which, and what was expected") | documented("default", "Not carried out")


class ProblemError(Exception):
    """A request that is not carried out. `kind` is a name that scripts can compare; `detail` is for people."""

    def __init__(self, status: int, kind: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.members = status, kind, detail, members


def problem(status: int, kind: str, detail: str, **members: Any) -> JSONResponse:
    """A problem document. `members` are further ones of it, such as a position in a text."""
    document = {"type": kind, "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **members}
    return JSONResponse(document, status, media_type=MEDIA_TYPE)


async def of_problem(_: Request, error: Exception) -> JSONResponse:
    """The document of a ProblemError."""
    assert isinstance(error, ProblemError)  # noqa: S101  # registered for this class alone; for the type checker
    return problem(error.status, error.kind, error.detail, **error.members)


async def of_http(_: Request, error: Exception) -> JSONResponse:
    """The document of what the router refuses: an unknown path, a method that a path has not."""
    assert isinstance(error, HTTPException)  # noqa: S101  # as above
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    answer = problem(error.status_code, kind, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def of_failure(_: Request, _error: Exception) -> JSONResponse:
    """The document of a fault of the console itself, which is in its log."""
    return problem(500, "failure", "the console has failed at this; its log says more")


async def of_validation(_: Request, error: Exception) -> JSONResponse:
    """The document of a request whose fields are wrong: which field, and what was expected."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # as above
    wrong = [{"field": ".".join(map(str, each["loc"])), "expected": each["msg"]} for each in error.errors()]
    detail = "; ".join(f"{each['field']}: {each['expected']}" for each in wrong)
    return problem(422, "invalid_request", detail, fields=wrong)
