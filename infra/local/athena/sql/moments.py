"""Timestamps with time zone and intervals as DuckDB text.

DuckDB's TIMESTAMPTZ is an instant and keeps no zone. Where an expression says its zone itself, whoever reads the wall
clock (hour, CAST AS DATE ...) gets it in that zone, and whoever reads the instant (comparisons, to_unixtime ...) the
instant. Everywhere else, as in a column of a subquery, the zone would be lost: there only UTC is let through, and any
other is refused by name when the value comes.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlglot import exp
from sqlglot.generators.duckdb import DuckDBGenerator

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.sql.functions import lookup, text_of, unit_of
from infra.local.athena.sql.typed import kinds
from infra.local.athena.sql.typed.kinds import record
from infra.local.athena.sql.types import literal

WALL_READERS = {
    *("year", "month", "day", "day_of_month", "hour", "minute", "second", "millisecond", "quarter", "week"),
    *("week_of_year", "year_of_week", "yow", "day_of_week", "dow", "day_of_year", "doy", "date", "last_day_of_month"),
    *("date_format", "format_datetime"),
}
INSTANT_READERS = {"to_unixtime", "count", "at_timezone"}
_UNIT = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
_ZONED_TEXT = re.compile(
    r"(\d{4}-\d{1,2}-\d{1,2})(?:[ T](\d{1,2}:\d{1,2}(?::\d{1,2})?)(\.\d{1,6})?)?"
    r"\s*([+-]\d{1,2}:?\d{0,2}|[A-Za-z][\w/+-]*)"
)
_ZONE_GIVERS = {"at_timezone", "with_timezone", "from_unixtime"}
Pick = Callable[[exp.Expr], str]


def zone_named(text: str) -> str:
    """The zone as Trino prints it; QueryError for one that does not exist."""
    if text.upper() in {"UTC", "Z", "GMT", "UT"}:
        return "UTC"
    if offset := re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})?", text):
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        if hours > 14 or minutes > 59:
            raise QueryError(f"INVALID_FUNCTION_ARGUMENT: '{text}' is not a valid time zone")
        return f"{offset[1]}{hours:02}:{minutes:02}" if hours or minutes else "UTC"
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError) as error:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: '{text}' is not a valid time zone") from error


def interval_amount(node: exp.Interval) -> tuple[str, int]:
    """("months" or "milliseconds", how many) of an interval literal (Trino docs, "Data types", INTERVAL)."""
    value = node.this
    sign = -1 if isinstance(value, exp.Neg) else 1
    text = (value.this if isinstance(value, exp.Neg) else value).name.strip()
    unit = node.args["unit"]
    span = f"{unit.this.name} TO {unit.expression.name}" if isinstance(unit, exp.IntervalSpan) else unit.name
    name, amount = _amount(text, span.upper().removesuffix("S") if " " not in span else span.upper())
    return name, sign * amount


def _amount(text: str, span: str) -> tuple[str, int]:
    negative, digits = text.startswith("-"), text.lstrip("+-")
    sign = -1 if negative else 1
    if span in {"YEAR", "MONTH"} and digits.isdigit():
        return "months", sign * int(digits) * (12 if span == "YEAR" else 1)
    if span == "YEAR TO MONTH" and (parts := re.fullmatch(r"(\d+)-(\d+)", digits)):
        return "months", sign * (int(parts[1]) * 12 + int(parts[2]))
    if span in _UNIT and (re.fullmatch(r"\d+", digits) or (span == "SECOND" and re.fullmatch(r"\d+\.\d{1,3}", digits))):
        return "milliseconds", sign * int(Decimal(digits) * _UNIT[span])
    if span == "DAY TO SECOND" and (
        parts := re.fullmatch(r"(\d+)(?: (\d+)(?::(\d+)(?::(\d+(?:\.\d{1,3})?))?)?)?", digits)
    ):
        units = zip(("DAY", "HOUR", "MINUTE", "SECOND"), parts.groups(), strict=True)
        return "milliseconds", sign * sum(int(Decimal(p or 0) * _UNIT[u]) for u, p in units)
    if " TO " in span and span not in {"YEAR TO MONTH", "DAY TO SECOND"}:
        raise UnsupportedError(f"INTERVAL {span}; write INTERVAL ... DAY TO SECOND or of one unit")
    raise QueryError(f"INVALID_LITERAL: line 1:1: '{text}' is not a valid INTERVAL literal")


class MomentText(DuckDBGenerator):
    """The generator's part for zones and intervals."""

    def interval_sql(self, expression: exp.Interval) -> str:
        """An interval literal, exact to the millisecond."""
        name, amount = interval_amount(expression)
        return f"to_months({amount})" if name == "months" else f"to_microseconds({amount * 1000}::BIGINT)"

    # Zones

    def zone(self, node: exp.Expr) -> str | None:
        """DuckDB text of the zone of an expression that says it itself; None for one that is in UTC."""
        node = node.unnest()
        kind = record(node)
        if kind and kind.name != kinds.ZONED:
            return None
        if isinstance(node, exp.AtTimeZone):
            return _named(node.args["zone"])
        if isinstance(node, exp.Cast) and node.to.this == kinds.T.TIMESTAMPTZ:
            if isinstance(node.this, exp.Literal):
                return _quoted(_zoned_literal(node.this.name)[1])
            kind = record(node.this)
            return self.zone(node.this) if kind and kind.name == kinds.ZONED else None
        if isinstance(node, exp.Case):
            return self._branches(node, lambda branch: self.zone(branch) or "'UTC'") if self._any_zone(node) else None
        if isinstance(node, exp.Add | exp.Sub):
            return self.zone(node.this)
        return self._zone_of_call(node) if isinstance(node, exp.Anonymous) else None

    def _zone_of_call(self, node: exp.Anonymous) -> str | None:
        name, arguments = node.name.lower(), node.expressions
        if name == "from_iso8601_timestamp":
            return f"trino_iso8601_zone({self.sql(arguments[0])})"
        if name in {"at_timezone", "with_timezone"} or (name == "from_unixtime" and len(arguments) == 2):
            return _named(arguments[1])
        if name == "try":
            return self.zone(arguments[0])
        if name in {"date_trunc", "date_add"}:
            return self.zone(arguments[-1])
        if name in {"if", "coalesce"} and self._any_zone(node):
            return self._branches(node, lambda branch: self.zone(branch) or "'UTC'")
        return None

    def _any_zone(self, node: exp.Expr) -> bool:
        return any(self.zone(branch) is not None for branch in _branches_of(node))

    def _branches(self, node: exp.Expr, pick: Pick) -> str:
        """CASE, if or coalesce with something of each branch in the branch's place."""
        if isinstance(node, exp.Case):
            subject = node.this
            tests = [
                (f"{self.sql(subject)} = {self.sql(i.this)}" if subject else self.sql(i.this), pick(i.args["true"]))
                for i in node.args["ifs"]
            ]
            other = pick(node.args["default"]) if node.args.get("default") else "NULL"
        elif node.name.lower() == "if":
            test, true, *rest = node.expressions
            tests, other = [(self.sql(test), pick(true))], pick(rest[0]) if rest else "NULL"
        else:
            tests, other = [(f"{self.instant(a)} IS NOT NULL", pick(a)) for a in node.expressions], "NULL"
        return "CASE " + " ".join(f"WHEN {test} THEN {value}" for test, value in tests) + f" ELSE {other} END"

    def instant(self, node: exp.Expr) -> str:
        """DuckDB text of the instant, whatever the zone."""
        node = node.unnest()
        zone = self.zone(node)
        if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.to.this == kinds.T.TIMESTAMPTZ:
            return f"CAST({literal(_zoned_literal(node.this.name)[0])} AS TIMESTAMPTZ)"
        if zone is None and isinstance(node, exp.Anonymous) and node.name.lower() in _ZONE_GIVERS:
            return self._instant_of_call(node, literal("UTC"))
        if zone is None:
            return self.sql(node)
        if isinstance(node, exp.AtTimeZone):
            return self._as_instant(node.this)
        if isinstance(node, exp.Cast):
            return self._as_instant(node.this)
        if isinstance(node, exp.Case):
            return self._branches(node, self._as_instant)
        if isinstance(node, exp.Add | exp.Sub):
            return self._moved(node, zone)
        return self._instant_of_call(node, zone)

    def _instant_of_call(self, node: exp.Expr, zone: str) -> str:
        name, arguments = node.name.lower(), node.expressions
        if name == "from_iso8601_timestamp":
            return f"trino_iso8601({self.sql(arguments[0])})"
        if name == "with_timezone":
            return f"trino_instant(CAST({self.sql(arguments[0])} AS TIMESTAMP), {zone})"
        if name == "from_unixtime":
            return lookup(name).render(self, name, arguments[:1])
        if name == "try":
            inner = arguments[0].unnest()
            if inner.name.lower() == "from_iso8601_timestamp":
                return f"trino_try_iso8601({self.sql(inner.expressions[0])})"
            raise UnsupportedError("TRY over a timestamp with a zone of its own (TRY around the function that parses)")
        if name == "date_trunc":
            unit = literal(unit_of(arguments[0]))
            return f"trino_instant(date_trunc({unit}, {self.wall(arguments[1])}), {zone})"
        if name == "date_add":
            kind = record(node)
            if kind and kind.numbers and kind.numbers[0] < 3 and unit_of(arguments[0]) == "millisecond":
                raise UnsupportedError(f"date_add('millisecond', ...) of {kind}; cast it to three digits of a second")
            moved = lookup(name).render(self, name, [*arguments[:2], exp.Var(this=self.wall(arguments[2]))])
            exact = unit_of(arguments[0]) in {"millisecond", "second", "minute", "hour"}
            if exact:
                return lookup(name).render(self, name, [*arguments[:2], exp.Var(this=self.instant(arguments[2]))])
            return f"trino_instant({moved}, {zone})"
        if name == "at_timezone":
            return self._as_instant(arguments[0])
        return self._branches(node, self._as_instant)

    def _moved(self, node: exp.Expr, zone: str) -> str:
        op = "+" if isinstance(node, exp.Add) else "-"
        kind = record(node.expression)
        if kind and kind.name == kinds.YEAR_MONTH:
            return f"trino_instant({self.wall(node.this)} {op} {self.sql(node.expression)}, {zone})"
        return f"({self.instant(node.this)} {op} {self.sql(node.expression)})"

    def _as_instant(self, node: exp.Expr) -> str:
        kind = record(node)
        text = self.instant(node)
        return text if kind and kind.name == kinds.ZONED else f"CAST({text} AS TIMESTAMPTZ)"

    def wall(self, node: exp.Expr) -> str:
        """DuckDB text of the wall clock in the expression's own zone, a TIMESTAMP."""
        zone = self.zone(node)
        if zone is None:
            return f"CAST({self.sql(node)} AS TIMESTAMP)"
        return f"trino_wall({self.instant(node)}, {zone})"

    def kept(self, node: exp.Expr) -> str:
        """DuckDB text of a value that goes where its zone would be lost: refused there unless it is UTC."""
        zone = self.zone(node)
        if zone is None:
            return self.instant(node)
        if zone.startswith("'"):
            raise UnsupportedError(
                f"a timestamp in the time zone {zone} in a column, array, aggregate or other expression "
                "(keep it AT TIME ZONE 'UTC' and change the zone in the outermost SELECT)"
            )
        return f"trino_utc({self.instant(node)}, {zone})"

    def zoned_sql(self, node: exp.Expr) -> str:
        """The instant and the zone, for a column of the result."""
        return f"{{'__instant': {self.instant(node)}, '__zone': {self.zone(node) or literal('UTC')}}}"

    def zoned_text(self, node: exp.Expr, digits: int) -> str:
        """CAST(x AS VARCHAR) of a timestamp with time zone."""
        zone = self.zone(node)
        return f"({moment_text(self.wall(node), digits)} || ' ' || {zone or literal('UTC')})"


def moment_text(value: str, digits: int) -> str:
    """DuckDB text of a TIMESTAMP as text with so many digits of a second."""
    if digits > 6:
        raise UnsupportedError(f"timestamp({digits}) as text: this server keeps microseconds")
    full = f"strftime({value}, '%Y-%m-%d %H:%M:%S.%f')"
    return f"left({full}, {19 + (digits + 1 if digits else 0)})"


def _branches_of(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Case):
        other = node.args.get("default")
        return [i.args["true"] for i in node.args["ifs"]] + ([other] if other else [])
    return list(node.expressions[1:] if node.name.lower() == "if" else node.expressions)


def _named(node: exp.Expr) -> str | None:
    return _quoted(zone_named(text_of(node, "time zone")))


def _quoted(zone: str) -> str | None:
    return None if zone == "UTC" else literal(zone)


def _zoned_literal(text: str) -> tuple[str, str]:
    """(instant in UTC, zone) of the text of a TIMESTAMP literal with a zone."""
    match = _ZONED_TEXT.fullmatch(text.strip())
    if not match:
        raise UnsupportedError(f"TIMESTAMP '{text}' WITH TIME ZONE; write 'YYYY-MM-DD HH:MM:SS[.ffffff] zone'")
    zone = zone_named(match[4])
    date = "-".join(part.zfill(2) for part in match[1].split("-"))
    clock = [part.zfill(2) for part in (match[2] or "00:00:00").split(":")]
    stamp = f"{date} {':'.join([*clock, '00'][:3])}{match[3] or ''}"
    try:
        wall = datetime.fromisoformat(stamp)
    except ValueError as error:
        raise QueryError(f"INVALID_LITERAL: line 1:1: '{text}' is not a valid TIMESTAMP literal") from error
    wall = datetime.fromisoformat(f"{stamp}{zone}") if zone[0] in "+-" else wall.replace(tzinfo=ZoneInfo(zone))
    return wall.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00"), zone
