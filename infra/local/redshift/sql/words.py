"""A text of SQL as statements, each as its words."""

import re

from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from infra.local.redshift.sql.grammar import RedshiftSql
from infra.local.redshift.unsupported import SYNTAX_ERROR, UnsupportedError

# Quoted text and comments, which are left alone, and parameters.
_PARAMETERS = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | "[^"]*" | --[^\n]* | /\*.*?\*/ | (\$[A-Za-z_]*\$).*?\1 | (?P<parameter>\$\d+)""",
    re.DOTALL | re.VERBOSE,
)


def statements(sql: str) -> list[list[str]]:
    """The statements of a text, each as its tokens as written, without comments; empty statements are left out.

    Quoted names become lower case, as Redshift folds them: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html.
    Raises UnsupportedError 42601 for text that is no sequence of tokens (an open quote).
    """
    # sqlglot takes "$1,$" of "$1,$2" for the tag of a dollar-quoted text; a blank in it tells it otherwise.
    sql = _PARAMETERS.sub(lambda match: f"{match[0]} " if match["parameter"] else match[0], sql)
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
