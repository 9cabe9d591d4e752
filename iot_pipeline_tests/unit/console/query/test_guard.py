"""The guard: what it refuses, by name and position, and what it makes of the rest."""

import os
from collections.abc import Callable

import pytest

from iot_pipeline.console.query.guard import Guarded, RefusedError, Scope, guard
from iot_pipeline_tests.support.escapes import ESCAPES, KNOWN
from iot_pipeline_tests.support.sql_fuzz import check_parsed, check_tokens, database, try_out

TENANT, STAFF = Scope("telemetry", "acme", 1000), Scope("telemetry", None)


def refusal(sql: str, scope: Scope = TENANT) -> RefusedError:
    with pytest.raises(RefusedError) as raised:
        guard(sql, scope)
    return raised.value


def outcome(sql: str) -> Guarded | RefusedError:
    try:
        return guard(sql, TENANT)
    except RefusedError as error:
        return error


def test_there_are_a_hundred_and_fifty_escapes() -> None:
    assert len(set(ESCAPES)) >= 150


@pytest.mark.parametrize("text", ESCAPES, ids=lambda text: repr(text[:60]))
def test_an_escape_is_refused_by_name_or_every_table_is_filtered(text: str) -> None:
    made = outcome(text)
    if isinstance(made, RefusedError):
        assert (bool(made.kind), len(made.message) > 10) == (True, True)
        assert 1 <= made.line <= text.count("\n") + 1
        assert made.column >= 1
        return
    check_tokens(made.sql)
    check_parsed(database(), made.sql)


@pytest.mark.parametrize("name", [name for name in KNOWN if "writes" in name or "Command" in name or "hidden" in name])
def test_writes_commands_and_hidden_tables_are_all_refused(name: str) -> None:
    for text in KNOWN[name]:
        refusal(text)


@pytest.mark.parametrize(
    ("sql", "kind", "line", "column"),
    [
        ("SELECT *\nFROM ledger", "unknown_table", 2, 6),
        ('SELECT 1,\n  "$path" FROM telemetry', "hidden", 2, 3),
        ("SELECT * FROM information_schema.tables", "system_schema", 1, 15),
        ("SELECT * FROM other.telemetry", "database", 1, 15),
        ("SELECT version()", "function", 1, 8),
        ("SELECT current_user", "function", 1, 8),
        ("SELECT ?", "parameter", 1, 8),
        ("DROP TABLE telemetry", "not_a_select", 1, 1),
        ("SELECT 1;\nSELECT 2", "several_statements", 1, 9),
        ("SELECT * FROM TABLE(sequence(1, 2))", "table_function", 1, 15),
        ("SELECT " + "(" * 10_000, "nesting", 1, 32),
        ("SELECT " + "ARRAY[" * 14 + "1" + "]" * 14, "nesting", 1, None),
        ("SELECT 1_000", "number", 1, 8),
        ("SELECT telemetry.telemetry.seq FROM telemetry", "qualified_column", 1, 8),
        ("SELECT '\u202e'", "character", 1, 9),
        ("WITH a AS (SELECT 1), a AS (SELECT 2) SELECT 3", "name", 1, 23),
        ("SELECT 1 FROM telemetry TABLESAMPLE BERNOULLI (1)", "syntax", 1, 15),
        ("SELECT CAST(1 AS DECIMAL '1')", "syntax", 1, None),
        ("", "empty", 1, 1),
    ],
)
def test_a_refusal_has_a_name_and_a_place(sql: str, kind: str, line: int, column: int | None) -> None:
    error = refusal(sql)
    assert (error.kind, error.line) == (kind, line)
    assert column is None or error.column == column


def test_a_refused_table_is_answered_with_those_that_are_open() -> None:
    message = refusal("SELECT * FROM ledger").message
    assert "curated_telemetry" in message
    assert "ledger, " not in message.partition("there are:")[2]
    assert guard("SELECT * FROM ledger", STAFF).tables == {"ledger"}


def test_a_common_table_expression_shadows_a_table_only_where_it_is_in_scope() -> None:
    made = guard("WITH telemetry AS (SELECT seq FROM telemetry) SELECT seq FROM telemetry", TENANT)
    assert made.sql.startswith('WITH "q1_telemetry" AS (SELECT "seq" FROM (SELECT ')
    assert made.sql.endswith('FROM "q1_telemetry" AS "telemetry" LIMIT 1000')
    forward = guard("WITH a AS (SELECT seq FROM telemetry), telemetry AS (SELECT 1 AS seq) SELECT * FROM a", TENANT)
    assert forward.tables == {"telemetry"}
    qualified = guard("WITH telemetry AS (SELECT 1 AS seq) SELECT seq FROM telemetry.telemetry", TENANT)
    assert qualified.tables == {"telemetry"}
    inner = guard("SELECT * FROM (WITH x AS (SELECT 1 AS n) SELECT n FROM x) AS i", TENANT)
    assert inner.tables == frozenset()
    assert refusal("SELECT * FROM (WITH x AS (SELECT 1 AS n) SELECT n FROM x) AS i, x").kind == "unknown_table"


def test_what_the_registry_says_of_another_tenants_device_is_hidden() -> None:
    made = guard("SELECT customer_name FROM device_telemetry", TENANT).sql
    assert 'CASE WHEN "registered_tenant" = \'acme\' THEN "customer_name" END' in made
    assert "CASE" not in guard("SELECT customer_name FROM device_telemetry", STAFF).sql


@pytest.mark.parametrize(
    ("sql", "end", "limited"),
    [
        ("SELECT 1", "LIMIT 1000", True),
        ("SELECT 1 LIMIT 5", "LIMIT 5", False),
        ("SELECT 1 LIMIT 5000", "LIMIT 1000", True),
        ("SELECT 1 UNION ALL SELECT 2", "LIMIT 1000", True),
        ("(SELECT 1 LIMIT 7)", "LIMIT 1000", True),
    ],
)
def test_the_limit_of_rows_is_written_in_and_said(sql: str, end: str, limited: bool) -> None:
    made = guard(sql, TENANT)
    assert (made.sql.endswith(end), made.limited) == (True, limited)
    assert guard("SELECT 1", STAFF).sql == "SELECT 1"


def test_comments_do_not_reach_the_engine() -> None:
    assert guard("SELECT /* a */ 1 -- b", STAFF).sql == "SELECT 1"


def test_a_tenants_name_is_a_literal_whatever_is_in_it() -> None:
    made = guard("SELECT seq FROM telemetry", Scope("telemetry", "a' OR '1'='1"))
    assert "\"tenant\" = 'a'' OR ''1''=''1')" in made.sql


def test_the_name_of_a_database_is_plain() -> None:
    with pytest.raises(ValueError, match="no name of a Glue database"):
        Scope('x"; DROP', None)


def _deep(frames: int, do: Callable[[], object]) -> object:
    return do() if frames == 0 else _deep(frames - 1, do)


@pytest.mark.parametrize(
    "text", KNOWN["sqlglot: nesting raises RecursionError, or ends the process"], ids=lambda t: repr(t[:20])
)
def test_nesting_is_refused_by_name_even_where_little_of_the_stack_is_left(text: str) -> None:
    assert isinstance(_deep(600, lambda: outcome(text)), RefusedError)


def test_random_texts_do_not_get_around_it() -> None:
    """`python -m iot_pipeline_tests.support.sql_fuzz 100000` tries more."""
    seen = try_out(int(os.environ.get("IOT_FUZZ_STATEMENTS", "1500")), seed=11, run_every=1)
    print(f"\n{dict(seen.most_common())}")
    assert seen["passed"] > 100
    assert seen["parsed"] > 50
    assert seen["ran"] > 10
    assert seen["rows"] > 10
