"""What a row of the tables says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """The statement fails, with a reason that holds these words."""

    words: str


Row = tuple[str | None, ...]
Case = tuple[str, str | list[Row] | Refused | None, str]
"""(statement, or the expressions of a SELECT; a value's text in Athena's result file, None for NULL, or all rows, or
Refused; page below https://trino.io/docs/476/)."""


def query_of(statement: str) -> str:
    """The whole query of a row of the tables, where the expressions alone stand."""
    return statement if statement.startswith(("SELECT", "WITH", "VALUES")) else f"SELECT {statement}"
