"""TRY_CAST(json_format(x) AS DOUBLE or BIGINT), the strict reading of a JSON number, without x's canonical text."""

from sqlglot import exp

T = exp.DataType.Type
_MACROS = {T.DOUBLE: "trino_formatted_double", T.BIGINT: "trino_formatted_bigint"}

MACROS = r"""
trino_formatted_double(x) AS
    -- Of a JSON value's text DuckDB takes for a number just what is one. In Trino NaN, and a fraction beyond a DOUBLE,
    -- are none.
    CASE WHEN NOT isfinite(TRY_CAST(x::VARCHAR AS DOUBLE)) AND regexp_matches(x::VARCHAR, '[.eEnN]') THEN NULL
    ELSE TRY_CAST(x::VARCHAR AS DOUBLE) END;

trino_formatted_bigint(x) AS
    trino_try_bigint(x::VARCHAR)
"""


def json_number(node: exp.TryCast) -> tuple[str, exp.Expr] | None:
    """The macro for such a cast, and its x, which has to be a JSON value; None for any other cast."""
    call, macro = node.this.unnest(), _MACROS.get(node.to.this)
    if not macro or not isinstance(call, exp.Anonymous) or call.name.lower() != "json_format":
        return None
    return macro, call.expressions[0]
