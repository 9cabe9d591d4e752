"""Texts of a megabyte that a pattern could go over again and again: each is answered or refused in one pass.

The limit is no measurement: what these texts took before, quadratic or worse, is minutes to years.
"""

import pytest

from infra.local.athena.errors import QueryError
from infra.local.athena.queries.execution_parameters import PreparedStatements, substituted
from infra.local.athena.queries.workgroups import WorkGroup
from infra.local.athena.sql.types import hive_to_duckdb
from infra.local.athena.writing.show import fitting
from infra.local.athena.writing.unload import parse_unload
from infra.local.emulator.glue.crawler_globs import Glob
from infra.local.emulator.glue.expression import ExpressionError, compile_expression
from infra.local.emulator.iot import rules
from infra.local.emulator.iot.rule_sql import Message
from infra.local.redshift.copy.command import CopyCommand, parse_command
from infra.local.redshift.dialect import translate
from infra.local.redshift.unsupported import UnsupportedError

pytestmark = pytest.mark.timeout(60)
SIZE = 1_000_000
WORDS = 90_000  # characters of texts that are all words, each of which costs microseconds


def filled(unit: str, size: int = SIZE) -> str:
    return unit * (size // len(unit))


@pytest.mark.parametrize(
    "before",
    [
        " ",
        "\n\t",
        "-- a line of its own\n",
        "/* a comment */",
        "/* /* nested */ */",
        " \n-- a line of its own\n/* a comment */",
        filled(" ") + "-- '\n/* \" */",
    ],
    ids=["blanks", "lines", "line comments", "comments", "nested comments", "all of them", "quotes in comments"],
)
def test_what_stands_before_a_redshift_statement(before: str) -> None:
    text = filled(before)
    assert translate(f"{text}select 1").sql == "SELECT 1"
    assert parse_command(f"{text}select 1") is None
    copied = parse_command(f"{text}copy t from 's3://b/p' iam_role default format parquet")
    assert isinstance(copied, CopyCommand)
    assert copied.table == "t"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (filled(" "), None),
        ("select /*" + filled("x"), "unterminated /\\* comment"),
        ("select " + filled("/*"), "unterminated /\\* comment"),
        ("select '" + filled(r"\'"), "unterminated quoted string"),
        ("select '" + filled("''"), "unterminated quoted string"),
        ('select "' + filled('""'), "unterminated quoted identifier"),
        ("select $a$" + filled(" $b$"), "unterminated dollar-quoted string"),
        ("select " + filled("("), "brackets in one another"),
        ("select " + "(" * 500 + "1" + ")" * 500, "nested this deep"),
        ("select '" + filled("''") + "'", None),
        ("copy t (" + filled("a,", 40_000) + "a) from 's3://b/' iam_role default format parquet", None),
        ("grant select " + filled("on a to b ", WORDS) + "to ,", "statement grant"),
        ("lock t " + filled("in x ", WORDS), "statement lock"),
        ("alter table t alter c type " + filled("type ", WORDS), "statement alter"),
        ("alter table t " + filled("alter ", WORDS), "statement alter"),
        (filled("explain ", WORDS) + "select 1", 'at or near "explain"'),
        (filled("declare c cursor for ", WORDS) + "select 1", 'at or near "declare"'),
    ],
    ids=lambda value: (value or "is taken")[:24],
)
def test_long_redshift_statements(text: str, message: str | None) -> None:
    if message is None:
        translate(text)
        return
    with pytest.raises(UnsupportedError, match=message):
        translate(text)


def test_an_athena_unload_with_blanks_at_its_end() -> None:
    text = f"unload (select 1) to 's3://b/' {filled(' ')}"
    with pytest.raises(QueryError, match="UNLOAD needs TO"):
        parse_unload(text + "x")
    assert parse_unload(text + "with (format = 'PARQUET')") == (
        "select 1",
        "s3://b/",
        {"format": "PARQUET"},
    )


@pytest.mark.parametrize(
    ("text", "values"),
    [("select ?, " + filled("/*"), 1), ("select '" + filled(r"\'"), 0), (filled("?"), SIZE), (filled("'?'"), 0)],
    ids=["open comments", "quotes", "parameters", "quoted marks"],
)
def test_parameters_of_a_long_athena_statement(text: str, values: int) -> None:
    class Execution:
        sql = text
        parameters: list[str] | None = ["12"] * values
        workgroup = WorkGroup("primary", {})

    assert substituted(Execution(), PreparedStatements()) == text.replace("?", "12") if values else text


def test_wildcards_that_match_nothing() -> None:
    name = "a" * 255
    assert fitting([name], "*a" * 100 + "*b") == []
    assert fitting([name], "*a" * 100 + "b|*a" * 100) == [name]
    like = "%a" * 100
    assert compile_expression(f"p LIKE '{like}'", {"p": "string"})({"p": name})
    assert not compile_expression(f"p LIKE '{like}%b'", {"p": "string"})({"p": name})


def test_a_rules_template_that_does_not_end() -> None:
    token = rules._message.set(Message("a/b", b"{}", "client"))
    try:
        assert rules._substitute("${topic()}" + filled("${")) == "a/b" + filled("${")
    finally:
        rules._message.reset(token)


def test_a_glue_expression_of_brackets_in_brackets() -> None:
    with pytest.raises(ExpressionError, match="nested too deep"):
        compile_expression(filled("("), {"p": "string"})


@pytest.mark.parametrize("text", [filled("array<"), filled("struct<a:") + filled(">")], ids=["open", "closed"])
def test_a_hive_type_of_types_in_types(text: str) -> None:
    with pytest.raises(QueryError, match="nested in more than"):
        hive_to_duckdb(text)


@pytest.mark.parametrize("part", ["*a", "**a", "{*,*}a", "*{a,*a}"])
def test_wildcards_of_a_crawlers_exclusions(part: str) -> None:
    """A key has at most 1,024 bytes."""
    assert Glob(part * 100).fullmatch("a" * 1000)
    assert not Glob(part * 100 + "b").fullmatch("a" * 1000)


def test_a_run_of_an_exclusion_ends_where_the_rest_fits() -> None:
    """`**a` may have to pass over the first a, since `*` ends at the folder."""
    assert Glob("**a*b").fullmatch("a/ab")
    assert Glob("x{,{a,b}*}.c").fullmatch("xb1.c")
    assert not Glob("x{,{a,b}*}.c").fullmatch("xc.c")
    assert Glob("[[").fullmatch("[[")


@pytest.mark.parametrize("glob", ["{a", "a}", "{a,{b}"])
def test_a_brace_of_an_exclusion_without_its_other_one(glob: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        Glob(glob)


@pytest.mark.parametrize("brackets", ["[]", "[!]", "[z-a]", "[\\]"])
def test_brackets_of_an_exclusion_that_hold_nothing(brackets: str) -> None:
    with pytest.raises(ValueError, match="no characters or ranges"):
        Glob(f"a{brackets}b")


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (None, ["readings", "readings_raw", "raw"]),
        ("raw", ["raw"]),
        ("*raw", ["readings_raw", "raw"]),
        ("read*s*", ["readings", "readings_raw"]),
        ("*d*_*w", ["readings_raw"]),
        ("r.w|*ings", ["readings", "raw"]),
        ("(r+)+", []),
    ],
)
def test_wildcards_of_show_tables(pattern: str | None, fits: list[str]) -> None:
    assert fitting(["readings", "readings_raw", "raw"], pattern) == fits
