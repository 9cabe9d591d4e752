"""Errors of the Athena API and of the queries it runs, with Athena's own texts."""

import re
from collections.abc import Callable

import duckdb
from botocore.exceptions import ClientError
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
    (duckdb.InvalidInputException, "INVALID_FUNCTION_ARGUMENT"),
    (duckdb.OutOfMemoryException, "EXCEEDED_LOCAL_MEMORY_LIMIT"),
]
_HINTS = (" Use ", " Did you mean ", " You might ", ", or SET ")
_TYPES = {
    "INT8": "tinyint",
    "INT16": "smallint",
    "INT32": "integer",
    "INT64": "bigint",
    "FLOAT": "real",
    "BOOL": "boolean",
}
# What DuckDB says, in its words up to a first value, then by an expression from there on; Trino's words for it.
_WORDED: list[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    (
        "Overflow in division of ",
        re.compile(r"\A(\S+) / (\S+)"),
        lambda m: f"NUMERIC_VALUE_OUT_OF_RANGE: division overflow: {m[1]} / {m[2]}",
    ),
    (
        "Overflow in multiplication of DECIMAL",
        re.compile(""),
        lambda _: "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow",
    ),
    (
        "Overflow in ",
        re.compile(r"\A(\w+) of (\w+)(?:\(\d+\))? \((.*?)\)[!;]"),
        lambda m: f"NUMERIC_VALUE_OUT_OF_RANGE: {_type(m[2])} {m[1]} overflow: {m[3]}",
    ),
    (
        "Overflow on abs(",
        re.compile(r"\A([^\s)]+)\)"),
        lambda m: f"NUMERIC_VALUE_OUT_OF_RANGE: Value {m[1]} is out of range for abs",
    ),
    (
        "Type INT128 with value ",
        re.compile(r"\A(-?\d+) can't be cast .*destination type (\w+)"),
        lambda m: f"NUMERIC_VALUE_OUT_OF_RANGE: {_type(m[2])} overflow: {m[1]}",
    ),
    (
        "Type ",
        re.compile(r"\A(\w+) with value (\S+) can't be cast .*destination type (\w+)"),
        lambda m: f"NUMERIC_VALUE_OUT_OF_RANGE: Out of range for {_type(m[3])}: {m[2]}",
    ),
    (
        'Could not decode string "',
        re.compile(r"\A(.*?)\" as base64"),
        lambda m: f"INVALID_FUNCTION_ARGUMENT: Illegal base64 character in '{m[1]}'",
    ),
    (
        "Invalid input for hex digit: ",
        re.compile(r"\A(.*)"),
        lambda m: f'INVALID_FUNCTION_ARGUMENT: not a hexadecimal digit: "{m[1]}"',
    ),
    (
        "Invalid UTF8 Codepoint ",
        re.compile(r"\A(-?\d+)"),
        lambda m: f"INVALID_FUNCTION_ARGUMENT: Not a valid Unicode code point: {m[1]}",
    ),
    (
        "Could not convert ",
        re.compile(r"\A(?:string|value) '?(.*?)'? to ([\w(),]+)", re.DOTALL),
        lambda m: f"INVALID_CAST_ARGUMENT: Cannot cast '{m[1]}' to {_type(m[2]).upper()}",
    ),
    (
        "Cast",
        re.compile(r"\A(?:ing|) value \"(.*?)\" to type (\S+) failed", re.DOTALL),
        lambda m: f"INVALID_CAST_ARGUMENT: Cannot cast '{m[1]}' to {m[2]}",
    ),
    (
        "Could not cast value ",
        re.compile(r"\A(\S+) to (\S+)"),
        lambda m: f"INVALID_CAST_ARGUMENT: Cannot cast '{m[1]}' to {m[2]}",
    ),
    *(
        (
            f'{words}: "',
            re.compile(r'\A([^"]*)"'),
            lambda m: f"INVALID_CAST_ARGUMENT: Value cannot be cast to date or timestamp: {m[1]}",
        )
        for words in (" field value out of range", "invalid date field format", "invalid timestamp field format")
    ),
    (
        'Could not parse string "',
        re.compile(r"\A(.*?)\" according to format specifier", re.DOTALL),
        lambda m: f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{m[1]}"',
    ),
    (
        "Invalid escape string",
        re.compile(""),
        lambda _: "INVALID_FUNCTION_ARGUMENT: Escape string must be a single character",
    ),
    (
        "Map keys must be unique",
        re.compile(""),
        lambda _: "INVALID_FUNCTION_ARGUMENT: Duplicate map keys are not allowed",
    ),
    (
        "Map keys can not be NULL",
        re.compile(""),
        lambda _: "INVALID_FUNCTION_ARGUMENT: map key cannot be null",
    ),
    (
        "More than one row returned by a subquery",
        re.compile(""),
        lambda _: "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows",
    ),
]


def _type(name: str) -> str:
    return _TYPES.get(name, name.lower())


def _worded(text: str) -> str | None:
    """Trino's words for a run-time error of the engine; None for one that has none here."""
    for said, pattern, words in _WORDED:
        at = text.find(said)
        if at >= 0 and (match := pattern.match(text[at + len(said) :])):
            return words(match)
    return None


def too_deep() -> UnsupportedError:
    """What is said of a statement that a parser, or a writer, would have to go down too far for."""
    return UnsupportedError("expressions nested this deep; use WITH, or fewer of them in one expression")


def athena_error(error: Exception) -> QueryError:
    """The error as Athena words it (Athena user guide, "Troubleshoot issues in Athena"; Trino's StandardErrorCode).

    Macros raise texts that already carry Trino's error name; those keep it. Errors nobody foresaw
    become GENERIC_INTERNAL_ERROR with DuckDB's own text.
    """
    if found := _not_the_engines(error):
        return found
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
        return QueryError(known[1].partition("\n\nLINE ")[0])
    if words := _worded(text):
        return QueryError(words)
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return QueryError(_binder_error(text))
    for kind, name in _BY_TYPE:
        if isinstance(error, kind):
            return QueryError(f"{name}: {_first_line(text)}")
    return InternalError(text) if not isinstance(error, duckdb.Error) else InternalError(_first_line(text))


def _not_the_engines(error: Exception) -> QueryError | None:
    """What this server itself says, and what S3 or Glue denied."""
    if isinstance(error, QueryError):
        return error
    if isinstance(error, RecursionError):
        return too_deep()
    if isinstance(error, ApiError):
        return QueryError(error.message)
    denied = _denied(error) if isinstance(error, ClientError) else None
    return QueryError(denied) if denied else None


def _denied(error: ClientError) -> str | None:
    """Athena's words where S3 or Glue denied something to whoever asked; None for other errors.

    Each ends with the service's own message, which names action and resource.
    """
    found = error.response["Error"]
    message, code = found.get("Message", ""), found["Code"]
    if code == "AccessDeniedException":
        served = f"(Service: AWSGlue; Status Code: 400; Error Code: {code})"
        return f"Insufficient permissions to execute the query. {message} {served}"
    if code == "AccessDenied":
        return f"PERMISSION_DENIED: {message} (Service: Amazon S3; Status Code: 403; Error Code: {code})"
    return None


def _binder_error(text: str) -> str:
    if missing := re.search(r"Referenced column \"([^\"]+)\"", text):
        return f"COLUMN_NOT_FOUND: Column '{missing[1]}' cannot be resolved"
    if missing := re.search(r"Referenced table \"([^\"]+)\"", text):
        return f"COLUMN_NOT_FOUND: '{missing[1]}' cannot be resolved"
    if missing := re.search(r"column \"([^\"]+)\" must appear in the GROUP BY clause", text):
        return (
            f"EXPRESSION_NOT_AGGREGATE: line 1:1: '{missing[1]}' must be an aggregate expression or appear in GROUP BY "
            "clause"
        )
    if called := re.search(r"No function matches the given name and argument types '(\w+)", text):
        name = called[1].removeprefix("trino_")
        return f"TYPE_MISMATCH: line 1:1: Unexpected parameters for function or operator {name}"
    if called := re.search(r"name (\w+) does not exist", text):
        return f"NOT_SUPPORTED_LOCALLY: {called[1]} in this place"
    if "mbiguous reference" in text and (named := re.search(r"\"([^\"]+)\"", text)):
        return f"AMBIGUOUS_NAME: line 1:1: Column '{named[1]}' is ambiguous"
    if "Cannot compare values of type" in text or "Cannot mix values of type" in text or "type" in text.lower():
        return f"TYPE_MISMATCH: line 1:1: {_first_line(text)}"
    return f"NOT_SUPPORTED_LOCALLY: this server cannot run the statement: {_first_line(text)}"


def _first_line(text: str) -> str:
    """The engine's message without its name of the error, its hints and its picture of the statement."""
    line = text.partition("\n")[0]
    for hint in _HINTS:
        line = line.partition(hint)[0]
    return re.sub(r"^[\w ]+ Error: ", "", line)
