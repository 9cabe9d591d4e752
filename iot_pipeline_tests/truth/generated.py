"""Generated expressions against Trino."""

from collections.abc import Callable

from iot_pipeline_tests.truth.comparison import Answer, Tally
from iot_pipeline_tests.truth.engines import DuckDBAnswers, TrinoAnswers
from iot_pipeline_tests.truth.expressions import Expressions

TOGETHER = 20
"""Expressions in one of Trino's statements."""


def compared(duckdb: DuckDBAnswers, trino: TrinoAnswers, seed: int, count: int, told: Callable[[int], None]) -> Tally:
    """The verdicts of `count` different expressions; `told` is called with how many are done."""
    expressions, tally = Expressions(seed), Tally()
    seen: set[str] = set()
    waiting: list[tuple[str, Answer]] = []
    while len(seen) < count:
        expression = expressions.next()
        if expression in seen:
            continue
        seen.add(expression)
        ours = duckdb.answer(f"SELECT {expression}")
        if not isinstance(ours, str):
            waiting.append((expression, ours))
        elif ours.startswith("NOT_SUPPORTED_LOCALLY"):
            tally.add(expression, ours, [])
        else:
            tally.add(expression, ours, trino.answer(f"SELECT {expression}"))
        if len(waiting) == TOGETHER:
            _ask(trino, waiting, tally)
            told(len(seen))
    _ask(trino, waiting, tally)
    return tally


def _ask(trino: TrinoAnswers, waiting: list[tuple[str, Answer]], tally: Tally) -> None:
    answers = trino.values([expression for expression, _ in waiting]) if waiting else []
    for (expression, ours), theirs in zip(waiting, answers, strict=True):
        tally.add(expression, ours, theirs)
    waiting.clear()
