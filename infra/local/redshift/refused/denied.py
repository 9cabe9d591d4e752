"""The deny-list: what PostgreSQL (or our parser) accepts and Redshift rejects.

One entry a construct: its name, the page of the Database Developer Guide that says so (below
https://docs.aws.amazon.com/redshift/latest/dg/), what to do instead, and how to find it in a statement's tree.
Statements that never become a tree (SAVEPOINT, CREATE INDEX, ...) are in `denied_statements.py`.
"""

from dataclasses import dataclass

from sqlglot import exp

from infra.local.redshift.refused.constructs import (
    Found,
    calls,
    column_type,
    distinct_rows,
    frameless,
    has,
    has_materialized,
    is_a,
    merge_shape,
    merge_source,
    range_frame,
    set_operation_all,
    set_tuple,
    sorted_differently,
    too_many_digits,
    unnamed_qualify,
    values_in_from,
    window_of_constants,
)
from infra.local.redshift.refused.correlated import CORRELATED
from infra.local.redshift.refused.nodes import check_functions
from infra.local.redshift.unsupported import UnsupportedError

FEATURES = "c_unsupported-postgresql-features.html"
FUNCTION_LIST = "c_unsupported-postgresql-functions.html"
DATA_TYPES = "c_unsupported-postgresql-datatypes.html"
WINDOWS = "r_Window_function_synopsis.html"


@dataclass(frozen=True)
class Denied:
    """A construct Redshift rejects, the page that says so, the message, and whether a node of the tree is one."""

    name: str
    page: str
    message: str
    found: Found


_ARRAY_CALLS = (
    "array_agg array_append array_cat array_length array_position array_to_string cardinality unnest string_to_array"
)
_JSON_CALLS = (
    "jsonb_build_object json_build_object jsonb_agg json_agg jsonb_array_elements json_array_elements jsonb_each "
    "jsonb_extract_path jsonb_extract_path_text row_to_json to_jsonb to_json jsonb_object_agg"
)
_SERIES = "generate_series generate_subscripts"
_REGRESSION = (
    "corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy "
    "regr_syy"
)
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

_SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})

DENIED: tuple[Denied, ...] = (
    Denied(
        "on conflict",
        "r_INSERT_30.html",
        "INSERT ... ON CONFLICT; delete and insert, or MERGE",
        has(exp.Insert, "conflict"),
    ),
    Denied("returning", "r_INSERT_30.html", "RETURNING; select the rows before or after", is_a(exp.Returning)),
    Denied(
        "distinct on", "r_SELECT_list.html", "DISTINCT ON; use QUALIFY row_number() ... = 1", has(exp.Distinct, "on")
    ),
    Denied(
        "empty list",
        "r_SELECT_list.html",
        "SELECT of nothing; name a column",
        lambda n: isinstance(n, exp.Select) and not n.expressions,
    ),
    Denied("digits", "r_Numeric_types201.html", "a number of more than 38 digits", too_many_digits),
    Denied("distinct rows", "r_COUNT.html", "DISTINCT of a row; concatenate its columns", distinct_rows),
    Denied("lateral", "r_FROM_clause30.html", "LATERAL; join a subquery that groups by the key", is_a(exp.Lateral)),
    Denied("filter", "c_Aggregate_Functions.html", "FILTER; use SUM(CASE WHEN ... END)", is_a(exp.Filter)),
    Denied("array", FEATURES, "ARRAY[...] and subscripts of it; use SUPER", has(exp.Array, "bracket_notation")),
    Denied("array type", DATA_TYPES, "type ARRAY; use SUPER", column_type(exp.DType.ARRAY)),
    Denied(
        "array functions", FUNCTION_LIST, "functions of arrays; use SUPER and LISTAGG", calls(*_ARRAY_CALLS.split())
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
        is_a(exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar, exp.JSONBContains),
    ),
    Denied("json type", DATA_TYPES, "types JSON and JSONB; use SUPER", column_type(exp.DType.JSON, exp.DType.JSONB)),
    Denied(
        "json functions",
        "json-functions.html",
        "PostgreSQL's json functions; use JSON_PARSE",
        calls(*_JSON_CALLS.split()),
    ),
    Denied(
        "generate_series",
        FUNCTION_LIST,
        "generate_series: of the leader node alone, it fails with any table; use WITH RECURSIVE",
        calls(*_SERIES.split()),
    ),
    Denied("string_agg", FUNCTION_LIST, "STRING_AGG; use LISTAGG", calls("string_agg")),
    Denied("every", FUNCTION_LIST, "EVERY; use BOOL_AND", calls("every")),
    Denied(
        "regression",
        FUNCTION_LIST,
        "CORR, COVAR and REGR functions; compute them from sums",
        calls(*_REGRESSION.split()),
    ),
    Denied("clock functions", FUNCTION_LIST, "PostgreSQL's clock; use GETDATE() or SYSDATE", calls(*_DATES.split())),
    Denied(
        "make_ functions",
        "Date_functions_header.html",
        "make_...; use CAST",
        calls("make_date", "make_timestamp", "make_interval"),
    ),
    Denied("math functions", FUNCTION_LIST, "DIV, SETSEED, WIDTH_BUCKET", calls("div", "setseed", "width_bucket")),
    Denied("text functions", FUNCTION_LIST, "PostgreSQL's text functions", calls(*_TEXTS.split())),
    Denied(
        "regexp functions", FUNCTION_LIST, "use REGEXP_SUBSTR, REGEXP_COUNT, REGEXP_INSTR", calls(*_REGEXPS.split())
    ),
    Denied(
        "sequence functions",
        FUNCTION_LIST,
        "sequences; use IDENTITY",
        calls("nextval", "currval", "setval", "lastval"),
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
        calls("gen_random_uuid", "uuid_generate_v4", "uuid"),
    ),
    Denied(
        "text search", FEATURES, "full text search", calls("to_tsvector", "to_tsquery", "plainto_tsquery", "ts_rank")
    ),
    Denied("grouped row", FEATURES, "row constructors", calls("row")),
    Denied(
        "is distinct from", FUNCTION_LIST, "IS DISTINCT FROM; use NVL or DECODE", is_a(exp.NullSafeEQ, exp.NullSafeNEQ)
    ),
    Denied(
        "~*", "pattern-matching-conditions-posix.html", "~*; use ILIKE or REGEXP_COUNT(..., 'i')", is_a(exp.RegexpILike)
    ),
    Denied("collate", FEATURES, "COLLATE with a locale", is_a(exp.Collate)),
    Denied("values in from", FEATURES, "VALUES as a table; use SELECT ... UNION ALL", values_in_from),
    Denied("fetch first", "r_SELECT_synopsis.html", "FETCH FIRST; use LIMIT or TOP", is_a(exp.Fetch)),
    Denied("for update", "r_SELECT_synopsis.html", "FOR UPDATE and FOR SHARE; use LOCK", is_a(exp.Lock)),
    Denied("tablesample", "r_FROM_clause30.html", "TABLESAMPLE; use ORDER BY RANDOM() LIMIT", is_a(exp.TableSample)),
    Denied(
        "named window",
        WINDOWS,
        "WINDOW clause; repeat the OVER clause",
        lambda n: isinstance(n, exp.Select) and bool(n.args.get("windows")),
    ),
    Denied(
        "system columns",
        FEATURES,
        "PostgreSQL's system columns",
        lambda n: isinstance(n, exp.Column) and n.name.lower() in _SYSTEM_COLUMNS,
    ),
    Denied(
        "group by distinct",
        "r_GROUP_BY_clause.html",
        "GROUP BY DISTINCT",
        lambda n: isinstance(n, exp.Group) and n.args.get("all") is False,
    ),
    Denied("materialized", "r_WITH_clause.html", "[NOT] MATERIALIZED in WITH", has_materialized),
    Denied("current_catalog", FUNCTION_LIST, "CURRENT_CATALOG; use CURRENT_DATABASE()", is_a(exp.CurrentCatalog)),
    Denied(
        "insert alias",
        "r_INSERT_30.html",
        "an alias of INSERT's table",
        lambda n: isinstance(n, exp.Insert) and isinstance(n.this, exp.Table) and bool(n.this.alias),
    ),
    Denied("except all", "r_UNION.html", "EXCEPT ALL and INTERSECT ALL", set_operation_all),
    Denied("only", FEATURES, "ONLY: tables have no children", has(exp.Table, "only")),
    Denied(
        "frameless window",
        WINDOWS,
        "Aggregate window functions with an ORDER BY clause require a frame clause",
        frameless,
    ),
    Denied("range frame", WINDOWS, "RANGE, GROUPS and EXCLUDE in a frame; use ROWS", range_frame),
    Denied("constant in window", WINDOWS, "constants in PARTITION BY and ORDER BY of a window", window_of_constants),
    Denied(
        "sort-based aggregates",
        "r_PERCENTILE_CONT.html",
        "within group ORDER BY clauses for aggregate functions must be the same",
        sorted_differently,
    ),
    Denied(
        "qualify without alias",
        "r_QUALIFY_clause.html",
        "QUALIFY right after FROM needs an alias of the table",
        unnamed_qualify,
    ),
    Denied(
        "merge shape",
        "r_MERGE.html",
        "MERGE has one WHEN MATCHED and one WHEN NOT MATCHED, without conditions",
        merge_shape,
    ),
    Denied(
        "merge source",
        "r_MERGE.html",
        "MERGE takes a target without alias and a source table, no subquery",
        merge_source,
    ),
    Denied("merge with", "r_MERGE.html", "WITH in MERGE", has(exp.Merge, "with_")),
    Denied("set of a tuple", "r_UPDATE.html", "UPDATE ... SET (a, b) = ...; set the columns one by one", set_tuple),
    Denied("check", FEATURES, "CHECK constraints", is_a(exp.CheckColumnConstraint, exp.Check)),
    Denied(
        "serial",
        DATA_TYPES,
        "SERIAL; use IDENTITY(seed, step)",
        column_type(exp.DType.SERIAL, exp.DType.BIGSERIAL, exp.DType.SMALLSERIAL),
    ),
    Denied("uuid type", DATA_TYPES, "type UUID; use CHAR(36)", column_type(exp.DType.UUID)),
    Denied("money", DATA_TYPES, "type MONEY; use DECIMAL", column_type(exp.DType.MONEY)),
    Denied("xml", DATA_TYPES, "type XML", column_type(exp.DType.XML)),
    Denied("bit", DATA_TYPES, "type BIT; use BOOLEAN or VARBYTE", column_type(exp.DType.BIT)),
    Denied("network types", DATA_TYPES, "types INET, CIDR; use VARCHAR", column_type(exp.DType.INET)),
    Denied("range types", DATA_TYPES, "range types; use two columns", column_type(*_RANGES)),
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
    check_functions(tree)
