"""The types of the functions that take functions (Trino docs, "Lambda expressions")."""

from typing import Protocol

from sqlglot import exp

from infra.local.athena.sql.typed import kinds
from infra.local.athena.sql.typed.kinds import Kind
from infra.local.athena.sql.typed.scopes import Names

LAMBDAS = {
    *("transform", "filter", "any_match", "all_match", "none_match", "reduce", "zip_with"),
    *("map_filter", "transform_values", "transform_keys"),
}


class Inference(Protocol):
    """What is needed of the inference."""

    def expression(self, node: exp.Expr, names: Names) -> Kind | None:
        """The type of an expression, noted in it."""


def lambda_kinds(inference: Inference, node: exp.Anonymous, names: Names) -> Kind | None:
    """The type of such a call; its arguments' and lambdas' types are noted."""
    name = node.name.lower()
    given = [inference.expression(a, names) for a in node.expressions if not isinstance(a, exp.Lambda)]
    parts = [kind.parts if kind and kind.parts else (None, None) for kind in given]
    lambdas = [a for a in node.expressions if isinstance(a, exp.Lambda)]
    if not given or not lambdas:
        return None
    if name == "reduce":
        state = given[1] if len(given) > 1 else None
        stepped = _body(inference, lambdas[0], [state, parts[0][0]], names)
        if stepped is None:
            state = None
        return _body(inference, lambdas[-1], [state], names) if len(lambdas) > 1 else None
    if name == "zip_with":
        items = [parts[0][0], parts[1][0] if len(parts) > 1 else None]
        return kinds.array(_body(inference, lambdas[0], items, names))
    result = _body(inference, lambdas[0], list(parts[0]), names)
    if name == "transform":
        return kinds.array(result)
    if name in {"filter", "map_filter"}:
        return given[0]
    if name == "transform_values":
        return kinds.mapping(parts[0][0], result)
    if name == "transform_keys":
        return kinds.mapping(result, parts[0][-1])
    return kinds.BOOLEAN


def _body(inference: Inference, function: exp.Lambda, given: list[Kind | None], names: Names) -> Kind | None:
    parameters = [parameter.name.lower() for parameter in function.expressions]
    padded = [*given, *([None] * len(parameters))]
    return inference.expression(function.this, names.binding(dict(zip(parameters, padded, strict=False))))
