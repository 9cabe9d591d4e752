"""A cast that gives NULL where it does not fit."""

from sqlglot import exp

from infra.local.redshift.sql.functions import call


def lax_cast(value: exp.Expr, to: exp.DataType) -> exp.Cast:
    """The text as this PostgreSQL type, or NULL: https://docs.aws.amazon.com/redshift/latest/dg/r_TRY_CAST.html.

    The test is inside the cast, because PostgreSQL evaluates casts of constants before any CASE around them.
    """
    valid = call("pg_input_is_valid", value.copy(), exp.Literal.string(to.sql(dialect="postgres").lower()))
    return exp.Cast(this=exp.Case(ifs=[exp.If(this=valid, true=value.copy())]), to=to.copy())
