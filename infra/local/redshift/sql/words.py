"""A text of SQL as statements, each as its words."""

from collections.abc import Iterator

from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from infra.local.redshift.lexical import DEEPEST_BRACKETS, LONGEST_NAME, Kind, Token, check_size
from infra.local.redshift.lexical import tokens as lexed
from infra.local.redshift.sql.grammar import RedshiftSql
from infra.local.redshift.sql.long_texts import LongTexts
from infra.local.redshift.unsupported import LOCAL, SYNTAX_ERROR, TOO_COMPLEX, UnsupportedError

# Statements that are parsed; the others are matched word by word, and by what their literals hold.
PARSED = ("SELECT", "WITH", "(", "INSERT", "UPDATE", "DELETE", "MERGE")


def statements(sql: str, aside: LongTexts | None = None) -> list[list[str]]:
    """The statements of a text, each as its tokens as written, without comments; empty statements are left out.

    Long literals are put `aside`.
    Quoted names become lower case, as Redshift folds them: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html.
    Raises UnsupportedError 42601 for text that is no sequence of tokens (an open quote), 54001 for a text that is too
    long and for brackets in brackets that no parser would go down to, 42622 for a name that PostgreSQL would shorten.
    """
    check_size(sql)
    sql = "".join(_for_sqlglot(sql, aside or LongTexts(sql)))
    try:
        tokens = RedshiftSql().tokenize(sql)
    except SqlglotError as error:
        raise UnsupportedError(f"syntax error: {error}", SYNTAX_ERROR) from error
    found: list[list[str]] = [[]]
    for token in tokens:
        if token.token_type == TokenType.SEMICOLON:
            found.append([])
        else:
            word = sql[token.start : token.end + 1]
            found[-1].append(word.lower() if word.startswith('"') else word)
    return [words for words in found if words]


def _for_sqlglot(sql: str, aside: LongTexts) -> Iterator[str]:
    depth, first = 0, ""
    for token in lexed(sql):
        depth += (token.text == "(") - (token.text == ")")
        if depth > DEEPEST_BRACKETS:
            raise UnsupportedError(f"{LOCAL}more than {DEEPEST_BRACKETS} brackets in one another", TOO_COMPLEX)
        if token.kind in (Kind.COMMENT, Kind.BLANK):
            yield " "
            continue
        first = "" if token.text == ";" else first or token.text.upper()
        if token.kind is Kind.PARAMETER:
            # sqlglot takes "$1,$" of "$1,$2" for the tag of a dollar-quoted text; a blank in it tells it otherwise.
            yield f"{token.text} "
        else:
            _check_length(token)
            yield _bounded(aside.short(token) if first in PARSED else token.text, token.kind)


def _check_length(token: Token) -> None:
    """PostgreSQL would cut a name off and say so in a notice alone; Redshift takes 127 bytes."""
    name = token.inner if token.kind is Kind.QUOTED else token.text if token.kind is Kind.WORD else ""
    if len(name) > LONGEST_NAME // 4 and len(name.encode()) > LONGEST_NAME:
        raise UnsupportedError(f"{LOCAL}a name of more than {LONGEST_NAME} bytes: {name[:LONGEST_NAME]}...", "42622")


def _bounded(text: str, kind: Kind) -> str:
    """The text of a literal that a parser can be given: what sqlglot takes long to read is refused."""
    most = _LONGEST.get(kind)
    if most and len(text) > most:
        what = kind.name.lower().replace("_", "-")
        raise UnsupportedError(f"{LOCAL}a {what} text of more than {most} characters", TOO_COMPLEX)
    return text


# A string is as long only outside of the statements that are parsed, as in UNLOAD: in those it is put aside.
_LONGEST = {Kind.NUMBER: 1000, Kind.DOLLAR_QUOTED: 65_535, Kind.STRING: 65_535}
