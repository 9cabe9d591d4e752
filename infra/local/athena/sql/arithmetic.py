"""Operators between values of known types as DuckDB text (Trino docs, "Mathematical", "Decimal", "Date and time")."""

from sqlglot import exp

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.sql.moments import MomentText, interval_amount
from infra.local.athena.sql.typed import kinds
from infra.local.athena.sql.typed.kinds import WIDEST, Kind, duckdb_text, record

_FLOATS = ("real", "double")


def text_as(text: str, given: Kind, wanted: Kind, *, bare: bool = False) -> str:
    """The text, cast where its type is another; `bare` says that it is a literal, which DuckDB would narrow."""
    return text if given == wanted and not bare else f"CAST({text} AS {duckdb_text(wanted)})"


def _digits_of_both(a: Kind, b: Kind) -> int:
    """The digits of a DECIMAL that holds the values of both types."""
    (p, s), (q, t) = kinds.as_decimal(a).numbers, kinds.as_decimal(b).numbers
    return max(p - s, q - t) + max(s, t)


class ArithmeticText(MomentText):
    """The generator's part for operators."""

    def operation(self, node: exp.Binary, op: str) -> str | None:
        """The operation with Trino's type and errors; None when the types of its sides are not known."""
        a, b, result = record(node.this), record(node.expression), record(node)
        if a is None or b is None:
            return None
        if result is None:
            raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: {a} {op} {b}")
        if kinds.UNKNOWN in (a, b):
            return f"CAST(NULL AS {duckdb_text(result)})" if result != kinds.UNKNOWN else "NULL"
        if result.name in kinds.INTEGERS:
            return self._of_integers(node, op, a, b, result)
        if result.name in _FLOATS and a.name in kinds.NUMBERS and b.name in kinds.NUMBERS:
            left, right = text_as(self.sql(node.this), a, result), text_as(self.sql(node.expression), b, result)
            return self._of_floats(left, right, op)
        if result.name == "decimal":
            return self._of_decimals(node, op, a, b, result)
        return self._of_moments(node, op, a, b, result)

    def _of_integers(self, node: exp.Binary, op: str, a: Kind, b: Kind, result: Kind) -> str:
        small = result.name in {"tinyint", "smallint"} or {a.name, b.name} & {"tinyint", "smallint"}
        left = text_as(self.sql(node.this), a, result, bare=bool(small))
        right = text_as(self.sql(node.expression), b, result, bare=bool(small))
        return f"({left} // {right})" if op == "/" else f"({left} {op} {right})"

    def _of_floats(self, left: str, right: str, op: str) -> str:
        # DuckDB refuses a division of doubles by zero, which in Trino is Infinity or NaN.
        if op == "/":
            return f"trino_float_div({left}, {right})"
        return f"trino_float_mod({left}, {right})" if op == "%" else f"({left} {op} {right})"

    def _of_decimals(self, node: exp.Binary, op: str, a: Kind, b: Kind, result: Kind) -> str:
        if result.numbers[1] > result.numbers[0]:
            raise QueryError(f"NUMERIC_VALUE_OUT_OF_RANGE: DECIMAL scale must be in range [0, precision ({result})]")
        left = text_as(self.sql(node.this), a, kinds.as_decimal(a), bare=True)
        right = text_as(self.sql(node.expression), b, kinds.as_decimal(b), bare=True)
        if op == "/" and result.numbers[1] + kinds.as_decimal(b).numbers[1] - kinds.as_decimal(a).numbers[1] >= WIDEST:
            # Trino moves the dividend's point by so many digits, and by no more than a DECIMAL has.
            failed = "error('NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow')"
            tried = f"CASE WHEN {left} IS NOT NULL AND {right} IS NOT NULL THEN {failed} END"
            return f"CAST({tried} AS {duckdb_text(result)})"
        if op == "/":
            quotient = f"decimal_div(CAST({left} AS VARCHAR), CAST({right} AS VARCHAR), {result.numbers[1]})"
            return f"CAST({quotient} AS {duckdb_text(result)})"
        if op == "%" and _digits_of_both(a, b) > WIDEST:  # which DuckDB takes for doubles
            rest = f"decimal_mod(CAST({left} AS VARCHAR), CAST({right} AS VARCHAR))"
            return f"CAST({rest} AS {duckdb_text(result)})"
        return f"CAST({left} {op} {right} AS {duckdb_text(result)})"

    def _of_moments(self, node: exp.Binary, op: str, a: Kind, b: Kind, result: Kind) -> str:
        if (
            op == "+"
            and a.name in (kinds.DAY_TIME, kinds.YEAR_MONTH)
            and b.name not in (kinds.DAY_TIME, kinds.YEAR_MONTH)
        ):
            return self._shifted(node.expression, node.this, op, b, a)
        if b.name in (kinds.DAY_TIME, kinds.YEAR_MONTH) and op in "+-":
            if a.name == b.name:
                return f"({self.sql(node.this)} {op} {self.sql(node.expression)})"
            return self._shifted(node.this, node.expression, op, a, b)
        if op == "-":
            return self._between(node, a, b)
        interval, number = (
            (node.this, node.expression) if a.name.startswith("interval") else (node.expression, node.this)
        )
        return self._scaled(interval, number, op, result)

    def _shifted(self, moment: exp.Expr, interval: exp.Expr, op: str, kind: Kind, by: Kind) -> str:
        shift = self.sql(interval)
        if kind.name == "date":
            inner = interval.unnest()
            if isinstance(inner, exp.Interval):
                name, amount = interval_amount(inner)
                if name == "milliseconds" and amount % 86_400_000:
                    raise QueryError("INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date")
            elif by.name == kinds.DAY_TIME:
                shift = f"trino_whole_days({shift})"
            return f"CAST(({self.sql(moment)} {op} {shift}) AS DATE)"
        return f"({self.sql(moment)} {op} {shift})"

    def _between(self, node: exp.Binary, a: Kind, b: Kind) -> str:
        if a.name == b.name == "date":
            return f"to_days(CAST({self.sql(node.this)} - {self.sql(node.expression)} AS INTEGER))"
        wanted = "TIMESTAMPTZ" if kinds.ZONED in (a.name, b.name) else "TIMESTAMP"
        sides = [f"CAST({self.instant(side)} AS {wanted})" for side in (node.this, node.expression)]
        # Trino's interval holds milliseconds.
        return f"trino_span(trino_rounded_ms(epoch_us({sides[0]}) - epoch_us({sides[1]})) * 1000)"

    def _scaled(self, interval: exp.Expr, number: exp.Expr, op: str, result: Kind) -> str:
        text, times = self.sql(interval), self.sql(number)
        kind = record(number)
        if result.name == kinds.YEAR_MONTH:
            if op == "*" and kind and kind.name in kinds.INTEGERS:
                return f"to_months(CAST(trino_months({text}) * {times} AS INTEGER))"
            raise UnsupportedError(f"INTERVAL YEAR TO MONTH {op} {kind}; multiply by a whole number")
        if op == "*" and kind and kind.name in kinds.INTEGERS:
            return f"trino_span(epoch_us({text}) * CAST({times} AS BIGINT))"
        changed = f"(epoch_us({text}) / 1000)::DOUBLE {op} CAST({times} AS DOUBLE)"
        return f"trino_span(CAST(trunc({changed}) AS BIGINT) * 1000)"

    def compared(self, node: exp.Binary, op: str) -> str | None:
        """A comparison of values whose types are known and comparable; None when they are not known."""
        a, b = record(node.this), record(node.expression)
        if a is None or b is None:
            return None
        met = kinds.common((a, b))
        if met is None and not (kinds.is_partly_known(a) or kinds.is_partly_known(b)):
            raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: {a} {op} {b}")
        if op not in {"=", "<>"} and not (kinds.is_orderable(a) and kinds.is_orderable(b)):
            raise QueryError(f"TYPE_MISMATCH: line 1:1: Cannot apply operator: {a} {op} {b}")
        if a == b == kinds.JSON and op in {"=", "<>"}:
            return f"trino_java_json({self.sql(node.this)}) {op} trino_java_json({self.sql(node.expression)})"
        if composite := self._compared_parts(node, op, a, b):
            return composite
        zoned = kinds.ZONED in (a.name, b.name)
        left, right = (self.instant(s) if zoned else self.sql(s) for s in (node.this, node.expression))
        return f"{left} {op} {right}{self._no_nan(node, op, left, right)}"

    def _compared_parts(self, node: exp.Binary, op: str, a: Kind, b: Kind) -> str | None:
        """A comparison of arrays or rows, in which a NULL makes the answer NULL and not false."""
        if not a.parts or not b.parts:
            return None
        scalar = all(part and not part.parts and part.name not in _FLOATS for part in (*a.parts, *b.parts))
        left, right = self.sql(node.this), self.sql(node.expression)
        if a.name == "array" and scalar:
            return f"trino_comparable({left}) {op} trino_comparable({right})"
        if a.name == "row" and scalar and op in {"=", "<>"} and len(a.parts) == len(b.parts):
            fields = range(1, len(a.parts) + 1)
            same = " AND ".join(f"struct_extract_at({left}, {n}) = struct_extract_at({right}, {n})" for n in fields)
            return f"({same})" if op == "=" else f"(NOT ({same}))"
        raise UnsupportedError(f"{a} {op} {b}; compare the parts")

    def _no_nan(self, node: exp.Binary, op: str, left: str, right: str) -> str:
        """What keeps NaN from being equal to itself and greater than all numbers, as it is in DuckDB."""
        floats = [
            text
            for side, text in ((node.this, left), (node.expression, right))
            if (kind := record(side)) and kind.name in _FLOATS and not isinstance(side.unnest(), exp.Literal)
        ]
        both = len(floats) == 2
        if not floats or (op in {"=", "<>", "!="} and not both):
            return ""
        if op in {"<>", "!="}:
            return f" OR isnan({floats[0]})"
        greater = op in {">", ">="}
        watched = [text for text in floats if (text == left) == greater or op == "="]
        return "".join(f" AND NOT isnan({text})" for text in watched[:1])
