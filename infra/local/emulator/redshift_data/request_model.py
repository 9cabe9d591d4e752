"""Requests are held to the API's model, as botocore ships it: types, lengths, ranges, patterns, enumerations."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from infra.local.emulator.redshift_data.api_errors import DataApiError, invalid

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "double": (int, float),
    "list": list,
    "structure": dict,
}


@cache
def _service() -> ServiceModel:
    return botocore.session.Session().get_service_model("redshift-data")


def model_patterns() -> list[str]:
    """The regular expressions of the model, to which texts of requests are held."""
    shapes = [_service().shape_for(name) for name in _service().shape_names]
    return [str(shape.metadata["pattern"]) for shape in shapes if "pattern" in shape.metadata]


def check_request(operation: str, request: Any) -> dict[str, Any]:
    """The request, if the model allows it.

    Raises ValidationException with what is wrong, in AWS's form, and UnknownOperationException.
    """
    if operation not in _service().operation_names:
        raise DataApiError("UnknownOperationException", f"{operation} is no operation of the Data API.")
    model: OperationModel = _service().operation_model(operation)
    if not isinstance(request, dict):
        raise invalid("The request body is not a JSON object.")
    wrong = list(_wrong("", model.input_shape, request)) if model.input_shape else []
    if wrong:
        plural = "s" if len(wrong) > 1 else ""
        raise invalid(f"{len(wrong)} validation error{plural} detected: {'; '.join(wrong)}")
    return request


def _wrong(at: str, shape: Shape, value: Any) -> Iterator[str]:
    """What of the value the shape does not allow."""
    kind = _TYPES.get(shape.type_name)
    if kind is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        yield f"Value at '{at}' failed to satisfy constraint: Member must be of type {shape.type_name}"
    elif isinstance(shape, StructureShape):
        yield from _wrong_members(at, shape, value)
    elif isinstance(shape, ListShape):
        yield from _wrong_size(at, shape, len(value), "length")
        for place, item in enumerate(value, 1):
            yield from _wrong(f"{at}.{place}.member", shape.member, item)
    elif isinstance(value, str):
        yield from _wrong_text(at, shape, value)
    elif not isinstance(value, bool):
        yield from _wrong_size(at, shape, value, "value")


def _wrong_members(at: str, shape: StructureShape, value: dict[str, Any]) -> Iterator[str]:
    prefix = f"{at}." if at else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{prefix}{name}' failed to satisfy constraint: Member must not be null"
    for name, found in value.items():
        if name in shape.members and found is not None:
            yield from _wrong(f"{prefix}{name}", shape.members[name], found)


def _wrong_size(at: str, shape: Shape, size: int, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield f"Value at '{at}' failed to satisfy constraint: Member must have {what} greater than or equal to {least}"
    if most is not None and size > most:
        yield f"Value at '{at}' failed to satisfy constraint: Member must have {what} less than or equal to {most}"


def _wrong_text(at: str, shape: Shape, value: str) -> Iterator[str]:
    yield from _wrong_size(at, shape, len(value), "length")
    pattern, allowed = shape.metadata.get("pattern"), shape.metadata.get("enum")
    wrong = f"Value '{value[:64]}' at '{at}' failed to satisfy constraint: Member must satisfy"
    # Names and identifiers are short; the length is bounded before the pattern is tried.
    if pattern and (len(value) > shape.metadata.get("max", 512) or not re.fullmatch(pattern, value)):
        yield f"{wrong} regular expression pattern: {pattern}"
    if allowed and value not in allowed:
        yield f"{wrong} enum value set: [{', '.join(allowed)}]"
