"""Lines are looked at once an object: what is remembered of one never speaks for another, or for other texts."""

import uuid

import pytest

from iot_pipeline_tests.support.athena import BUCKET, LocalAthena

pytestmark = pytest.mark.integration

CAST = "TRY(CAST(json_parse({}) AS ROW(a ARRAY(JSON), n BIGINT)))"
NESTED = "CAST(CAST(r AS ROW(x JSON)).x AS BIGINT)"
QUERY = f"""
SELECT m.n, {NESTED} AS x
FROM (SELECT {CAST.format("line")} AS m FROM {{table}})
CROSS JOIN UNNEST(m.a) AS t(r)
ORDER BY 1, 2"""


@pytest.fixture
def table(local_athena: LocalAthena) -> str:
    """A table of whole lines without objects; its name is also its folder."""
    name = f"lines_{uuid.uuid4().hex[:8]}"
    local_athena.run(f"CREATE EXTERNAL TABLE {name} (line string) LOCATION 's3://{BUCKET}/{name}/'")
    return name


def test_an_object_that_needs_care_gets_it_after_one_that_does_not(local_athena: LocalAthena, table: str) -> None:
    local_athena.put(f"{table}/1", b'{"n":1,"a":[{"x":5}]}\n')
    sql = QUERY.format(table=table)
    assert local_athena.rows(sql) == [(1, 5)]
    # Trino finds fields in any case, rounds 1.5 to 2 and refuses the trailing comma.
    local_athena.put(f"{table}/2", b'{"N":1.5,"a":[{"X":6}]}\n{"n":3,"a":[{"x":7},]}\n')
    assert local_athena.rows(sql) == [(1, 5), (2, 6)]
    local_athena.put(f"{table}/1", b'{"n":1,"A":[{"X":8}]}\n')
    assert local_athena.rows(sql) == [(1, 8), (2, 6)]


def test_values_within_sure_lines_are_sure_when_the_lines_own_types_are_not(
    local_athena: LocalAthena, table: str
) -> None:
    local_athena.put(f"{table}/1", b'{"n":1.5,"a":[{"x":5}]}\n{"n":"9","a":[{"x":6}]}\n{"n":{},"a":[{"x":7}]}\n')
    assert local_athena.rows(QUERY.format(table=table)) == [(2, 5), (9, 6)]


def test_a_text_made_of_the_line_is_not_the_line(local_athena: LocalAthena, table: str) -> None:
    local_athena.put(f"{table}/1", b'{"n":1,"a":[{"x":5}]}\n')
    cast = CAST.format("upper(line)")
    assert local_athena.rows(f"SELECT m.n FROM (SELECT {cast} AS m FROM {table})") == [(1,)]
    escaped = b'{"s":"{\\"N\\":4}","a":[],"n":1}\n'
    local_athena.put(f"{table}/1", escaped)
    inner = "CAST(json_parse(json_extract_scalar(json_parse(line), '$.s')) AS ROW(n BIGINT)).n"
    assert local_athena.rows(f"SELECT {inner} FROM {table}") == [(4,)]
