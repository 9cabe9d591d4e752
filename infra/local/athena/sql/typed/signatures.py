"""The forms of Trino's functions that are proven here: argument types, result type and, where typed, a DuckDB form.

A line is `name(argument, ...) result` and may go on with ` := template`. An argument is a class of types: `int` any
integer type, `number` any number, `double` any number as a double, `text`, `binary`, `date`, `timestamp`, `zoned`,
`moment` the three of them, `array`, `map`, `orderable` what has an order, `any` and so on; `...` repeats the last.
A result is a type, `$n` the n-th argument's type, `common` that of all, `both` of the first two, `item` an array's
item, `key` and `value` a map's.
Pages: https://trino.io/docs/476/functions.html. A form that is not here is refused by its name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.sql.typed import kinds
from infra.local.athena.sql.typed.kinds import Kind
from infra.local.athena.sql.typed.signature_table import COMPLETE, TABLE

_LINE = re.compile(r"(\w+)\(([^)]*)\) (\S+)(?: := (.+))?")
_CLASSES = {
    "int": kinds.INTEGERS,
    "number": kinds.NUMBERS,
    "double": kinds.NUMBERS,
    "exact_double": ("double",),
    "float": ("real", "double"),
    "text": ("varchar",),
    "binary": ("varbinary",),
    "zoned": (kinds.ZONED,),
    "moment": ("date", "timestamp", kinds.ZONED),
    "clock": ("timestamp", kinds.ZONED),
    "interval": (kinds.DAY_TIME, kinds.YEAR_MONTH),
    "daytime": (kinds.DAY_TIME,),
    "yearmonth": (kinds.YEAR_MONTH,),
    "plain": (
        *("boolean", *kinds.NUMBERS, "varchar", "varbinary", "date", "timestamp", kinds.ZONED),
        *(kinds.DAY_TIME, kinds.YEAR_MONTH),
    ),
}


@dataclass(frozen=True)
class Signature:
    """One form of a function."""

    name: str
    arguments: tuple[str, ...]
    result: str
    template: str | None

    def takes(self, given: Sequence[Kind | None]) -> bool:
        """Whether arguments of these types fit; an argument of unknown type fits everywhere."""
        wanted = list(self.arguments)
        if wanted and wanted[-1].endswith("..."):
            last = wanted.pop().removesuffix("...")
            wanted += [last] * max(len(given) - len(wanted), 1)
        return len(wanted) == len(given) and all(map(_fits, wanted, given))

    def kind(self, given: Sequence[Kind | None]) -> Kind | None:
        """The type of the result."""
        return _named(self.result, given)


def _fits(wanted: str, given: Kind | None) -> bool:
    if wanted == "any" or given is None or given == kinds.UNKNOWN:
        return True
    if wanted.startswith("orderable"):
        return kinds.is_orderable(given) and (wanted == "orderable" or given.name == "array")
    return given.name in _CLASSES.get(wanted, (wanted,))


def _named(result: str, given: Sequence[Kind | None]) -> Kind | None:
    if result.startswith("$"):
        return given[int(result[1:]) - 1]
    if result == "common":
        return kinds.common(given)
    if result in {"item", "key"}:
        return given[0].parts[0] if given[0] and given[0].parts else None
    if result == "value":
        return given[0].parts[1] if given[0] and given[0].parts else None
    if result == "array[both]":
        return kinds.array(kinds.common(given[:2]))
    if result.startswith("array["):
        return kinds.array(_named(result[6:-1], given))
    if result.startswith("map["):
        key, _, value = result[4:-1].partition(",")
        return kinds.mapping(_named(key, given), _named(value, given))
    if result == "decimal38":
        return kinds.decimal(kinds.WIDEST, given[0].numbers[1]) if given[0] and given[0].numbers else None
    if result == "whole":
        return _whole(given[0])
    if result == "rounded":
        return kinds.decimal(given[0].numbers[0] + 1, given[0].numbers[1]) if given[0] and given[0].numbers else None
    if result in {"zoned", "timestamp"}:
        return kinds.INSTANT if result == "zoned" else kinds.TIMESTAMP
    return None if result == "?" else Kind({"daytime": kinds.DAY_TIME}.get(result, result))


def _whole(given: Kind | None) -> Kind | None:
    """The type of ceil, floor and round of a DECIMAL (Trino docs, "Mathematical functions and operators")."""
    if not given or not given.numbers:
        return None
    precision, scale = given.numbers
    return kinds.decimal(precision - scale + min(scale, 1), 0)


@lru_cache
def _signatures() -> dict[str, list[Signature]]:
    found: dict[str, list[Signature]] = {}
    for line in TABLE.strip().splitlines():
        match = _LINE.fullmatch(line.strip())
        if not match:
            raise ValueError(f"no signature: {line}")
        arguments = tuple(a.strip() for a in match[2].split(",") if a.strip())
        found.setdefault(match[1], []).append(Signature(match[1], arguments, match[3], match[4]))
    return found


def all_signatures() -> list[Signature]:
    """Every form there is."""
    return [form for forms in _signatures().values() for form in forms]


def resolve(name: str, given: Sequence[Kind | None]) -> Signature | None:
    """The form that takes these arguments; None when their types do not decide.

    Raises QueryError for types that Trino refuses, and UnsupportedError for those that only this server refuses.
    """
    forms = _signatures().get(name, [])
    fitting = [form for form in forms if form.takes(given)]
    if not fitting and forms and None not in given:
        _refuse(name, given, forms)
    if len(fitting) > 1 and any(kind is None for kind in given):
        return None
    return fitting[0] if fitting else None


def _refuse(name: str, given: Sequence[Kind | None], forms: list[Signature]) -> None:
    shown = ", ".join(str(kind) for kind in given)
    expected = ", ".join(f"{name}({', '.join(form.arguments)})" for form in forms)
    if name in COMPLETE:
        raise QueryError(
            f"FUNCTION_NOT_FOUND: line 1:1: Unexpected parameters ({shown}) for function {name}. Expected: {expected}"
        )
    raise UnsupportedError(f"{name}({shown}); supported here: {expected}")
