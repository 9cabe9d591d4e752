"""GetMetricData with math: expressions over the metrics of the same call.

CloudWatch user guide, "Using math expressions with CloudWatch metrics": what is missing counts as 0 where the other
side has a data point, and what divides by zero is dropped; a function that makes one number of a series may stand in an
expression only, whose result must be a series. Here are `+ - * /`, comparisons, AVG, MIN, MAX, SUM of one series, IF,
and FILL with a number; all else is refused by name. API reference, MetricStat: a start more than 15 days ago wants
periods of 5 minutes, one of more than 63 days of an hour, or there are no data points. Stock ministack answers every
expression with an internal error, any period for any time, and the oldest data points first.
"""

import ast
import json
import operator
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services import cloudwatch

Series = dict[int, float]
"""Data points by the second (epoch) at which their period begins."""
_DAY = 86_400
# API reference, MetricStat, "Period": how old a start, in days, wants multiples of which period.
KEPT = ((63, 3600), (15, 300))
# API reference, MetricDataQuery, "Expression".
MOST_CHARACTERS = 2048
_ARITHMETIC: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OF_SERIES: dict[str, Callable[[list[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "MIN": min,
    "MAX": max,
    "SUM": sum,
}
_stock = cloudwatch._get_metric_data


class MetricMathError(ValueError):
    """An expression that CloudWatch refuses, or that is not computed here."""


@dataclass(frozen=True)
class Span:
    """The periods of an answer: from `start` (included) to `end`, epoch seconds, each `period` seconds long."""

    start: int
    end: int
    period: int

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start - self.start % self.period, self.end, self.period))


def install() -> None:
    """Replace the answer to GetMetricData."""
    cloudwatch._get_metric_data = _answered


def evaluate(expression: str, series: Mapping[str, Series], span: Span) -> Series:
    """The series that an expression makes of others, which it calls by their ids. Raises MetricMathError."""
    if len(expression) > MOST_CHARACTERS:
        raise MetricMathError(f"an expression of {len(expression)} characters: at most {MOST_CHARACTERS} are allowed")
    try:
        # A zero byte is a ValueError of its own.
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise MetricMathError(f"{expression!r} cannot be read, or is not computed here: {error}") from error
    try:
        result = _Evaluation(series, span).of(tree)
    except RecursionError as error:
        raise MetricMathError(f"{expression!r} is nested too deep to be computed here") from error
    if not isinstance(result, dict):
        raise MetricMathError(
            f"{expression!r} is one number: the final result of an expression must be a time series, such as m1 * 0 + "
            "AVG(m1)"
        )
    return result


@dataclass(frozen=True)
class _Evaluation:
    series: Mapping[str, Series]
    span: Span

    def of(self, node: ast.expr) -> Series | float:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return float(value)
            case ast.Name(id=name) if name in self.series:
                return self.series[name]
            case ast.Name(id=name):
                raise MetricMathError(f"no metric or expression has the id {name!r}")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._each(operator.sub, 0.0, self.of(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return self._each(_ARITHMETIC[type(op)], self.of(left), self.of(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _ARITHMETIC:
                return self._each(_ARITHMETIC[type(op)], self.of(left), self.of(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._called(name, [self.of(each) for each in arguments])
        raise MetricMathError(f"{ast.unparse(node)} is not computed here")

    def _called(self, name: str, arguments: list[Series | float]) -> Series | float:
        match name, arguments:
            case "FILL", [dict() as series, float() as value]:
                return {at: series.get(at, value) for at in self.span}
            case "IF", [dict(), dict(), float()]:
                raise MetricMathError("IF(series, series, number) is not computed: the guide's example contradicts it")
            case "IF", [dict() as condition, then, other]:
                # Of the branches only the second drops what is missing.
                chosen = {at: _at(then, at) or 0.0 if holds else _at(other, at) for at, holds in condition.items()}
                return {at: value for at, value in chosen.items() if value is not None}
            case (("AVG" | "MIN" | "MAX" | "SUM"), [dict() as series]) if series:
                return _OF_SERIES[name](list(series.values()))
        raise MetricMathError(f"{name} of these {len(arguments)} arguments is not computed here")

    def _each(
        self, compute: Callable[[float, float], float], left: Series | float, right: Series | float
    ) -> Series | float:
        if isinstance(left, float) and isinstance(right, float):
            return float(compute(left, right))
        times = {at for each in (left, right) if isinstance(each, dict) for at in each}
        pairs = [(at, _at(left, at) or 0.0, _at(right, at) or 0.0) for at in sorted(times)]
        divides = compute is operator.truediv
        return {at: float(compute(one, other)) for at, one, other in pairs if other or not divides}


def _at(value: Series | float, at: int) -> float | None:
    return value.get(at) if isinstance(value, dict) else value


def _answered(params: Any, asked: Any, is_cbor: bool, is_json: bool = False) -> Any:
    if not (is_cbor or is_json):
        return _refused("GetMetricData is answered in JSON and CBOR alone here; use a newer client", is_cbor, is_json)
    try:
        results = _results(params, asked)
    except MetricMathError as error:
        return _refused(str(error), is_cbor, is_json)
    if is_cbor:
        return cloudwatch._cbor_ok(
            {"MetricDataResults": [cloudwatch._cbor_metric_data_result(each) for each in results]}
        )
    return cloudwatch._json_ok({"MetricDataResults": results})


def _refused(message: str, is_cbor: bool, is_json: bool) -> Any:
    return cloudwatch._error("ValidationError", message, 400, use_json=is_json, use_cbor=is_cbor)


def _results(params: Any, asked: dict[str, Any]) -> list[dict[str, Any]]:
    queries = asked.get("MetricDataQueries", [])
    start, end = cloudwatch._parse_ts(asked.get("StartTime")), cloudwatch._parse_ts(asked.get("EndTime"))
    series = _of_metrics(params, asked)
    periods = {int(query["MetricStat"]["Period"]) for query in queries if "MetricStat" in query}
    for query in queries:
        if query.get("Expression"):
            if len(periods) != 1:
                raise MetricMathError("an expression over metrics of several periods, or of none, is not computed here")
            series[query["Id"]] = evaluate(query["Expression"], series, Span(int(start), int(end), *periods))
    newest_first = asked.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    return [
        _result(query, dict(sorted(series[query["Id"]].items(), reverse=newest_first)))
        for query in queries
        if query.get("ReturnData", True)
    ]


def _of_metrics(params: Any, asked: dict[str, Any]) -> dict[str, Series]:
    plain = {
        query["Id"]: {**query, "ReturnData": True} for query in asked["MetricDataQueries"] if "MetricStat" in query
    }
    _, _, body = _stock(params, {**asked, "MetricDataQueries": list(plain.values())}, False, True)
    start = cloudwatch._parse_ts(asked.get("StartTime"))
    return {
        each["Id"]: {
            int(cloudwatch._parse_ts(at)): value
            for at, value in zip(each["Timestamps"], each["Values"], strict=True)
            if _is_kept(start, int(plain[each["Id"]]["MetricStat"]["Period"]))
        }
        for each in json.loads(body)["MetricDataResults"]
    }


def _result(query: dict[str, Any], series: Series) -> dict[str, Any]:
    return {
        "Id": query["Id"],
        "Label": query.get("Label", query["Id"]),
        "Timestamps": [cloudwatch._ts_iso(at) for at in series],
        "Values": list(series.values()),
        "StatusCode": "Complete",
    }


def _is_kept(start: float, period: int) -> bool:
    age = (time.time() - start) / _DAY
    return not any(age > days and period % multiple for days, multiple in KEPT)
