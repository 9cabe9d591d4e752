"""One statement's answer by either engine, as Athena's result file would show it."""

from collections.abc import Sequence

import duckdb

from infra.local.athena.engines.trino_client import Answer, TrinoClient, TrinoError
from infra.local.athena.engines.trino_values import kind_of, shown
from infra.local.athena.errors import athena_error
from infra.local.athena.queries import results
from infra.local.athena.reading.aliases import check_aliases
from infra.local.athena.sql.dialect import parse_query
from infra.local.athena.sql.engine import connect
from infra.local.athena.sql.translate import translated
from infra.local.athena.sql.typed.kinds import Kind
from iot_pipeline_tests.support.athena_documented.case import Row

Rows = list[Row]
"""Each value as its text; None for NULL."""


class DuckDBAnswers:
    """The local Athena's default engine, in this process."""

    def __init__(self) -> None:
        self._con = connect()
        self._con.execute("SET memory_limit = '2GB'")

    def answer(self, query: str) -> Rows | str:
        """The rows, or the reason of the failure."""
        try:
            tree = parse_query(query)
            check_aliases(tree, {})
            found = translated(tree, shown=True)
            return rows_of(self._con, found.sql, found.kinds)
        except Exception as error:  # noqa: BLE001  # the server tells every failure in this way
            return athena_error(error).message


class TrinoAnswers:
    """A real Trino."""

    def __init__(self, url: str) -> None:
        self._client = TrinoClient(url)

    def answer(self, query: str) -> Rows | str:
        """The rows, or the reason of the failure."""
        try:
            last, rows = self._client.whole(query, "default", _watch)
        except TrinoError as error:
            return error.message
        types = [kind_of(column["typeSignature"]) for column in last.columns or []]
        return list(zip(*(column.to_pylist() for column in shown(rows, types).columns), strict=True))

    def values(self, expressions: Sequence[str]) -> list[Rows | str]:
        """The answer to SELECT of each expression: of all in one statement, and if that fails, one by one."""
        together = self.answer("SELECT " + ", ".join(expressions))
        if isinstance(together, str):
            return [self.answer(f"SELECT {expression}") for expression in expressions]
        return [[(value,)] for value in together[0]]


def rows_of(con: duckdb.DuckDBPyConnection, sql: str, kinds: Sequence[Kind | None]) -> Rows:
    """The rows of DuckDB's statement; `kinds` are the columns' Trino types, none where they are not known."""
    relation = con.sql(sql)
    names, types = relation.columns, relation.types
    found: Rows = []
    for batch in relation.to_arrow_reader(1000):
        texts = results.rendered(batch, types, names, kinds if len(kinds) == len(names) else [])
        found += zip(*(column.to_pylist() for column in texts.columns), strict=True)
    return found


def _watch(_: Answer) -> None:
    """Nothing ends a statement here."""
