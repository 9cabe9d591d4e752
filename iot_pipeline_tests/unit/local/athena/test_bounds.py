"""What of a statement is not read: said by name, before a parser goes through it."""

import pytest

from infra.local.athena.errors import QueryError, UnsupportedError, athena_error
from infra.local.athena.sql import bounds
from infra.local.athena.sql.bounds import check_bounds
from infra.local.athena.sql.dialect import parse_query
from infra.local.bench.hostile_statements import MEGABYTE, long_texts


def test_a_megabyte_of_whatever_it_is_too_long() -> None:
    for text in long_texts(MEGABYTE).values():
        with pytest.raises(QueryError, match="maximum query length of 262144 bytes"):
            parse_query(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT " + "1," * bounds.MOST_TOKENS + "1", "more than 80000 tokens; put the values into a table"),
        ("SELECT " + "a." * bounds.MOST_TOKENS + "a", "more than 80000 tokens"),
        ("--\n" * (bounds.MOST_COMMENTS + 1) + "SELECT 1", "more than 10000 comments"),
        ("/* a */" * (bounds.MOST_COMMENTS + 1) + "SELECT 1", "more than 10000 comments"),
        ("\n" * (bounds.MOST_LINES + 1) + "SELECT 1", "more than 50000 lines"),
        ("SELECT " + "(" * (bounds.DEEPEST_BRACKETS + 1), "more than 1000 brackets in one another"),
        ("SELECT " + "1" * (bounds.LONGEST_WORD + 1), "a word of more than 1000 characters: 1111"),
    ],
)
def test_what_is_too_much_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(UnsupportedError, match=said):
        check_bounds(text)


@pytest.mark.parametrize("comment", ["/*", "/*/", "/* a" + " b" * 1000, "/* /*"])
def test_a_comment_without_an_end_is_no_statement(comment: str) -> None:
    with pytest.raises(QueryError, match="SYNTAX_ERROR: "):
        parse_query("SELECT 1 " + " " * bounds.SHORT + comment)


def test_brackets_beside_one_another_and_what_stands_in_quotes_are_nothing_of_the_kind() -> None:
    many = bounds.DEEPEST_BRACKETS + 1
    for text in (
        "SELECT " + "(1)," * many + "1",
        "SELECT '" + "(" * many + "'",
        'SELECT "' + "(" * many + '"',
        "SELECT 1 /* " + "(" * many + " */",
        "SELECT '" + "x" * 10 * bounds.LONGEST_WORD + "'",
        "SELECT '" + "--\n/*" * (bounds.MOST_COMMENTS // 2) + "'",
    ):
        check_bounds(text)


def test_what_no_parser_can_go_down_to_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match="nested this deep"):
        parse_query("SELECT " + "(" * 900 + "1" + ")" * 900)
    assert "nested this deep" in athena_error(RecursionError()).message
