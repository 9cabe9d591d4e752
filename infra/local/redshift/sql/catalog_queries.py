"""Queries of PostgreSQL's catalog alone, as psql, JDBC drivers and SQLAlchemy send them: they go nearly as they are.

Redshift's leader node answers them with its PostgreSQL (https://docs.aws.amazon.com/redshift/latest/dg/c_leader_node_only.html):
operators, arrays and functions that no table of the user's may be read with are allowed there.
"""

import re

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from infra.local.redshift.sql.catalog_texts import rewritten, with_redshifts_names
from infra.local.redshift.sql.functions import FUNCTIONS
from infra.local.redshift.sql.system_views import check_system_views

MOST_WORDS = 5_000
_OPERATOR = re.compile(r"OPERATOR\(pg_catalog\.[~!=<>|*]{1,4}\)")
# Without their schema: PostgreSQL looks for these in its catalog first.
_NAMES = (
    "attrdef attribute attribute_info am cast class class_info constraint database depend description group index "
    "indexes inherits language locks namespace operator proc proc_info rewrite roles settings shdepend stat_activity "
    "table_def tables trigger type user views"
)
_SYSTEM = frozenset(f"pg_{name}" for name in _NAMES.split())
_SCHEMAS = ("pg_catalog", "information_schema")
_ASKING = {*_SCHEMAS, *_SYSTEM, "regclass"}
# Redshift's own functions: a query with one is translated as any other.
_OWN = {name for name, target in FUNCTIONS.items() if target != name} - {"substring", "version", "left", "right", "sum"}


def catalog_query(sql: str, words: list[str]) -> str | None:
    """What PostgreSQL gets for a statement, of these words, that reads the catalog and nothing else; else None.

    Raises UnsupportedError for a system view that is not here.
    """
    if len(words) > MOST_WORDS:
        return None
    lowered = {word.lower() for word in words}
    if words[0].upper() not in ("SELECT", "WITH", "(") or not lowered & _ASKING or lowered & _OWN:
        return None
    sql = with_redshifts_names(sql, lowered)
    readable = _readable(sql)
    try:
        tree = parse_one(readable, read="postgres")
    except (SqlglotError, RecursionError):
        return None
    if not isinstance(tree, exp.Query) or tree.find(exp.Into, exp.Lock):
        return None
    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    tables = [table for table in tree.find_all(exp.Table) if isinstance(table.this, exp.Identifier)]
    ours = [table for table in tables if table.db.lower() in _SCHEMAS and table.name.lower() != "redshift_late_binding"]
    ours += [table for table in tables if not table.db and table.name.lower() in _SYSTEM]
    rest = [table for table in tables if table not in ours and not _is_svv(table)]
    # Psql and SQLAlchemy ask for one object by its number or name.
    asks = bool(ours) or (not tables and ("::pg_catalog." in sql or "regclass" in lowered))
    if not asks or any(table.db or table.name.lower() not in named for table in rest):
        return None
    check_system_views(tree)
    # What was replaced for the parser is not in its tree: such a text, as psql's, is PostgreSQL's own.
    return (rewritten(tree) if readable == sql else None) or sql


def _is_svv(table: exp.Table) -> bool:
    """One of Redshift's own views, beside the catalog's tables."""
    return not table.db and table.name.lower().startswith(("svv_", "stv_"))


def _readable(sql: str) -> str:
    """The text with what the parser lacks replaced by what means as much to us: a type's schema, a named operator."""
    return _OPERATOR.sub("=", sql).replace("::pg_catalog.", "::").replace("COLLATE pg_catalog.default", "")
