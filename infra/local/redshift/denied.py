"""The deny-list: what PostgreSQL (or our parser) accepts and Redshift rejects.

One entry a construct: its name, the page of the Database Developer Guide that says so (below
https://docs.aws.amazon.com/redshift/latest/dg/), what to do instead, and how to find it in a statement's tree.
Statements that never become a tree (SAVEPOINT, CREATE INDEX, ...) are in `denied_statements.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from infra.local.redshift.correlated import CORRELATED
from infra.local.redshift.functions import AGGREGATES, FUNCTIONS, REWRITTEN
from infra.local.redshift.unsupported import LOCAL, UnsupportedError

FEATURES = "c_unsupported-postgresql-features.html"
FUNCTION_LIST = "c_unsupported-postgresql-functions.html"
DATA_TYPES = "c_unsupported-postgresql-datatypes.html"
WINDOWS = "r_Window_function_synopsis.html"

Found = Callable[[exp.Expr], bool]


@dataclass(frozen=True)
class Denied:
    """A construct Redshift rejects, the page that says so, the message, and whether a node of the tree is one."""

    name: str
    page: str
    message: str
    found: Found


def _is(*kinds: type[exp.Expr]) -> Found:
    return lambda node: isinstance(node, kinds)


def _has(kind: type[exp.Expr], *args: str) -> Found:
    return lambda node: isinstance(node, kind) and any(node.args.get(arg) for arg in args)


def _calls(*names: str) -> Found:
    return lambda node: isinstance(node, exp.Anonymous) and node.name.lower() in names


def _column_type(*kinds: exp.DType) -> Found:
    return lambda node: isinstance(node, exp.DataType) and node.this in kinds


def _values_in_from(node: exp.Expr) -> bool:
    return isinstance(node, exp.Values) and not isinstance(node.parent, exp.Insert)


def _frameless(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Window) or not node.args.get("order") or node.args.get("spec"):
        return False
    function = node.this.this if isinstance(node.this, exp.IgnoreNulls | exp.RespectNulls) else node.this
    return isinstance(function, exp.Anonymous) and function.name.lower() in AGGREGATES


def _range_frame(node: exp.Expr) -> bool:
    return isinstance(node, exp.WindowSpec) and (
        str(node.args.get("kind")).upper() != "ROWS" or bool(node.args.get("exclude"))
    )


def _window_of_constants(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Window):
        return False
    order = node.args["order"].expressions if node.args.get("order") else []
    terms = [*(term.this for term in order), *(node.args.get("partition_by") or [])]
    return any(isinstance(term, exp.Literal) for term in terms)


def _sorted_differently(node: exp.Expr) -> bool:
    """Sort-based aggregates of one SELECT must agree on their order: docs r_PERCENTILE_CONT, usage notes."""
    if not isinstance(node, exp.Select):
        return False
    orders = set()
    for item in node.find_all(exp.WithinGroup, exp.Anonymous):
        if item.parent_select is not node:
            continue
        if isinstance(item, exp.WithinGroup):
            orders.add(
                tuple((term.this.sql().lower(), bool(term.args.get("desc"))) for term in item.expression.expressions)
            )
        elif item.name.lower() == "median":
            orders.add(tuple((argument.sql().lower(), False) for argument in item.expressions))
    return len(orders) > 1


def _unnamed_qualify(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Select) or not node.args.get("qualify"):
        return False
    if any(node.args.get(key) for key in ("where", "group", "having")):
        return False
    joins = node.args.get("joins") or []
    last = joins[-1].this if joins else node.args["from_"].this if node.args.get("from_") else None
    on = joins[-1].args.get("on") or joins[-1].args.get("using") if joins else None
    return isinstance(last, exp.Table) and not last.alias and not on


def _merge_shape(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Merge):
        return False
    whens = node.args["whens"].expressions
    shape = [bool(when.args.get("matched")) for when in whens]
    conditions = any(when.args.get("condition") or when.args.get("source") for when in whens)
    nothing = any("NOTHING" in when.args["then"].sql().upper() for when in whens)
    return shape != [True, False] or conditions or nothing


def _merge_source(node: exp.Expr) -> bool:
    return isinstance(node, exp.Merge) and (not isinstance(node.args["using"], exp.Table) or bool(node.this.alias))


def _set_tuple(node: exp.Expr) -> bool:
    return isinstance(node, exp.Update) and any(
        isinstance(item.this, exp.Tuple | exp.Paren) for item in node.expressions
    )


def _set_operation_all(node: exp.Expr) -> bool:
    return isinstance(node, exp.Except | exp.Intersect) and node.args.get("distinct") is False


def _constraint(*kinds: type[exp.Expr]) -> Found:
    return lambda node: isinstance(node, kinds)


_ARRAY_CALLS = (
    "array_agg array_append array_cat array_length array_position array_to_string cardinality unnest string_to_array"
)
_JSON_CALLS = (
    "jsonb_build_object json_build_object jsonb_agg json_agg jsonb_array_elements json_array_elements jsonb_each "
    "jsonb_extract_path jsonb_extract_path_text row_to_json to_jsonb to_json jsonb_object_agg"
)
_SERIES = "generate_series generate_subscripts"
_REGRESSION = "corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy"
_DATES = (
    "clock_timestamp transaction_timestamp statement_timestamp justify_days justify_hours justify_interval pg_sleep"
)
_TEXTS = "bit_length overlay convert_from convert_to encode format quote_nullable concat_ws"
_REGEXPS = "regexp_matches regexp_match regexp_split_to_array regexp_split_to_table regexp_like"
_RANGES = {
    exp.DType.INT4RANGE,
    exp.DType.INT8RANGE,
    exp.DType.NUMRANGE,
    exp.DType.TSRANGE,
    exp.DType.TSTZRANGE,
    exp.DType.DATERANGE,
}

DENIED: tuple[Denied, ...] = (
    Denied(
        "on conflict",
        "r_INSERT_30.html",
        "INSERT ... ON CONFLICT; delete and insert, or MERGE",
        _has(exp.Insert, "conflict"),
    ),
    Denied("returning", "r_INSERT_30.html", "RETURNING; select the rows before or after", _is(exp.Returning)),
    Denied(
        "distinct on", "r_SELECT_list.html", "DISTINCT ON; use QUALIFY row_number() ... = 1", _has(exp.Distinct, "on")
    ),
    Denied("lateral", "r_FROM_clause30.html", "LATERAL; join a subquery that groups by the key", _is(exp.Lateral)),
    Denied("filter", "c_Aggregate_Functions.html", "FILTER; use SUM(CASE WHEN ... END)", _is(exp.Filter)),
    Denied("array", FEATURES, "ARRAY[...] and subscripts of it; use SUPER", _has(exp.Array, "bracket_notation")),
    Denied("array type", DATA_TYPES, "type ARRAY; use SUPER", _column_type(exp.DType.ARRAY)),
    Denied(
        "array functions", FUNCTION_LIST, "functions of arrays; use SUPER and LISTAGG", _calls(*_ARRAY_CALLS.split())
    ),
    Denied(
        "any of array",
        FUNCTION_LIST,
        "= ANY(array); use IN",
        lambda n: isinstance(n, exp.Any) and not n.find(exp.Select),
    ),
    Denied(
        "json operators",
        FUNCTION_LIST,
        "operators of json; use JSON_EXTRACT_PATH_TEXT or SUPER",
        _is(exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar, exp.JSONBContains),
    ),
    Denied("json type", DATA_TYPES, "types JSON and JSONB; use SUPER", _column_type(exp.DType.JSON, exp.DType.JSONB)),
    Denied(
        "json functions",
        "json-functions.html",
        "PostgreSQL's json functions; use JSON_PARSE",
        _calls(*_JSON_CALLS.split()),
    ),
    Denied(
        "generate_series",
        FUNCTION_LIST,
        "generate_series: of the leader node alone, it fails with any table; use WITH RECURSIVE",
        _calls(*_SERIES.split()),
    ),
    Denied("string_agg", FUNCTION_LIST, "STRING_AGG; use LISTAGG", _calls("string_agg")),
    Denied("every", FUNCTION_LIST, "EVERY; use BOOL_AND", _calls("every")),
    Denied(
        "regression",
        FUNCTION_LIST,
        "CORR, COVAR and REGR functions; compute them from sums",
        _calls(*_REGRESSION.split()),
    ),
    Denied("clock functions", FUNCTION_LIST, "PostgreSQL's clock; use GETDATE() or SYSDATE", _calls(*_DATES.split())),
    Denied(
        "make_ functions",
        "Date_functions_header.html",
        "make_...; use CAST",
        _calls("make_date", "make_timestamp", "make_interval"),
    ),
    Denied("math functions", FUNCTION_LIST, "DIV, SETSEED, WIDTH_BUCKET", _calls("div", "setseed", "width_bucket")),
    Denied("text functions", FUNCTION_LIST, "PostgreSQL's text functions", _calls(*_TEXTS.split())),
    Denied(
        "regexp functions", FUNCTION_LIST, "use REGEXP_SUBSTR, REGEXP_COUNT, REGEXP_INSTR", _calls(*_REGEXPS.split())
    ),
    Denied(
        "sequence functions",
        FUNCTION_LIST,
        "sequences; use IDENTITY",
        _calls("nextval", "currval", "setval", "lastval"),
    ),
    Denied(
        "advisory locks",
        FUNCTION_LIST,
        "advisory locks",
        lambda n: isinstance(n, exp.Anonymous) and "advisory" in n.name.lower(),
    ),
    Denied(
        "uuid functions",
        DATA_TYPES,
        "gen_random_uuid; use MD5 or IDENTITY",
        _calls("gen_random_uuid", "uuid_generate_v4", "uuid"),
    ),
    Denied(
        "text search", FEATURES, "full text search", _calls("to_tsvector", "to_tsquery", "plainto_tsquery", "ts_rank")
    ),
    Denied("grouped row", FEATURES, "row constructors", _calls("row")),
    Denied(
        "is distinct from", FUNCTION_LIST, "IS DISTINCT FROM; use NVL or DECODE", _is(exp.NullSafeEQ, exp.NullSafeNEQ)
    ),
    Denied(
        "~*", "pattern-matching-conditions-posix.html", "~*; use ILIKE or REGEXP_COUNT(..., 'i')", _is(exp.RegexpILike)
    ),
    Denied("collate", FEATURES, "COLLATE with a locale", _is(exp.Collate)),
    Denied("values in from", FEATURES, "VALUES as a table; use SELECT ... UNION ALL", _values_in_from),
    Denied("fetch first", "r_SELECT_synopsis.html", "FETCH FIRST; use LIMIT or TOP", _is(exp.Fetch)),
    Denied("for update", "r_SELECT_synopsis.html", "FOR UPDATE and FOR SHARE; use LOCK", _is(exp.Lock)),
    Denied("tablesample", "r_FROM_clause30.html", "TABLESAMPLE; use ORDER BY RANDOM() LIMIT", _is(exp.TableSample)),
    Denied(
        "named window",
        WINDOWS,
        "WINDOW clause; repeat the OVER clause",
        lambda n: isinstance(n, exp.Select) and bool(n.args.get("windows")),
    ),
    Denied("except all", "r_UNION.html", "EXCEPT ALL and INTERSECT ALL", _set_operation_all),
    Denied("only", FEATURES, "ONLY: tables have no children", _has(exp.Table, "only")),
    Denied(
        "frameless window",
        WINDOWS,
        "Aggregate window functions with an ORDER BY clause require a frame clause",
        _frameless,
    ),
    Denied("range frame", WINDOWS, "RANGE, GROUPS and EXCLUDE in a frame; use ROWS", _range_frame),
    Denied("constant in window", WINDOWS, "constants in PARTITION BY and ORDER BY of a window", _window_of_constants),
    Denied(
        "sort-based aggregates",
        "r_PERCENTILE_CONT.html",
        "within group ORDER BY clauses for aggregate functions must be the same",
        _sorted_differently,
    ),
    Denied(
        "qualify without alias",
        "r_QUALIFY_clause.html",
        "QUALIFY right after FROM needs an alias of the table",
        _unnamed_qualify,
    ),
    Denied(
        "merge shape",
        "r_MERGE.html",
        "MERGE has one WHEN MATCHED and one WHEN NOT MATCHED, without conditions",
        _merge_shape,
    ),
    Denied(
        "merge source",
        "r_MERGE.html",
        "MERGE takes a target without alias and a source table, no subquery",
        _merge_source,
    ),
    Denied("merge with", "r_MERGE.html", "WITH in MERGE", _has(exp.Merge, "with_")),
    Denied("set of a tuple", "r_UPDATE.html", "UPDATE ... SET (a, b) = ...; set the columns one by one", _set_tuple),
    Denied("check", FEATURES, "CHECK constraints", _constraint(exp.CheckColumnConstraint, exp.Check)),
    Denied(
        "serial",
        DATA_TYPES,
        "SERIAL; use IDENTITY(seed, step)",
        _column_type(exp.DType.SERIAL, exp.DType.BIGSERIAL, exp.DType.SMALLSERIAL),
    ),
    Denied("uuid type", DATA_TYPES, "type UUID; use CHAR(36)", _column_type(exp.DType.UUID)),
    Denied("money", DATA_TYPES, "type MONEY; use DECIMAL", _column_type(exp.DType.MONEY)),
    Denied("xml", DATA_TYPES, "type XML", _column_type(exp.DType.XML)),
    Denied("bit", DATA_TYPES, "type BIT; use BOOLEAN or VARBYTE", _column_type(exp.DType.BIT)),
    Denied("network types", DATA_TYPES, "types INET, CIDR; use VARCHAR", _column_type(exp.DType.INET)),
    Denied("range types", DATA_TYPES, "range types; use two columns", _column_type(*_RANGES)),
    Denied(
        "interval column",
        DATA_TYPES,
        "a column of type INTERVAL; keep numbers of seconds",
        lambda n: isinstance(n, exp.ColumnDef) and n.kind is not None and n.kind.is_type(exp.DType.INTERVAL),
    ),
    *(Denied(name, "r_correlated_subqueries.html", message, found) for name, message, found in CORRELATED),
)


def check_denied(tree: exp.Expr) -> None:
    """Raise UnsupportedError for the first construct of the deny-list, with its message and page."""
    for node in tree.walk():
        for entry in DENIED:
            if entry.found(node):
                raise UnsupportedError(f"not supported by Redshift: {entry.message} ({entry.page})")
    _check_functions(tree)


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


def _check_functions(tree: exp.Expr) -> None:
    """Refuse functions nobody has looked at, and those of the other kind of node.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html; LISTAGG, MEDIAN, PERCENTILE_CONT.
    """
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
                f'Specified types or functions (one per INFO message) not supported on Redshift tables: "{name}" runs on the '
                "leader node only (c_SQL_functions_leader_node_only.html)"
            )
        if name in _COMPUTE_ONLY and not with_data:
            raise UnsupportedError(f'"{name}" runs on compute nodes only: the query must read a table (r_LISTAGG.html)')


def _reads_data(tree: exp.Expr) -> bool:
    """Whether the statement touches a table that is no catalog of the leader node's."""
    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
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
