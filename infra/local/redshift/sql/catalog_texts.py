"""A query of the catalog, as Redshift's PostgreSQL 8.0 reads it, for PostgreSQL 16.

Redshift's catalog has columns of its own; an alias may be used in the rest of its SELECT, in WHERE too ("lateral column
alias references", https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html); a number is a condition.
"""

from collections.abc import Iterator

from sqlglot import exp

from infra.local.redshift.lexical import Kind, tokens
from infra.local.redshift.sql.grammar import PostgresSql

# A table of the catalog, or a function, and what stands for it; for a table, where one of these columns is asked for.
_TABLES = {
    "pg_class": ("redshift_class", {"reldiststyle", "releffectivediststyle", "relcreationtime", "relhasoids"}),
    "pg_proc": ("redshift_proc", {"proisagg", "proiswindow"}),
    "pg_attribute": ("redshift_attribute", {"attisdistkey", "attsortkeyord", "attencodingtype"}),
    "pg_attrdef": ("redshift_attrdef", {"adsrc"}),
}
_FUNCTIONS = {"pg_get_constraintdef": "redshift_get_constraintdef", "format_type": "redshift_format_type"}
_INFORMATION = exp.to_table("pg_catalog.redshift_information_columns")
# Columns of information_schema and of the views like it, which go before an alias of the same name.
_COLUMNS = frozenset(
    {"table_catalog", "table_schema", "table_name", "table_type", "column_name", "data_type", "is_nullable", "remarks"}
    | {"ordinal_position", "column_default", "schema_name", "database_name", "catalog_name"}
)


def with_redshifts_names(sql: str, words: set[str]) -> str:
    """The text with what Redshift's catalog has and PostgreSQL's lacks; `words` are its words in lower case."""
    turned = dict(_FUNCTIONS) | {name: ours for name, (ours, columns) in _TABLES.items() if words & columns}
    if not words & set(turned):
        return sql
    return "".join(
        turned.get(token.text.lower(), token.text) if token.kind is Kind.WORD else token.text for token in tokens(sql)
    )


def rewritten(tree: exp.Query) -> str | None:
    """The query with aliases and conditions as PostgreSQL wants them; None if it is well as it is."""
    changed = [_types(tree), _conditions(tree), *(_aliases(select) for select in tree.find_all(exp.Select))]
    return tree.sql(dialect=PostgresSql) if any(changed) else None


def _types(tree: exp.Query) -> bool:
    """INFORMATION_SCHEMA.COLUMNS names the types; PostgreSQL knows SUPER as another."""
    found = [
        table
        for table in tree.find_all(exp.Table)
        if (table.db.lower(), table.name.lower()) == ("information_schema", "columns")
    ]
    for table in found:
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier("columns"))
        table.replace(exp.Table(this=_INFORMATION.this.copy(), db=_INFORMATION.args["db"].copy(), alias=alias.copy()))
    return bool(found)


def _conditions(tree: exp.Query) -> bool:
    """`WHERE 1 AND ...`."""
    found = [
        literal
        for literal in tree.find_all(exp.Literal)
        if not literal.is_string and isinstance(literal.parent, exp.Where | exp.And | exp.Or | exp.Not)
    ]
    for literal in found:
        literal.replace(exp.Boolean(this=literal.name != "0"))
    return bool(found)


def _aliases(select: exp.Select) -> bool:
    known: dict[str, exp.Expr] = {}
    like_information_schema = any(_has_those_columns(table) for table in select.find_all(exp.Table))
    changed = False
    for item in select.expressions:
        changed = _expand(item, known) or changed
        if isinstance(item, exp.Alias):
            name = item.alias.lower()
            own = any(column.name.lower() == name for column in item.this.find_all(exp.Column))
            if not own and not (like_information_schema and name in _COLUMNS):
                known[name] = item.this
    where = select.args.get("where")
    return (_expand(where, known) if where is not None else False) or changed


def _has_those_columns(table: exp.Table) -> bool:
    name = table.name.lower()
    of_svv = name.startswith("svv_") and not name.startswith("svv_external")
    return of_svv or table.db.lower() == "information_schema"


def _expand(within: exp.Expr, known: dict[str, exp.Expr]) -> bool:
    found = [column for column in _columns(within) if not column.table and column.name.lower() in known]
    for column in found:
        column.replace(exp.Paren(this=known[column.name.lower()].copy()))
    return bool(found)


def _columns(within: exp.Expr) -> Iterator[exp.Column]:
    """Those of this SELECT, and not of one in it."""
    return (
        node
        for node in within.walk(prune=lambda node: isinstance(node, exp.Select))
        if isinstance(node, exp.Column) and node is not within
    )
