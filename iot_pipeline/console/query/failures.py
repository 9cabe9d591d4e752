"""What Athena says of a query that failed, for whoever asked.

Trino's messages about values quote them, and which rows an expression was tried on before the tenant's filter is the
optimiser's business. So a tenant is told the whole message only where it is about the query's text.
"""

import re

from iot_pipeline.console.viewer import Viewer

# Found before a row is read (Trino, StandardErrorCode), and Athena's own words about limits.
_OF_THE_TEXT = frozenset(
    {
        *("SYNTAX_ERROR", "COLUMN_NOT_FOUND", "COLUMN_TYPE_UNKNOWN", "TYPE_MISMATCH", "TYPE_NOT_FOUND"),
        *(
            "FUNCTION_NOT_FOUND",
            "FUNCTION_NOT_AGGREGATE",
            "FUNCTION_NOT_WINDOW",
            "AMBIGUOUS_NAME",
            "DUPLICATE_NAMED_QUERY",
        ),
        *("EXPRESSION_NOT_AGGREGATE", "EXPRESSION_NOT_SCALAR", "EXPRESSION_NOT_CONSTANT", "EXPRESSION_NOT_IN_DISTINCT"),
        *("MISMATCHED_COLUMN_ALIASES", "MISSING_COLUMN_NAME", "MISSING_GROUP_BY", "MISSING_OVER", "NESTED_AGGREGATION"),
        *("NESTED_WINDOW", "INVALID_COLUMN_REFERENCE", "DUPLICATE_COLUMN_NAME", "NOT_SUPPORTED", "TABLE_NOT_FOUND"),
    }
)
_LIMITS = ("Bytes scanned limit was exceeded", "Query exhausted resources", "Query timeout", "Query cancelled by user")
_POSITION = re.compile(r"line \d+:\d+: ")


def failure_for(viewer: Viewer, reason: str) -> str:
    """The reason of a failure as this viewer may read it. Positions go: they are of the text that was run."""
    text = _POSITION.sub("", reason)
    code = re.match(r"[A-Z][A-Z0-9_]+", text)
    if viewer.tenant is None or text.startswith(_LIMITS) or (code and code[0] in _OF_THE_TEXT):
        return text
    name = code[0] if code else "the query"
    return (
        f"{name} failed on a value of some row. Find it with TRY(...) or TRY_CAST(... AS type), which give null there"
    )
