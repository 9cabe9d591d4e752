"""The documented statements: right, or refused by name; none is silently different."""

import re

import pytest

from iot_pipeline_tests.support.athena_documented import TABLES
from iot_pipeline_tests.support.athena_documented.case import Case, Refused, query_of
from iot_pipeline_tests.truth.comparison import ENGINES_WORDS
from iot_pipeline_tests.truth.engines import DuckDBAnswers

ERROR_NAME = re.compile(r"[A-Z][A-Z0-9_]+: \S")


@pytest.fixture(scope="module")
def engine() -> DuckDBAnswers:
    return DuckDBAnswers()


def fault(engine: DuckDBAnswers, case: Case) -> str | None:
    """What is wrong with the answer to a statement; None when it is right, or refused as it should be."""
    statement, expected, page = case
    found = engine.answer(query_of(statement))
    if isinstance(expected, Refused):
        if not isinstance(found, str):
            return f"{statement} ({page}): answered {found}, and not refused: {expected.words}"
        named = expected.words in found and ERROR_NAME.match(found) and not ENGINES_WORDS.search(found)
        return None if named else f"{statement} ({page}): refused otherwise: {found}"
    wanted = expected if isinstance(expected, list) else [(expected,)]
    return None if found == wanted else f"{statement} ({page}): {found}, and not {wanted}"


@pytest.mark.parametrize("table", sorted(TABLES))
def test_right_or_refused_by_name(engine: DuckDBAnswers, table: str) -> None:
    faults = [text for case in TABLES[table] if (text := fault(engine, case))]
    assert not faults, "\n".join(faults)


def test_statements_are_many_and_each_is_there_once() -> None:
    statements = [statement for cases in TABLES.values() for statement, _, _ in cases]
    assert len(statements) >= 1000
    assert len(set(statements)) == len(statements)
