"""Redshift SQL in, PostgreSQL 16 SQL out; what Redshift rejects, and what nobody has looked at, is refused by name.

A statement goes through the deny-lists (`refused/`), then either matches one of the forms of `sql/commands.py` or is
parsed (`sql/grammar.py`), checked against an allow-list of nodes and rewritten (`sql/tables.py`, `sql/rewrites.py`,
`sql/functions.py`). The `.sql` files of `sql/` hold what PostgreSQL needs for it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from infra.local.redshift.copy.command import Command, TruncateCommand, UnloadCommand, parse_command
from infra.local.redshift.refused.denied import check_denied
from infra.local.redshift.refused.denied_statements import check_denied_statement
from infra.local.redshift.sql.catalog_queries import catalog_query
from infra.local.redshift.sql.commands import translate_utility, truncated_table
from infra.local.redshift.sql.decimals import Known, divide
from infra.local.redshift.sql.grammar import PostgresSql, check_known, parse_statement
from infra.local.redshift.sql.long_texts import LongTexts
from infra.local.redshift.sql.rewrites import to_postgres_tree
from infra.local.redshift.sql.system_views import check_system_views
from infra.local.redshift.sql.table_notes import notes_of
from infra.local.redshift.sql.tables import (
    check_late_binding,
    late_binding_view,
    made_with,
    prepare_table,
    sort_column,
    without_attributes,
)
from infra.local.redshift.sql.words import PARSED, statements
from infra.local.redshift.unsupported import LOCAL, SYNTAX_ERROR, TOO_COMPLEX, UnsupportedError

__all__ = ["CATALOG_SQL", "Translation", "UnsupportedError", "check", "translate"]

_FOLDER = Path(__file__).parent / "sql"
CATALOG_SQL: str = "".join(
    (_FOLDER / name).read_text(encoding="utf-8")
    for name in ("functions.sql", "numbers.sql", "keys.sql", "catalog.sql", "bytes.sql")
)
COMMANDS = ("COPY", "UNLOAD")
_CREATED = re.compile(
    r"CREATE (OR REPLACE )?((TEMP|TEMPORARY|LOCAL TEMPORARY|LOCAL TEMP) )?(TABLE|VIEW)\b", re.IGNORECASE
)
_ADDED = re.compile(r"(?P<head>ALTER TABLE .+? )ADD (COLUMN )?(?P<column>.+)", re.IGNORECASE | re.DOTALL)
_EXPLAINED = re.compile(r"EXPLAIN( VERBOSE)? ", re.IGNORECASE)
_DECLARED = re.compile(r"(?P<head>DECLARE \S+ CURSOR (?:WITHOUT HOLD )?FOR )", re.IGNORECASE)


@dataclass(frozen=True)
class Translation:
    """What to send to PostgreSQL in place of a text of Redshift SQL, parameters (`$1`) unchanged.

    Or else, when there is one, the COPY, UNLOAD or TRUNCATE to run; `sql` is then what the UNLOAD reads. `probes` are
    queries of PostgreSQL's whose columns' types would make it more exact (`sql/decimals.py`).
    """

    sql: str
    command: Command | None = None
    probes: tuple[str, ...] = ()


def translate(sql: str, known: tuple[tuple[str, tuple[str, ...] | None], ...] = ()) -> Translation:
    """PostgreSQL 16 text for one or more statements of Redshift SQL.

    Comments are dropped. `known` has the types of the columns of earlier `probes`. Raises UnsupportedError for what
    Redshift refuses or the local Redshift does not know.
    """
    aside = LongTexts(sql)
    found = statements(sql, aside)
    told = Divisions(dict(known), [])
    if len(found) == 1:
        if asked := catalog_query(sql, found[0]):
            return Translation(asked)
        check_denied_statement(found[0])
        command = parse_command(sql) if found[0][0].upper() in COMMANDS else None
        if command is not None:
            query = _unloaded(command.query, told) if isinstance(command, UnloadCommand) else ""
            return Translation(query, command, tuple(told.probes))
        if table := truncated_table(found[0]):
            return Translation("", TruncateCommand(table))
    try:
        text = aside.restored(";\n".join(_translate(words, told) for words in found))
    except RecursionError as error:
        raise UnsupportedError(f"{LOCAL}expressions nested this deep", TOO_COMPLEX) from error
    # What one statement of several makes, the next reads: before it is run nothing is known.
    return Translation(text, probes=tuple(told.probes) if len(found) == 1 else ())


@dataclass(frozen=True)
class Divisions:
    """What is known of the columns that are divided, and what would have to be."""

    known: Known
    probes: list[str]


def _unloaded(query: str, told: Divisions) -> str:
    """What UNLOAD reads, in PostgreSQL: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html."""
    found = statements(query)
    tree = parse_statement(query) if len(found) == 1 and found[0][0].upper() in ("SELECT", "WITH", "(") else None
    if not isinstance(tree, exp.Query):
        raise UnsupportedError("UNLOAD needs a SELECT statement", SYNTAX_ERROR)
    if tree.args.get("limit"):
        message = "Limit clause is not supported in the outermost select of an UNLOAD statement"
        raise UnsupportedError(message, SYNTAX_ERROR)
    return _translate(found[0], told)


def check(sql: str) -> None:
    """Raise UnsupportedError if Redshift, or the local Redshift, would refuse a statement; no server needed."""
    translate(sql)


def _translate(words: list[str], told: Divisions) -> str:
    check_denied_statement(words)
    utility = translate_utility(words)
    if utility is not None:
        return utility
    text = " ".join(words)
    if words[0].upper() in PARSED:
        return _rewrite(text, told)
    if _CREATED.match(text):
        return _create(words, told)
    if explained := _EXPLAINED.match(text):
        return "EXPLAIN " + _translate_within(words[len(explained[0].split()) :], told)
    if declared := _DECLARED.match(text):
        return declared["head"] + _translate_within(words[len(declared["head"].split()) :], told)
    if added := _ADDED.match(text):
        return _add_column(added)
    if words[0].upper() in COMMANDS:
        raise UnsupportedError(f"{LOCAL}{words[0].upper()} beside other statements; send it alone")
    raise UnsupportedError(f"{LOCAL}statement {text[:60]}")


def _translate_within(words: list[str], told: Divisions) -> str:
    """What EXPLAIN or DECLARE is of; one in another, and again, would be read as often as there are of them."""
    if words[0].upper() in ("EXPLAIN", "DECLARE"):
        raise UnsupportedError(f'syntax error at or near "{words[0]}"', SYNTAX_ERROR)
    return _translate(words, told)


def _rewrite(text: str, told: Divisions) -> str:
    if re.search(r"\bREMOVE DUPLICATES$", text, re.IGNORECASE) and text[:5].upper() == "MERGE":
        raise UnsupportedError(f"{LOCAL}MERGE ... REMOVE DUPLICATES; name the WHEN clauses")
    return _tree(text, told).sql(dialect=PostgresSql, comments=False)


def _tree(text: str, told: Divisions) -> exp.Expr:
    tree = parse_statement(text)
    check_denied(tree)
    check_system_views(tree)
    if isinstance(tree, exp.Create) and tree.kind == "TABLE":
        prepare_table(tree)
    check_known(tree)
    tree, probes = divide(to_postgres_tree(tree), told.known)
    told.probes.extend(probes)
    return tree


def _create(words: list[str], told: Divisions) -> str:
    sorted_by = sort_column(words)
    attributes = words
    words = without_attributes(words)
    tree = parse_statement(" ".join(words))
    noted = notes_of(tree, attributes) if isinstance(tree, exp.Create) and tree.kind == "TABLE" else {}
    late = bool(tree.args.get("no_schema_binding"))
    if late and isinstance(tree, exp.Create):
        check_late_binding(tree)
    tree = _tree(" ".join(words), told)
    if late and isinstance(tree, exp.Create):
        return late_binding_view(tree)
    if (sorted_by or noted) and isinstance(tree, exp.Create) and not tree.find(exp.TemporaryProperty):
        return made_with(tree, sorted_by, noted)
    return tree.sql(dialect=PostgresSql, comments=False)


def _add_column(match: re.Match[str]) -> str:
    """ALTER TABLE ... ADD COLUMN: the column goes the way of CREATE TABLE's."""
    words = next(iter(statements(f"CREATE TABLE t ( {match['column']} )")))
    created = _tree(" ".join(without_attributes(words)), Divisions({}, [])).sql(dialect=PostgresSql, comments=False)
    return f"{match['head']}ADD COLUMN {created[created.index('(') + 1 : -1]}"
