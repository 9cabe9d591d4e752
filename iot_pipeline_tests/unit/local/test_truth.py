"""`make truth` without its Trino: which expressions it makes, and when it calls two answers different."""

import pytest

from infra.local.athena.sql.typed.signatures import all_signatures
from iot_pipeline_tests.truth.comparison import Answer, Tally, Verdict, verdict
from iot_pipeline_tests.truth.expressions import Expressions


def made(seed: int, count: int) -> list[str]:
    expressions = Expressions(seed)
    return [expressions.next() for _ in range(count)]


def test_a_seed_gives_the_same_expressions() -> None:
    assert made(1, 200) == made(1, 200)
    assert made(1, 200) != made(2, 200)


def test_every_function_that_is_claimed_is_tried() -> None:
    untried = {"approx_percentile", "approx_distinct", "checksum", "now", "current_timezone", "grouping"}
    text = " ".join(made(1, 10_000))
    assert [s.name for s in all_signatures() if s.name not in untried and f"{s.name}(" not in text] == []


@pytest.mark.parametrize(
    ("statement", "ours", "trino", "expected"),
    [
        ("1", [("1",)], [("1",)], Verdict.SAME),
        ("1", [("1",)], [("2",)], Verdict.DIFFERENT),
        ("1", [("1",)], [(None,)], Verdict.DIFFERENT),
        ("1", [("1",)], [("1",), ("1",)], Verdict.DIFFERENT),
        ("1", [("1",)], "TYPE_MISMATCH: no", Verdict.DIFFERENT),
        ("1", "NOT_SUPPORTED_LOCALLY: it", [("1",)], Verdict.REFUSED),
        ("1", "TYPE_MISMATCH: no", "DIVISION_BY_ZERO: no", Verdict.BOTH_FAIL),
        ("1", "TYPE_MISMATCH: no", [("1",)], Verdict.STRICTER),
        ("1", "GENERIC_INTERNAL_ERROR: oh", [("1",)], Verdict.UNCLEAR),
        ("1", "TYPE_MISMATCH: trino_must(x)", "TYPE_MISMATCH: no", Verdict.UNCLEAR),
        ("exp(1)", [("2.718281828459045",)], [("2.7182818284590455",)], Verdict.NEARLY),
        ("exp(1)", [("2.718281828459045",)], [("2.7182818",)], Verdict.DIFFERENT),
        ("1 + 1", [("2.718281828459045",)], [("2.7182818284590455",)], Verdict.DIFFERENT),
        ("map_agg(a, b)", [("{a=1, b=2}",)], [("{b=2, a=1}",)], Verdict.NEARLY),
        ("array_agg(a)", [("[1, 2]",)], [("[2, 1]",)], Verdict.DIFFERENT),
        ("date_add(x)", [("-0761-04-30 00:00:00.001",)], [("-0761-04-30 00:00:0.0.001",)], Verdict.NO_ANSWER),
    ],
)
def test_verdicts(statement: str, ours: Answer, trino: Answer, expected: Verdict) -> None:
    assert verdict(statement, ours, trino) is expected


def test_what_is_different_is_kept_to_be_read() -> None:
    tally = Tally()
    answers: list[Answer] = [[("1",)], [("2",)]]
    for ours in answers:
        tally.add("1", ours, [("1",)])
    assert tally.counts == {Verdict.SAME: 1, Verdict.DIFFERENT: 1}
    assert tally.faults == ["silently different: 1\n    here:  2\n    Trino: 1"]
