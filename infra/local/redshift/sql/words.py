"""A text of SQL as statements, each as its words."""

from collections.abc import Iterator

from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from infra.local.redshift.lexical import Kind
from infra.local.redshift.lexical import tokens as lexed
from infra.local.redshift.sql.grammar import RedshiftSql
from infra.local.redshift.unsupported import LOCAL, SYNTAX_ERROR, TOO_COMPLEX, UnsupportedError

DEEPEST = 1000


def statements(sql: str) -> list[list[str]]:
    """The statements of a text, each as its tokens as written, without comments; empty statements are left out.

    Quoted names become lower case, as Redshift folds them: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html.
    Raises UnsupportedError 42601 for text that is no sequence of tokens (an open quote), 54001 for brackets in brackets
    that no parser would go down to.
    """
    sql = "".join(_for_sqlglot(sql))
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


def _for_sqlglot(sql: str) -> Iterator[str]:
    depth = 0
    for token in lexed(sql):
        depth += (token.text == "(") - (token.text == ")")
        if depth > DEEPEST:
            raise UnsupportedError(f"{LOCAL}more than {DEEPEST} brackets in one another", TOO_COMPLEX)
        if token.kind is Kind.COMMENT:
            yield " "
        elif token.kind is Kind.PARAMETER:
            # sqlglot takes "$1,$" of "$1,$2" for the tag of a dollar-quoted text; a blank in it tells it otherwise.
            yield f"{token.text} "
        else:
            yield token.text
