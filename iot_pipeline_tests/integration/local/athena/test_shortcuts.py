"""The local Athena's shortcuts change no result: every statement gives the same rows with them and without."""

import uuid
from typing import Any

import pytest

from infra.local.athena.sql.dialect import parse_query
from infra.local.athena.sql.translate import to_duckdb
from infra.local.trino.process import is_chosen
from iot_pipeline_tests.support.athena import BUCKET, LocalAthena

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(is_chosen(), reason="a real Trino takes no shortcuts"),
]

# Trino finds fields in any case, rounds 1.5 to 2 and refuses a trailing comma; a text is no number, whatever it says.
LINES = rb"""
{"n":1,"a":[{"x":5},{"x":-1.5e1},{"x":"7"},{"x":null},{"x":true},{"x":[1]},{"x":{"b":1,"a":2}}]}
{"N":1.5,"a":[{"X":6},{"x":9223372036854775807},{"x":9223372036854775808},{"x":1e400},{"x":-0}]}
{"n":3,"a":[{"x":7},]}
{"n":4,"a":[]}
{"n":5,"a":[1,"x",null,{"x":0.1,"x\u0041":2},{"x":""}]}
{"n":"9","A":[{"x":1},{"x":2}]}
{"n":{},"a":[{"x":8}]}
no JSON
{"n":NaN,"a":[{"x":Infinity}]}
"""
MESSAGES = "SELECT line, TRY(CAST(json_parse(line) AS ROW(n BIGINT, a ARRAY(JSON)))) AS m FROM {table}"
NUMBERS = "TRY_CAST(json_format({0}) AS DOUBLE) AS d, TRY_CAST(json_format({0}) AS BIGINT) AS i"
FIELD = "json_extract(line, '$.n')"
STATEMENTS = {
    "numbers of lines": f"SELECT line, {NUMBERS.format(FIELD)} FROM {{table}}",
    "numbers of items": f"""
SELECT n, position, json_format(r) AS text, {NUMBERS.format("f.x")}
FROM (SELECT m.n AS n, position, r, TRY(CAST(r AS ROW(x JSON))) AS f
    FROM ({MESSAGES}) AS s CROSS JOIN UNNEST(m.a) WITH ORDINALITY AS t(r, position))""",
}


@pytest.fixture(scope="module")
def table(local_athena: LocalAthena) -> str:
    """A table of whole lines; its name is also its folder."""
    name = f"lines_{uuid.uuid4().hex[:8]}"
    local_athena.put(f"{name}/1", LINES.lstrip())
    local_athena.run(f"CREATE EXTERNAL TABLE {name} (line string) LOCATION 's3://{BUCKET}/{name}/'")
    return name


def rows(athena: LocalAthena, sql: str) -> list[str]:
    return sorted(map(repr, athena.rows(sql)))


@pytest.mark.parametrize("name", STATEMENTS)
def test_rows_are_the_same(local_athena: LocalAthena, plain_athena: LocalAthena, table: str, name: str) -> None:
    sql = STATEMENTS[name].format(table=table)
    taken, plain = rows(local_athena, sql), rows(plain_athena, sql)
    assert taken == plain
    assert taken


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_statements_take_a_shortcut(name: str) -> None:
    tree = parse_query(STATEMENTS[name].format(table="lines"))
    assert to_duckdb(tree, shortcuts=True) != to_duckdb(tree, shortcuts=False)


@pytest.mark.parametrize("shortcuts", [True, False])
def test_numbers_are_strict(
    local_athena: LocalAthena, plain_athena: LocalAthena, table: str, *, shortcuts: bool
) -> None:
    sql = f"""
SELECT m.n, {NUMBERS.format("TRY(CAST(r AS ROW(x JSON))).x")}
FROM ({MESSAGES.format(table=table)}) AS s CROSS JOIN UNNEST(m.a) AS t(r) WHERE m.n = 1 ORDER BY 2, 3"""
    found: list[tuple[Any, ...]] = (local_athena if shortcuts else plain_athena).rows(sql)
    assert found == [(1, -15.0, None), (1, 5.0, 5), *[(1, None, None)] * 5]
