"""Expressions in Trino's SQL, made at random from the forms that the local Athena claims to support.

The same seed gives the same expressions. Arguments are literals of awkward values, casts, or calls again; texts that a
function reads in its own way (formats, units, paths, patterns) are mostly such texts.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

from infra.local.athena.sql.typed.signatures import Signature, all_signatures
from iot_pipeline_tests.truth.values import CLASSES, LITERALS, READS, TEXTS

_T = TypeVar("_T")
_SIMPLE = tuple(LITERALS)
_AGGREGATES = frozenset(
    (
        *("count", "count_if", "sum", "avg", "min", "max", "bool_and", "every", "bool_or", "arbitrary", "any_value"),
        *("array_agg", "max_by", "min_by", "map_agg", "histogram", "stddev", "stddev_samp", "stddev_pop", "variance"),
        *("var_samp", "var_pop", "corr"),
    )
)
_RANKS = ("row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile")
_WINDOWS = frozenset((*_RANKS, "lag", "lead", "first_value", "last_value", "nth_value"))
# Their value is an estimate, of the moment, or of no promised form; or they need a GROUP BY.
_LEFT_OUT = frozenset(("approx_percentile", "approx_distinct", "checksum", "now", "current_timezone", "grouping"))
_TARGETS = (
    *("varchar", "bigint", "integer", "double", "real", "decimal(10,2)", "decimal(38,6)", "boolean", "date"),
    *("timestamp(3)", "timestamp(6)", "timestamp with time zone", "json", "varchar(3)", "smallint", "varbinary"),
)
_NUMBERS = ("integer", "bigint", "decimal", "real", "double")
_DEPTH = 2


class Expressions:
    """An endless series of expressions."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._signatures = [s for s in all_signatures() if s.name not in _LEFT_OUT]
        self._scalar: dict[str, list[Signature]] = {}
        for signature in self._signatures:
            if signature.name not in _AGGREGATES | _WINDOWS:
                self._scalar.setdefault(signature.result, []).append(signature)
        self._forms = (
            *(self._arithmetic, self._comparison, self._cast, self._case, self._lambda, self._subscript),
            *(self._membership, self._like, self._moved, self._at_zone, self._joined),
        )

    def next(self) -> str:
        """One expression: a function's call seven times of ten, else an operator or a form of the language."""
        if self._random.random() < 0.3:
            return self._pick(self._forms)()
        return self._called(self._pick(self._signatures), _DEPTH)

    def _pick(self, items: Sequence[_T]) -> _T:
        return self._random.choice(items)

    # Calls

    def _called(self, signature: Signature, depth: int) -> str:
        if signature.name in _AGGREGATES:
            return self._aggregate(signature)
        if signature.name in _WINDOWS:
            return self._window(signature)
        return f"{signature.name}({', '.join(self._arguments(signature, depth))})"

    def _arguments(self, signature: Signature, depth: int) -> list[str]:
        wanted = list(signature.arguments)
        if wanted and wanted[-1].endswith("..."):
            last = wanted.pop().removesuffix("...")
            wanted += [last] * self._random.randint(1, 3)
        reads = READS.get(signature.name, {})
        item = self._pick(_SIMPLE)
        found = []
        for at, name in enumerate(wanted):
            if at in reads and self._random.random() < 0.9:
                found.append(_quoted(self._pick(TEXTS[reads[at]])))
            elif name == "int" and signature.name in {"lpad", "rpad"}:
                found.append(self._pick(("0", "1", "7", "-1", "CAST(NULL AS integer)")))  # no text of gigabytes
            elif name == "any":
                found.append(self._value(item, depth))
            else:
                found.append(self._of_class(name, item, depth))
        return found

    def _of_class(self, name: str, item: str, depth: int) -> str:
        if name == "array":
            return self._array(item)
        if name == "map":
            return self._map(item)
        return self._value(self._pick(CLASSES.get(name, (name,))), depth)

    def _value(self, kind: str, depth: int) -> str:
        """An expression of a simple type: a literal, or a call that gives the type."""
        calls = self._scalar.get(kind)
        if depth > 0 and calls and self._random.random() < 0.35:
            return self._called(self._pick(calls), depth - 1)
        return self._pick(LITERALS.get(kind, LITERALS["varchar"]))

    def _array(self, item: str) -> str:
        return f"ARRAY[{', '.join(self._value(item, 0) for _ in range(self._random.randint(1, 4)))}]"

    def _map(self, item: str) -> str:
        keys = self._random.sample(["'a'", "'b'", "'c'", "'d'"], self._random.randint(1, 3))
        return f"MAP(ARRAY[{', '.join(keys)}], ARRAY[{', '.join(self._value(item, 0) for _ in keys)}])"

    def _rows(self, columns: list[list[str]]) -> str:
        """A relation of these columns, with a running number before them."""
        names = ", ".join(["o", *(f"x{at}" for at in range(len(columns)))])
        rows = ", ".join(f"({', '.join([str(at), *values])})" for at, values in enumerate(zip(*columns, strict=True)))
        return f"(VALUES {rows}) AS t({names})"

    def _columns(self, signature: Signature) -> list[list[str]]:
        item = self._pick(_SIMPLE)
        kinds = [item if name == "any" else self._pick(CLASSES.get(name, (name,))) for name in signature.arguments]
        count = self._random.randint(1, 5)
        return [[self._value(kind, 0) for _ in range(count)] for kind in kinds] or [["1"] * count]

    def _aggregate(self, signature: Signature) -> str:
        columns = self._columns(signature)
        given = ", ".join(f"x{at}" for at in range(len(signature.arguments))) or "*"
        order = " ORDER BY o" if signature.name == "array_agg" else ""
        distinct = "DISTINCT " if signature.name in {"count", "sum"} and given == "x0" and self._pick((0, 1)) else ""
        where = " FILTER (WHERE o > 0)" if self._random.random() < 0.2 else ""
        return f"(SELECT {signature.name}({distinct}{given}{order}){where} FROM {self._rows(columns)})"

    def _window(self, signature: Signature) -> str:
        columns = self._columns(signature)
        given = ["x0" if name == "any" else str(self._random.randint(1, 3)) for name in signature.arguments]
        partition = self._pick(("", "PARTITION BY o % 2 "))
        frame = self._pick(("", "", " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING"))
        call = f"{signature.name}({', '.join(given[:2])}) OVER ({partition}ORDER BY o{frame if given else ''})"
        inner = f"SELECT o, {call} AS r FROM {self._rows(columns[:1])}"
        return f"(SELECT array_agg(r ORDER BY o) FROM ({inner}) AS u)"

    # Forms of the language

    def _arithmetic(self) -> str:
        left, right = (self._value(self._pick(_NUMBERS), 1) for _ in range(2))
        return f"({left}) {self._pick('+-*/%')} ({right})"

    def _comparison(self) -> str:
        kind = self._pick(_SIMPLE)
        left, right, third = (self._value(kind, 1) for _ in range(3))
        operator = self._pick(("=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "BETWEEN"))
        tail = f" AND ({third})" if operator == "BETWEEN" else ""
        return f"({left}) {operator} ({right}){tail}"

    def _cast(self) -> str:
        word = self._pick(("CAST", "TRY_CAST"))
        return f"{word}({self._value(self._pick(_SIMPLE), 1)} AS {self._pick(_TARGETS)})"

    def _case(self) -> str:
        kind = self._pick(_SIMPLE)
        condition, one, two = self._value("boolean", 1), self._value(kind, 1), self._value(kind, 1)
        return self._pick(
            (f"CASE WHEN {condition} THEN {one} ELSE {two} END", f"if({condition}, {one}, {two})", f"TRY({one})")
        )

    def _lambda(self) -> str:
        numbers, texts = self._array(self._pick(("integer", "double", "decimal"))), self._array("varchar")
        return self._pick(
            (
                f"transform({numbers}, x -> x * 2)",
                f"transform({texts}, x -> length(x))",
                f"filter({numbers}, x -> x > 1)",
                f"any_match({texts}, x -> x = 'a')",
                f"all_match({numbers}, x -> x IS NOT NULL)",
                f"none_match({numbers}, x -> x < 0)",
                f"reduce({self._array('integer')}, BIGINT '0', (s, x) -> s + x, s -> s)",
                f"zip_with({numbers}, {texts}, (x, y) -> concat(CAST(x AS varchar), y))",
                f"map_filter({self._map('integer')}, (k, v) -> v > 0)",
                f"transform_values({self._map('double')}, (k, v) -> v + 1)",
                f"transform_keys({self._map('integer')}, (k, v) -> upper(k))",
            )
        )

    def _subscript(self) -> str:
        item = self._pick(_SIMPLE)
        at = self._random.randint(-1, 4)
        return self._pick(
            (
                f"{self._array(item)}[{at}]",
                f"{self._map(item)}['{self._pick('abx')}']",
                f"ROW({self._value(item, 0)}, 1)[{self._pick((1, 2))}]",
                f"CAST(ROW({self._value(item, 0)}, 'q') AS ROW(a varchar, b varchar)).b",
            )
        )

    def _membership(self) -> str:
        kind = self._pick(_SIMPLE)
        listed = ", ".join(self._value(kind, 0) for _ in range(self._random.randint(1, 4)))
        return f"({self._value(kind, 1)}) {self._pick(('IN', 'NOT IN'))} ({listed})"

    def _like(self) -> str:
        pattern = self._pick(("a%", "%a%", "_", "%", "", "A_%", "%\\_%", "ä%"))
        escape = self._pick(("", " ESCAPE '\\'"))
        return f"({self._value('varchar', 1)}) {self._pick(('LIKE', 'NOT LIKE'))} {_quoted(pattern)}{escape}"

    def _moved(self) -> str:
        moment = self._value(self._pick(CLASSES["moment"]), 1)
        span = self._value(self._pick(CLASSES["interval"]), 0)
        other = self._value(self._pick(CLASSES["moment"]), 0)
        return self._pick((f"({moment}) + {span}", f"({moment}) - {span}", f"({moment}) - ({other})", f"{span} * 2"))

    def _at_zone(self) -> str:
        return f"({self._value(self._pick(CLASSES['clock']), 1)}) AT TIME ZONE {_quoted(self._pick(TEXTS['zone']))}"

    def _joined(self) -> str:
        kind = self._pick(("varchar", "varchar", "varbinary"))
        return f"({self._value(kind, 1)}) || ({self._value(kind, 1)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
