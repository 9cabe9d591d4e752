"""Errors of the Athena API and of the queries it runs, with Athena's own texts."""

import re

import duckdb
from sqlglot.errors import SqlglotError

SYSTEM, USER, OTHER = 1, 2, 3
"""AthenaError.ErrorCategory (Athena API reference, "AthenaError")."""


class ApiError(Exception):
    """A request the API refuses; becomes an HTTP error response."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class QueryError(Exception):
    """A statement that fails while it is planned or run; its text becomes StateChangeReason."""

    category = USER

    def __init__(self, message: str, error_type: int = 1006) -> None:
        super().__init__(message)
        self.message, self.error_type = message, error_type


class UnsupportedError(QueryError):
    """Something Athena can do and this server cannot."""

    def __init__(self, what: str) -> None:
        super().__init__(f"NOT_SUPPORTED_LOCALLY: {what}")


class CancelledError(Exception):
    """The execution was stopped by StopQueryExecution."""


class InternalError(QueryError):
    """A fault of this server or of a service below it."""

    category = SYSTEM

    def __init__(self, message: str) -> None:
        super().__init__(f"GENERIC_INTERNAL_ERROR: {message}", 1000)


_KNOWN_PREFIX = re.compile(r"\b([A-Z]{3,}(?:_[A-Z]+)+: .*)", re.DOTALL)
_ANSI = re.compile("\x1b\\[[0-9]+m")
_BY_TYPE: list[tuple[type[Exception], str]] = [
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT"),
    (duckdb.OutOfRangeException, "NUMERIC_VALUE_OUT_OF_RANGE"),
    (duckdb.ParserException, "SYNTAX_ERROR"),
    (duckdb.TypeMismatchException, "TYPE_MISMATCH"),
    (duckdb.OutOfMemoryException, "EXCEEDED_LOCAL_MEMORY_LIMIT"),
]


def athena_error(error: Exception) -> QueryError:
    """The error as Athena words it (Athena user guide, "Troubleshoot issues in Athena"; Trino's StandardErrorCode).

    Macros raise texts that already carry Trino's error name; those keep it. Errors nobody foresaw
    become GENERIC_INTERNAL_ERROR with DuckDB's own text.
    """
    if isinstance(error, QueryError):
        return error
    if isinstance(error, ApiError):
        return QueryError(error.message)
    text = str(error).strip()
    if isinstance(error, SqlglotError):
        return QueryError("SYNTAX_ERROR: " + _ANSI.sub("", text))
    if "Malformed JSON" in text:
        return QueryError("INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: " + text.splitlines()[0])
    if "TRY can not be used" in text:
        return UnsupportedError("TRY over this expression (TRY_CAST, or TRY around the one call that can fail, work)")
    if "ivision by zero" in text and "NOT_SUPPORTED_LOCALLY" not in text:
        return QueryError("DIVISION_BY_ZERO: Division by zero")
    if known := _KNOWN_PREFIX.search(text):
        return QueryError(known[1])
    if isinstance(error, duckdb.BinderException):
        return QueryError(_binder_error(text))
    for kind, name in _BY_TYPE:
        if isinstance(error, kind):
            return QueryError(f"{name}: {text}")
    return InternalError(text)


def _binder_error(text: str) -> str:
    if missing := re.search(r"Referenced column \"([^\"]+)\"", text):
        return f"COLUMN_NOT_FOUND: Column '{missing[1]}' cannot be resolved"
    if missing := re.search(r"Referenced table \"([^\"]+)\"", text):
        return f"COLUMN_NOT_FOUND: '{missing[1]}' cannot be resolved"
    if "must appear in the GROUP BY clause" in text:
        return f"EXPRESSION_NOT_AGGREGATE: {text}"
    if "No function matches" in text or "type" in text:
        return f"TYPE_MISMATCH: {text}"
    return f"SYNTAX_ERROR: {text}"
