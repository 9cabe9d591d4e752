"""An honest query gives through the guard, among two tenants, what it gives without it where there is one alone."""

import os
from typing import Any

import pytest

from iot_pipeline.console.query.guard import Scope, guard
from iot_pipeline_tests.integration.console.query.honest import HONEST
from iot_pipeline_tests.support.athena import LocalAthena
from iot_pipeline_tests.support.guarded import ALONE, BOTH, OWN, foreign_in

VARIABLE = "IOT_TEST_ALL_QUERIES"


def test_there_are_sixty() -> None:
    assert len(set(HONEST)) >= 60


def _chosen() -> list[Any]:
    """All of them, or each fourth where nobody asks for all: a query is run four times, and takes two seconds."""
    wanted = 1 if os.environ.get(VARIABLE) else 4
    reason = f"three of four honest queries: set {VARIABLE}=1 to run them all"
    return [
        pytest.param(sql, marks=[] if number % wanted == 0 else pytest.mark.skip(reason=reason))
        for number, sql in enumerate(HONEST)
    ]


@pytest.mark.parametrize("sql", _chosen())
def test_an_honest_query(two_tenants: LocalAthena, sql: str) -> None:
    plain = rows(two_tenants, sql, ALONE)
    guarded = rows(two_tenants, guard(sql, Scope(BOTH, OWN, 100_000)).sql, "default")
    assert rounded(guarded) == rounded(plain)
    assert foreign_in(guarded[1]) == []
    staff = rows(two_tenants, guard(sql, Scope(BOTH, None)).sql, "default")
    assert rounded(staff) == rounded(rows(two_tenants, sql, BOTH))


def rounded(result: tuple[list[str], list[tuple[Any, ...]]]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The same to 9 digits: sums of doubles depend on the order in which the engine's threads add."""
    names, found = result
    return names, [tuple(float(f"{each:.9g}") if isinstance(each, float) else each for each in row) for row in found]


def rows(athena: LocalAthena, sql: str, database: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names of columns and rows, in order if the query says so."""
    cursor = athena.connect(database).cursor()
    found = list(cursor.execute(sql).fetchall())
    ordered = found if "ORDER BY" in sql.rsplit(")", 1)[-1] else sorted(found, key=repr)
    return [column[0] for column in cursor.description or ()], ordered
