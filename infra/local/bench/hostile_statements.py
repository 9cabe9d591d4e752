"""Texts that take long to read, or would, if they were read without care: what a hostile client sends."""

MEGABYTE = 1_000_000
# Each is repeated between a beginning and an end, for as long as the text is to be.
_REPEATED = {
    "blanks": ("", " ", "select 1"),
    "tabs": ("select", "\t", "1"),
    "line breaks": ("select", "\n", "1"),
    "ideographic blanks": ("select ", "\u3000", "1"),
    "no-break blanks": ("select ", "\u00a0", "1"),
    "a line comment": ("--", "x", "\nselect 1"),
    "line comments": ("", "--\n", "select 1"),
    "a comment": ("/*", "x", "*/select 1"),
    "comments": ("", "/**/", "select 1"),
    "comments and blanks": ("select ", "/**/ ", "1"),
    "nested comments": ("", "/*/**/*/", "select 1"),
    "comments of asterisks": ("", "/***/", "select 1"),
    "comments in a comment": ("/*", "/***/", "*/select 1"),
    "an open comment": ("select /*", "x", ""),
    "open comments": ("select ", "/*", ""),
    "closing comments": ("select ", "*/", ""),
    "brackets": ("select ", "(", ""),
    "pairs of brackets": ("select ", "()", ""),
    "closing brackets": ("select ", ")", ""),
    "square brackets": ("select ", "[", ""),
    "braces": ("select ", "{", ""),
    "a string": ("select '", "x", "'"),
    "quotes": ("select '", "''", "'"),
    "an open quote": ("select '", "x", ""),
    "open quotes": ("select '", "''", ""),
    "strings": ("select ", "'',", "''"),
    "a string in UNLOAD": ("unload ('", "''", "') to 's3://bucket/prefix/'"),
    "backslashes in a string": ("select '", "\\\\", "'"),
    "backslashes": ("select ", "\\", ""),
    "a quoted name": ('select "', "a", '"'),
    "double quotes": ('select "', '""', '"'),
    "an open double quote": ('select "', "a", ""),
    "quoted names": ("select ", '"a",', "1"),
    "a name": ("select ", "a", ""),
    "names": ("select ", "a,", "1"),
    "words": ("select ", "a ", "1"),
    "a name with points": ("select ", "a.", "a"),
    "a dollar quote": ("select $$", "x", "$$"),
    "dollar quotes": ("select ", "$$ ", ""),
    "tagged dollar quotes": ("select ", "$a$", ""),
    "dollars": ("select ", "$", ""),
    "parameters": ("select ", "$1,", "1"),
    "question marks": ("select ", "?", ""),
    "plus signs": ("select ", "+", "1"),
    "minus signs": ("select ", "- ", "1"),
    "asterisks": ("select ", "*", ""),
    "slashes": ("select ", "/", ""),
    "equals signs": ("select ", "=", ""),
    "bars": ("select ", "||", ""),
    "NOT": ("select ", "not ", "true"),
    "CASE": ("select ", "case when ", ""),
    "CAST": ("select ", "cast(", ""),
    "casts": ("select 1", "::int", ""),
    "sums": ("select ", "1+", "1"),
    "a number": ("select ", "1", ""),
    "numbers": ("select ", "1 ", ""),
    "a number with points": ("select ", "1.", ""),
    "a number with underscores": ("select 1", "_0", ""),
    "exponents": ("select ", "1e", ""),
    "commas": ("select ", ",", ""),
    "a list": ("select ", "1,", "1"),
    "semicolons": ("", ";", ""),
    "statements": ("", "select 1;", ""),
    "rows": ("insert into t values ", "(1),", "(1)"),
    "subqueries": ("select * from ", "(select * from ", ""),
    "unions": ("", "select 1 union all ", "select 1"),
    "columns": ("create table t (", "a int,", "b int)"),
    "zero bytes": ("select ", "\0", ""),
    "letters beyond ASCII": ("select ", "\u00e9", ""),
    "braces of templates": ("select ", "{%", ""),
}


def long_texts(size: int) -> dict[str, str]:
    """A text of each kind, of so many bytes or a little less, by name."""
    return {name: _filled(*parts, size) for name, parts in _REPEATED.items()}


def hostile() -> dict[str, str]:
    """The same of a megabyte, and statements of fewer bytes that take a parser long."""
    return {
        **long_texts(MEGABYTE),
        "a long sum": "select " + "1+" * 20_000 + "1",
        "a long list": "select 1 where 1 in (" + "1," * 20_000 + "1)",
        "many rows": "insert into nowhere values " + ",".join(["(1, 'a', 2.5)"] * 3_000),
        "queries in queries": "select * from " + "(select * from " * 30 + "t" + ") a" * 30,
        "grants": "grant select " + "on a to b " * 9_000 + "to ,",
    }


def _filled(head: str, unit: str, tail: str, size: int) -> str:
    room = size - len(head.encode()) - len(tail.encode())
    return head + unit * (room // len(unit.encode())) + tail
