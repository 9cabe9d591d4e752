"""Redshift's system tables and views that are not here: what a cluster does has no like on one PostgreSQL.

See https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_system-tables.html.
"""

import re

from sqlglot import exp

from infra.local.redshift.unsupported import LOCAL, UnsupportedError

# Those of `sql/catalog.sql`.
KNOWN = frozenset(
    f"svv_{name}"
    for name in (
        "all_columns",
        "all_schemas",
        "all_tables",
        "columns",
        "external_columns",
        "external_schemas",
        "external_tables",
        "mv_info",
        "redshift_columns",
        "redshift_databases",
        "redshift_schemas",
        "redshift_tables",
        "relation_privileges",
        "table_info",
        "tables",
    )
) | {"stv_mv_info", "stv_locks", "sys_query_detail"}
_SYSTEM = re.compile(
    r"(?:stl|stv|svl|svv|svcs)_\w+|sys_(?:query|load|unload|copy|connection|transaction|session|serverless|external|"
    r"procedure|vacuum|analyze|auto|datashare|mv|restore|schema|spatial|stream|udf|userlog|child|compression|internal|"
    r"undo|automatic)_\w+",
    re.IGNORECASE,
)


def check_system_views(tree: exp.Expr) -> None:
    """Raise UnsupportedError for a system table or view that is not here."""
    for table in tree.find_all(exp.Table):
        name = table.name.lower()
        if table.db.lower() in ("", "pg_catalog") and name not in KNOWN and _SYSTEM.fullmatch(name):
            raise UnsupportedError(f"{LOCAL}system view {name}", "42P01")
