"""The documented statements: right, or refused by name; none is silently different."""

import re
from collections.abc import Iterator

import duckdb
import pytest
from sqlglot.errors import SqlglotError

from infra.local.athena.errors import QueryError, athena_error
from infra.local.athena.queries import results
from infra.local.athena.reading.aliases import check_aliases
from infra.local.athena.sql.dialect import parse_query
from infra.local.athena.sql.engine import connect
from infra.local.athena.sql.translate import translated
from infra.local.athena.sql.typed.kinds import Kind
from iot_pipeline_tests.support.athena_documented import TABLES
from iot_pipeline_tests.support.athena_documented.case import Case, Refused, Row

ENGINES_WORDS = re.compile(r"[Dd]uck[Dd][Bb]|[Cc]andidate|LINE 1:|trino_|GENERIC_INTERNAL_ERROR|explicit type cast")
ERROR_NAME = re.compile(r"[A-Z][A-Z0-9_]+: \S")


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as connection:
        yield connection


def answer(con: duckdb.DuckDBPyConnection, statement: str) -> list[Row] | str:
    """The rows as Athena's result file shows them, or the reason of the failure."""
    query = statement if statement.startswith(("SELECT", "WITH", "VALUES")) else f"SELECT {statement}"
    try:
        tree = parse_query(query)
        check_aliases(tree, {})
        return rows(con, *((found := translated(tree, shown=True)).sql, found.kinds))
    except (duckdb.Error, QueryError, SqlglotError) as error:
        return athena_error(error).message


def rows(con: duckdb.DuckDBPyConnection, sql: str, kinds: list[Kind | None]) -> list[Row]:
    relation = con.sql(sql)
    names, types = relation.columns, relation.types
    found: list[Row] = []
    for batch in relation.to_arrow_reader(1000):
        shown = results.rendered(batch, types, names, kinds if len(kinds) == len(names) else [])
        found += zip(*(column.to_pylist() for column in shown.columns), strict=True)
    return found


def fault(con: duckdb.DuckDBPyConnection, case: Case) -> str | None:
    """What is wrong with the answer to a statement; None when it is right, or refused as it should be."""
    statement, expected, page = case
    found = answer(con, statement)
    if isinstance(expected, Refused):
        if not isinstance(found, str):
            return f"{statement} ({page}): answered {found}, and not refused: {expected.words}"
        named = expected.words in found and ERROR_NAME.match(found) and not ENGINES_WORDS.search(found)
        return None if named else f"{statement} ({page}): refused otherwise: {found}"
    wanted = expected if isinstance(expected, list) else [(expected,)]
    return None if found == wanted else f"{statement} ({page}): {found}, and not {wanted}"


@pytest.mark.parametrize("table", sorted(TABLES))
def test_right_or_refused_by_name(con: duckdb.DuckDBPyConnection, table: str) -> None:
    faults = [text for case in TABLES[table] if (text := fault(con, case))]
    assert not faults, "\n".join(faults)


def test_statements_are_many_and_each_is_there_once() -> None:
    statements = [statement for cases in TABLES.values() for statement, _, _ in cases]
    assert len(statements) >= 1000
    assert len(set(statements)) == len(statements)
