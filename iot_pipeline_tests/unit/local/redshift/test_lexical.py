"""What of a text is read: how many tokens and comments, and how long a literal may be."""

import pytest

from infra.local.redshift.dialect import translate
from infra.local.redshift.lexical import MOST_COMMENT_EDGES, MOST_TOKENS, Kind, Token, tokens
from infra.local.redshift.unsupported import UnsupportedError


@pytest.mark.parametrize("comment", ["--\n", "/**/", "/* a */ ", "-- \n ", "/* /* nested */ */", "/***/", "/* / */"])
def test_many_comments_are_one_gap(comment: str) -> None:
    many = comment * 10_000
    assert [token.kind for token in tokens(f"{many}x {many}y")] == [Kind.COMMENT, Kind.WORD] * 2


@pytest.mark.parametrize("comment", ["/***/", "/* / */ ", "/*/*/**/*/*/"])
def test_comments_that_are_read_by_hand_have_a_bound(comment: str) -> None:
    many = comment * MOST_COMMENT_EDGES
    for text in (many, f"x {many}", f"/* {many} */"):
        with pytest.raises(UnsupportedError, match="so many comments with"):
            list(tokens(text))


@pytest.mark.parametrize("comment", ["/*", "/* /* */", "--\n/* /* /* */ */", "/* a * b", "/*/"])
def test_a_comment_without_an_end_is_refused(comment: str) -> None:
    with pytest.raises(UnsupportedError, match="unterminated"):
        list(tokens(f"x {comment}"))


@pytest.mark.parametrize("unit", ["a.", "1.", ",", "a ", "'' ", "+"])
def test_many_tokens_are_counted_before_they_are_made(unit: str) -> None:
    made: list[Token] = []
    with pytest.raises(UnsupportedError, match="more than 80000 tokens"):
        made.extend(tokens("select " + unit * 2 * MOST_TOKENS))
    assert len(made) < MOST_TOKENS // 10


@pytest.mark.parametrize("text", ["unload ('{}') to 's3://bucket/prefix/'", "set a to '{}'", "select '{}', '\ue000'"])
def test_a_string_that_cannot_be_put_aside_has_a_bound(text: str) -> None:
    with pytest.raises(UnsupportedError, match="a string text of more than 65535 characters"):
        translate(text.format("''" * 40_000))


def test_a_string_of_a_query_may_be_long() -> None:
    assert translate("select '" + "''" * 40_000 + "'").sql == "SELECT '" + "''" * 40_000 + "'"
