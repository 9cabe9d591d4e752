"""A statement's conditions, decided by a request's context.

Sources: IAM user guide, "IAM JSON policy elements: Condition operators", "Set operators for multivalued context keys"
and "Conditions with multiple context keys or values".
"""

import base64
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.iam.one_or_many import listed
from infra.iam.patterns import Context, matches_arn, matches_text, several

Test = Callable[[str, str, Context, bool], bool]
"""The policy's value, the request's value, the context and whether variables are put in: whether the values agree."""


def _number(wanted: str, found: str) -> float:
    return float(found) - float(wanted)


def _moment(text: str) -> float:
    """Seconds since 1970 of a W3C ISO 8601 date, or of a number of seconds."""
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _in_network(wanted: str, found: str) -> bool:
    network = ipaddress.ip_network(wanted, strict=False)
    address = ipaddress.ip_address(found)
    return address.version == network.version and address in network


def _like(wanted: str, found: str, context: Context, variables: bool) -> bool:
    return matches_text(wanted, found, context, variables=variables)


def _equals(wanted: str, found: str, context: Context, variables: bool) -> bool:
    return matches_text(wanted, found, context, wildcards=False, variables=variables)


def _equals_ignoring_case(wanted: str, found: str, context: Context, variables: bool) -> bool:
    lowered = {key: [value.lower() for value in several(values)] for key, values in context.items()}
    return matches_text(wanted.lower(), found.lower(), lowered, wildcards=False, variables=variables)


def _arn(wanted: str, found: str, context: Context, variables: bool) -> bool:
    return matches_arn(wanted, found, context, variables=variables)


def _compared(comparison: Callable[[str, str], bool]) -> Test:
    """A comparison without variables. A value that is none of its kind does not agree, as AWS has it."""

    def test(wanted: str, found: str, _context: Context, _variables: bool) -> bool:
        try:
            return comparison(wanted, found)
        except ValueError:
            return False

    return test


# The operators that say that something is so; `StringNotEquals` and its like are these, negated.
_POSITIVE: Mapping[str, Test] = {
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_ignoring_case,
    "StringLike": _like,
    # "ArnEquals and ArnLike behave identically."
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": _compared(lambda wanted, found: wanted.lower() == found.lower()),
    "BinaryEquals": _compared(lambda wanted, found: base64.b64decode(wanted) == base64.b64decode(found)),
    "IpAddress": _compared(_in_network),
    "NumericEquals": _compared(lambda wanted, found: _number(wanted, found) == 0),
    "NumericLessThan": _compared(lambda wanted, found: _number(wanted, found) < 0),
    "NumericLessThanEquals": _compared(lambda wanted, found: _number(wanted, found) <= 0),
    "NumericGreaterThan": _compared(lambda wanted, found: _number(wanted, found) > 0),
    "NumericGreaterThanEquals": _compared(lambda wanted, found: _number(wanted, found) >= 0),
    "DateEquals": _compared(lambda wanted, found: _moment(found) == _moment(wanted)),
    "DateLessThan": _compared(lambda wanted, found: _moment(found) < _moment(wanted)),
    "DateLessThanEquals": _compared(lambda wanted, found: _moment(found) <= _moment(wanted)),
    "DateGreaterThan": _compared(lambda wanted, found: _moment(found) > _moment(wanted)),
    "DateGreaterThanEquals": _compared(lambda wanted, found: _moment(found) >= _moment(wanted)),
}
_NEGATIVE: Mapping[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
_SETS = ("ForAllValues", "ForAnyValue")


@dataclass(frozen=True)
class Condition:
    """One operator with one key and its values, e.g. StringEquals, aws:SourceAccount, ("111122223333",)."""

    operator: str
    set_operator: str
    if_exists: bool
    key: str
    values: tuple[str, ...]

    def holds(self, context: Context, *, variables: bool = True) -> bool:
        """Whether the context fulfils it; its keys are in lower case (`context_of`).

        Raises ValueError if the request has several values for a key and the condition has no set operator: AWS calls
        that a mistake of the policy and does not say what comes of it.
        """
        given = context.get(self.key.lower())
        found = several(given) if given is not None else ()
        if self.operator == "Null":
            return (self.values[0].lower() == "true") == (not found)
        if not found:
            return self._holds_without_value()
        agrees = [self._agrees(value, context, variables) for value in found]
        if self.set_operator == "ForAnyValue":
            return any(agrees)
        if not self.set_operator and len(agrees) > 1:
            raise ValueError(
                f"{self.operator} of {self.key}: the request has {len(agrees)} values; a set operator is needed"
            )
        return all(agrees)

    def _holds_without_value(self) -> bool:
        if self.set_operator:
            return self.set_operator == "ForAllValues"
        return self.if_exists or self.operator in _NEGATIVE

    def _agrees(self, found: str, context: Context, variables: bool) -> bool:
        """Several values of a condition are ORed; of a negated one, none may agree."""
        test = _POSITIVE[_NEGATIVE.get(self.operator, self.operator)]
        one = any(test(wanted, found, context, variables) for wanted in self.values)
        return not one if self.operator in _NEGATIVE else one


def parse_conditions(block: Mapping[str, Mapping[str, Any]]) -> tuple[Condition, ...]:
    """The conditions of a statement's `Condition`, all of which have to hold.

    Raises ValueError for an operator that there is none of.
    """
    return tuple(
        _condition(name, key, value) for name, by_key in sorted(block.items()) for key, value in sorted(by_key.items())
    )


def _condition(name: str, key: str, value: Any) -> Condition:
    set_operator, _, rest = name.rpartition(":")
    operator = rest.removesuffix("IfExists")
    known = operator in _POSITIVE or operator in _NEGATIVE or (operator == "Null" and operator == rest)
    if not known or (set_operator and set_operator not in _SETS):
        raise ValueError(
            f"Condition {name}: there is no such operator; there are {', '.join([*_POSITIVE, *_NEGATIVE])}"
        )
    values = tuple(_text(one) for one in listed(value))
    if not values:
        raise ValueError(f"Condition {name} of {key} has no value")
    return Condition(operator, set_operator, operator != rest, key, values)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"a condition's value is a text, a number or a truth value, not {value!r}")
