"""Functions that Redshift runs on its leader node only, on its compute nodes only, or not at all.

Sources, below https://docs.aws.amazon.com/redshift/latest/dg/: c_SQL_functions_leader_node_only.html, r_LISTAGG.html,
r_MEDIAN.html.
"""

from sqlglot import exp

from infra.local.redshift.sql.functions import FUNCTIONS, REWRITTEN
from infra.local.redshift.unsupported import LOCAL, UnsupportedError

_LEADER_ONLY = frozenset(
    [
        "age",
        "now",
        "current_schema",
        "current_schemas",
        "has_database_privilege",
        "has_schema_privilege",
        "has_table_privilege",
    ]
)
_COMPUTE_ONLY = frozenset({"listagg", "median", "percentile_cont"})


def check_functions(tree: exp.Expr) -> None:
    """Raise UnsupportedError for functions nobody has looked at, and for those of the other kind of node."""
    with_data = _reads_data(tree)
    for node in tree.find_all(
        exp.Anonymous, exp.CurrentTimestamp, exp.Localtime, exp.Localtimestamp, exp.CurrentSchema
    ):
        if not isinstance(node, exp.Anonymous):
            leader = not node.args.get("sysdate")
            name = node.sql(dialect="postgres").lower()
        else:
            name = node.name.lower()
            leader = name in _LEADER_ONLY
            if name not in FUNCTIONS and name not in REWRITTEN and name != "values":
                raise UnsupportedError(f"{LOCAL}function {name}", "42883")
        if leader and with_data:
            raise UnsupportedError(
                f'Specified types or functions not supported on Redshift tables: "{name}" runs on the leader node only '
                "(c_SQL_functions_leader_node_only.html)"
            )
        if name in _COMPUTE_ONLY and not with_data:
            raise UnsupportedError(f'"{name}" runs on compute nodes only: the query must read a table (r_LISTAGG.html)')


def _reads_data(tree: exp.Expr) -> bool:
    """Whether the statement touches a table that is no catalog of the leader node's."""
    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    read = tree.expression if isinstance(tree, exp.Create) and tree.expression else tree
    for table in read.find_all(exp.Table):
        schema = table.db.lower()
        name = table.name.lower()
        catalog = (
            schema in ("pg_catalog", "information_schema")
            or name.startswith("pg_")
            or isinstance(table.this, exp.Anonymous)
        )
        if not catalog and (schema or name not in named):
            return True
    return False
