"""One SELECT in, and out of it the only text that is run: written anew from a tree in which all is known."""

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from iot_pipeline.console.query.guard.dialect import AnalystSql, TooManyReadingsError, written
from iot_pipeline.console.query.guard.names import resolve
from iot_pipeline.console.query.guard.nodes import check_tree, offset_of
from iot_pipeline.console.query.guard.refusal import RefusedError, refused
from iot_pipeline.console.query.guard.scope import Scope
from iot_pipeline.console.query.guard.text import MAX_DEPTH, check_text, tokens_of

# Athena takes no longer text (Athena user guide, "Service Quotas").
MAX_WRITTEN = 262_144
# sqlglot raises these for texts that it cannot read.
_UNREADABLE = (SqlglotError, ValueError, TypeError, AttributeError, IndexError, KeyError)
_ROOTS = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)


@dataclass(frozen=True)
class Guarded:
    """A query that may be run: the text, its tree, and the tables it reads.

    `limited`: the scope's limit of rows was written into it, so that it may give fewer rows than was asked for.
    """

    sql: str
    tree: exp.Expr
    tables: frozenset[str]
    limited: bool


def guard(sql: str, scope: Scope) -> Guarded:
    """The query that a viewer of this scope may run for this text. Raises RefusedError for anything else."""
    check_text(sql)
    try:
        return _guarded(sql, scope)
    except RecursionError as error:
        message = f"nested too deep to be read; {MAX_DEPTH} levels are allowed: name the inner queries in WITH"
        raise refused("nesting", message, sql, 0) from error


def _guarded(sql: str, scope: Scope) -> Guarded:
    tree = _parsed(sql)
    check_tree(tree, sql)
    root = tree.copy()
    holder = exp.Paren(this=root)  # so that the root itself can be replaced
    used = resolve(root, scope, sql)
    limited = _limit(holder.this, scope.rows, sql)
    text = written(holder.this)
    if len(text.encode()) > MAX_WRITTEN:
        message = f"with the filters of every table it is over {MAX_WRITTEN:,} bytes: name a table once, in WITH"
        raise refused("too_long", message, sql, 0)
    _check_stable(text, sql)
    return Guarded(text, holder.this, frozenset(used), limited)


def _parsed(sql: str) -> exp.Expr:
    tokens = tokens_of(sql)
    try:
        statements = AnalystSql().parser().parse(tokens, sql)
    except ParseError as error:
        raise _syntax(error, sql) from error
    except TooManyReadingsError as error:
        message = "nested so that it can be read in too many ways: name the inner values in WITH"
        raise refused("nesting", message, sql, error.offset) from error
    except _UNREADABLE as error:
        raise refused("syntax", "this is no query that can be read: see Trino's SELECT", sql, 0) from error
    if len(statements) != 1 or statements[0] is None:
        raise refused("several_statements", "one statement at a time", sql, tokens[0].start)
    tree = statements[0]
    if not isinstance(tree, _ROOTS):
        message = f"{tokens[0].text.upper()[:40]} is not run here: write one SELECT (WITH, UNION and VALUES are fine)"
        raise refused("not_a_select", message, sql, tokens[0].start)
    return tree


def _syntax(error: ParseError, sql: str) -> RefusedError:
    found = error.errors[0] if error.errors else {}
    lines = sql.split("\n")
    line, near = int(found.get("line") or 1), str(found.get("highlight") or "")[:40]
    text = str(found.get("description") or "this is no query that can be read").rstrip(".")
    # sqlglot notes where a token ends, a person looks for where it begins.
    column = int(found.get("col") or 1) - max(len(near) - 1, 0)
    column = min(max(column, 1), len(lines[min(line, len(lines)) - 1]) + 1)
    return RefusedError("syntax", f"{text}{f', at {near!r}' if near else ''}: see Trino's SELECT", line, column)


def _limit(root: exp.Expr, rows: int | None, sql: str) -> bool:
    """Write the scope's limit into a query, unless it asks for no more than that anyway."""
    if rows is None:
        return False
    limit = root.args.get("limit")
    asked = limit.expression if limit is not None else None
    if limit is not None and not (isinstance(asked, exp.Literal) and asked.name.isdigit()):
        message = "LIMIT takes a number here"
        raise refused("syntax", message, sql, offset_of(limit))
    if asked is not None and int(asked.name) <= rows:
        return False
    root.set("limit", exp.Limit(expression=exp.Literal.number(rows)))
    return True


def _check_stable(text: str, sql: str) -> None:
    """The written text must read as a tree that writes the same text: else sqlglot does not round-trip it."""
    try:
        (tree,) = AnalystSql().parser().parse(AnalystSql().tokenize(text), text)
        again = written(tree) if tree is not None else ""
    except (*_UNREADABLE, TooManyReadingsError) as error:
        raise refused("syntax", "this cannot be written back safely: write it more plainly", sql, 0) from error
    if again != text:
        raise refused("syntax", "this is read in two ways: write it more plainly", sql, 0)
