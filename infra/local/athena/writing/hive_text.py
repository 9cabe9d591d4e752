"""Names, texts, columns and properties as Hive's grammar writes them (AWS Athena user guide, "Name databases, tables,
and columns", "CREATE TABLE"; Apache Hive's LanguageManual).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.sql.types import hive_to_duckdb

CATALOG = "awsdatacatalog"
_PART = r"(?:`[^`]++`|\"(?:[^\"]++|\"\")*+\"|[\w$]++)"
NAME = rf"(?P<name>{_PART}(?:\.{_PART}){{0,2}}+)"
"""A name of one, two or three parts, each plain, in back quotes or in double quotes."""
DATABASE = rf"(?P<database>{_PART}(?:\.{_PART})?+)"
"""A database's name, with its catalog or without."""
TEXT = r"(?:'(?:[^'\\]++|\\.|'')*+'|\"(?:[^\"\\]++|\\.|\"\")*+\")"
"""A text in single or double quotes, which a backslash or doubling escapes."""

_PARTS = re.compile(_PART)
_PAIR = re.compile(rf"\s*+({TEXT})\s*+=\s*+({TEXT})\s*+(,|\Z)", re.DOTALL)
_ESCAPED = re.compile(r"\\u([0-9A-Fa-f]{4})|\\([0-3][0-7]{2})|\\(.)|''", re.DOTALL)
_LETTERS = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_COLUMN = re.compile(rf"\s*+({_PART})\s*+:?\s*+(.+)\Z", re.DOTALL)
_TEXT = re.compile(TEXT, re.DOTALL)


@dataclass(frozen=True)
class TableName:
    """A table's database and name, in lower case as Glue keeps them."""

    database: str
    table: str


def name_parts(text: str) -> list[str]:
    """The parts of a name without their quotes, in lower case."""
    parts, position = [], 0
    while match := _PARTS.match(text, position):
        parts.append(_unquoted(match[0]).lower())
        position = match.end() + 1
    return parts


def table_name(text: str, database: str) -> TableName:
    """What a name means where `database` is the current one; UnsupportedError for another catalog."""
    *outer, table = name_parts(text)
    if not outer and "." in table:  # SHOW CREATE TABLE quotes a database and its table as one name
        *outer, table = table.split(".")
    _refuse_other_catalog(outer[:-1])
    return TableName(outer[-1] if outer else database, table)


def database_name(text: str) -> str:
    """A database's name without its catalog; UnsupportedError for another catalog."""
    *catalog, database = name_parts(text)
    _refuse_other_catalog(catalog)
    return database


def _refuse_other_catalog(catalog: list[str]) -> None:
    if catalog and catalog[0] != CATALOG:
        raise UnsupportedError(f"catalog {catalog[0]}; only {CATALOG} is there")


def _unquoted(part: str) -> str:
    if part[0] == '"':
        return part[1:-1].replace('""', '"')
    return part[1:-1] if part[0] == "`" else part


def text_value(quoted: str) -> str:
    """What a quoted text says: escapes as Hive reads them, a doubled quote as one."""
    return _ESCAPED.sub(_unescaped, quoted[1:-1] if quoted[0] == "'" else quoted[1:-1].replace('""', '"'))


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    if match[2]:
        return chr(int(match[2], 8))
    if not match[3]:
        return "'"
    # Hive leaves \% and \_ as they are, for LIKE.
    return match[0] if match[3] in "%_" else _LETTERS.get(match[3], match[3])


def quoted_text(value: str) -> str:
    """A text in single quotes that Hive reads as `value`."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def pairs(body: str) -> dict[str, str]:
    """'key'='value', ... of TBLPROPERTIES and its kin; QueryError where the text is anything else."""
    found, position = {}, 0
    while position < len(body.rstrip()):
        match = _PAIR.match(body, position)
        if not match:
            raise QueryError(f"FAILED: ParseException: mismatched input near '{body[position:].strip()[:40]}'")
        found[text_value(match[1])] = text_value(match[2])
        position = match.end()
    return found


def split_list(text: str) -> Iterator[str]:
    """The parts of a list between commas outside brackets and quoted texts."""
    depth, start, quoted, escaped = 0, 0, "", False
    for position, char in enumerate(text):
        if quoted:
            closes = char == quoted and not escaped
            escaped = char == "\\" and not escaped and quoted != "`"
            quoted = "" if closes else quoted
        elif char in "'\"`":
            quoted, escaped = char, False
        elif char in "(<":
            depth += 1
        elif char in ")>":
            depth -= 1
        elif char == "," and depth == 0:
            yield text[start:position]
            start = position + 1
    if text[start:].strip():
        yield text[start:]


def column_list(text: str) -> list[dict[str, str]]:
    """Glue's columns of `a int, b array<string> COMMENT 'x'`; QueryError for an unknown type or no type."""
    columns = []
    for part in split_list(text):
        match = _COLUMN.match(part)
        if not match:
            raise QueryError(f"FAILED: ParseException: column '{part.strip()}' has no type")
        kind, comment = _type_and_comment(match[2])
        hive_to_duckdb(kind)
        column = {"Name": _unquoted(match[1]).lower(), "Type": "".join(kind.lower().replace("`", "").split())}
        columns.append(column if comment is None else {**column, "Comment": comment})
    return columns


def _type_and_comment(text: str) -> tuple[str, str | None]:
    """(type, comment) of `type COMMENT 'text'`; no type holds a quote."""
    start = min((at for at in (text.find("'"), text.find('"')) if at >= 0), default=-1)
    if start < 0:
        return text, None
    kind = text[:start].rstrip()
    quoted = text[start:].strip()
    if not kind.lower().endswith("comment") or not _TEXT.fullmatch(quoted):
        raise QueryError(f"FAILED: ParseException: mismatched input near '{text[start:].strip()[:40]}'")
    return kind[: -len("comment")].strip(), text_value(quoted)
