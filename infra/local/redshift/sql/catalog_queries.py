"""Queries of PostgreSQL's catalog alone, as psql, JDBC drivers and SQLAlchemy send them: they go through as they are.

Redshift's leader node answers them with its PostgreSQL (https://docs.aws.amazon.com/redshift/latest/dg/c_leader_node_only.html):
operators, arrays and functions that no table of the user's may be read with are allowed there.
"""

import re

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from infra.local.redshift.sql.functions import FUNCTIONS

MOST_WORDS = 5_000
_OPERATOR = re.compile(r"OPERATOR\(pg_catalog\.[~!=<>|*]{1,4}\)")
_SCHEMAS = ("pg_catalog", "information_schema")
# Redshift's own functions: a query with one is translated as any other.
_OWN = {name for name, target in FUNCTIONS.items() if target != name} - {"substring", "version", "left", "right", "sum"}


def is_catalog_query(sql: str, words: list[str]) -> bool:
    """Whether the statement, of these words, reads tables of the catalog, each named with its schema, and no others."""
    if len(words) > MOST_WORDS:
        return False
    lowered = {word.lower() for word in words}
    if words[0].upper() not in ("SELECT", "WITH", "(") or not lowered & set(_SCHEMAS) or lowered & _OWN:
        return False
    try:
        tree = parse_one(_readable(sql), read="postgres")
    except (SqlglotError, RecursionError):
        return False
    if not isinstance(tree, exp.Query) or tree.find(exp.Into, exp.Lock):
        return False
    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    tables = [table for table in tree.find_all(exp.Table) if isinstance(table.this, exp.Identifier)]
    ours = [table for table in tables if table.db.lower() in _SCHEMAS and table.name.lower() != "redshift_late_binding"]
    rest = [table for table in tables if table not in ours]
    asks = bool(ours) or (not tables and "::pg_catalog." in sql)  # psql asks for one object by its number
    return asks and all(not table.db and table.name.lower() in named for table in rest)


def _readable(sql: str) -> str:
    """The text with what the parser lacks replaced by what means as much to us: a type's schema, a named operator."""
    return _OPERATOR.sub("=", sql).replace("::pg_catalog.", "::").replace("COLLATE pg_catalog.default", "")
