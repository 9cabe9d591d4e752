"""Redshift's names of date parts: https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html."""

from sqlglot import exp

from infra.local.redshift.unsupported import LOCAL, SYNTAX_ERROR, UnsupportedError

_NAMES = {
    "century": "c cent cents centuries",
    "decade": "dec decs decades",
    "epoch": "",
    "millennium": "mil mils",
    "year": "y yr yrs years",
    "quarter": "qtr qtrs quarters",
    "month": "mon mons months",
    "week": "w weeks",
    "dow": "dayofweek dw weekday",
    "doy": "dayofyear dy yearday",
    "day": "d days",
    "hour": "h hr hrs hours",
    "minute": "m min mins minutes",
    "second": "s sec secs seconds",
    "millisecond": "ms msec msecs msecond mseconds millisec millisecs millisecon milliseconds",
    "microsecond": "us usec usecs usecond useconds microsec microsecs microsecon microseconds",
}
_PARTS = {alias: part for part, aliases in _NAMES.items() for alias in (part, *aliases.split())}
UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond")


def date_part(node: exp.Expr, allowed: tuple[str, ...] = ()) -> str:
    """The part's PostgreSQL name, of a bare word or a text literal.

    Raises UnsupportedError for an unknown one, and for one outside `allowed` (empty: any).
    """
    part = _PARTS.get(node.name.lower())
    if part is None or not isinstance(node, exp.Column | exp.Literal | exp.Var):
        raise UnsupportedError(f"unknown date part {node.sql(dialect='redshift')}", SYNTAX_ERROR)
    if allowed and part not in allowed:
        raise UnsupportedError(f"{LOCAL}date part {part} here")
    return part
