"""Editing the source of the metrics: a metric more at the end, or a unit more for one that is there."""

import ast
import json

from iot_pipeline.contract import Metric, Unit


class EditError(ValueError):
    """The source has no `METRICS` in the form that this knows to edit."""


def with_metric(source: str, metric: Metric, remark: str) -> str:
    """The source with a metric at the end of METRICS, below a comment. Raises EditError."""
    lines = source.splitlines(keepends=True)
    last = _metrics(source).end_lineno or 0
    if not lines[last - 1].startswith(")"):
        raise EditError("METRICS does not end in a line that begins with `)`")
    added = [f"    # {remark}\n", *(f"    {line}\n" for line in _lines(metric))]
    return "".join([*lines[: last - 1], *added, *lines[last - 1 :]])


def with_unit(source: str, metric: str, unit: Unit) -> str:
    """The source with a unit more for a metric. Raises EditError if there is no such metric."""
    for call in _metrics(source).elts:
        if isinstance(call, ast.Call) and isinstance(call.args[0], ast.Constant) and call.args[0].value == metric:
            units = call.args[1]
            if isinstance(units, ast.Tuple):
                texts = [ast.get_source_segment(source, each) or "" for each in units.elts]
                return _put(source, units, f"({', '.join([*texts, _unit(unit)])})")
    raise EditError(f"METRICS has no metric {metric!r} with its units as a tuple")


def _metrics(source: str) -> ast.Tuple:
    for node in ast.parse(source).body:
        match node:
            case ast.AnnAssign(target=ast.Name(id="METRICS"), value=ast.Tuple() as found):
                return found
    raise EditError("the source has no METRICS that is a tuple")


def _put(source: str, node: ast.expr, text: str) -> str:
    """The source with another text in a node's place. Columns count UTF-8 bytes."""
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before, after = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
    return b"".join([*lines[:first], before + text.encode() + after, *lines[last + 1 :]]).decode()


def _lines(metric: Metric) -> list[str]:
    units = ", ".join(_unit(unit) for unit in metric.units)
    return [
        "Metric(",
        f"    {_text(metric.name)},",
        f"    ({units}{',' if len(metric.units) == 1 else ''}),",
        f"    minimum={metric.minimum!r},",
        f"    maximum={metric.maximum!r},",
        f"    max_rate={metric.max_rate!r},",
        f"    description={_text(metric.description)},",
        "),",
    ]


def _unit(unit: Unit) -> str:
    if (unit.factor, unit.offset) == (1.0, 0.0):
        return f"Unit({_text(unit.symbol)})"
    return f"Unit({_text(unit.symbol)}, {unit.factor!r}, {unit.offset!r})"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
