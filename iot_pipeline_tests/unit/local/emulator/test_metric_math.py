"""Math on metrics, held to the examples of CloudWatch's guide, "Using math expressions with CloudWatch metrics"."""

import pytest

from infra.local.emulator.metric_math import MetricMathError, Series, Span, evaluate

MISSING = None


def series(*values: float | None) -> Series:
    return {60 * at: float(value) for at, value in enumerate(values) if value is not None}


GUIDE = {
    "metric1": series(30, 20, 0, 0),
    "metric2": series(20, MISSING, 20, MISSING),
    "condition": series(1, 1, 0, 0, MISSING),
    "then": series(30, MISSING, 0, 0, 30),
    "other": series(0, 0, 20, MISSING, 20),
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("metric1 < metric2", series(0, 0, 1, 0)),
        ("metric1 >= 30", series(1, 0, 0, 0)),
        ("IF(condition, then, other)", series(30, 0, 20, MISSING, MISSING)),
        ("IF(condition, 5, other)", series(5, 5, 20, MISSING, MISSING)),
        ("IF(metric1 < 25, 10, 2)", series(2, 10, 10, 10)),
        # What is missing counts as 0, and what would divide by zero is dropped.
        ("metric1 + metric2", series(50, 20, 20, 0)),
        ("metric1 / metric2", series(1.5, MISSING, 0, MISSING)),
        ("-metric2", series(-20, MISSING, -20, MISSING)),
        # A number of a series is allowed within an expression.
        ("metric1 - AVG(metric1)", series(17.5, 7.5, -12.5, -12.5)),
        ("MAX(metric1) / metric1", series(1, 1.5, MISSING, MISSING)),
        ("metric2 * 0 + SUM(metric2) - MIN(metric2)", series(20, MISSING, 20, MISSING)),
        ("FILL(metric2, 7)", series(20, 7, 20, 7, 7)),
    ],
)
def test_an_expression_has_the_guides_value(expression: str, expected: Series) -> None:
    assert evaluate(expression, GUIDE, Span(0, 300, 60)) == expected


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("AVG(metric1)", "must be a time series"),
        ("100", "must be a time series"),
        ("metric3 + 1", "no metric or expression has the id 'metric3'"),
        ("metric1 ^ 2", "is not computed here"),
        ("metric1 && metric2", "is not computed here"),
        ("metric1 > 1 AND metric2 > 1", "is not computed here"),
        ("RATE(metric1)", "RATE of these 1 arguments is not computed here"),
        ("FILL(metric1, REPEAT)", "no metric or expression has the id 'REPEAT'"),
        ("SUM(METRICS())", "METRICS of these 0 arguments is not computed here"),
        ("IF(condition, then, 5)", "the guide's example contradicts it"),
        ("metric1 < metric2 < 3", "is not computed here"),
        ("metric1.real", "is not computed here"),
        ("__import__('os')", "is not computed here"),
        ("SELECT MAX(x) FROM y", "is not computed here"),
        ("", "is not computed here"),
        ("(" * 1_000, "is not computed here"),
        ("metric1\0", "is not computed here"),
        ("1" * 3_000, "at most 2048 are allowed"),
    ],
)
def test_what_is_not_computed_is_refused_by_name(expression: str, said: str) -> None:
    with pytest.raises(MetricMathError, match=said.replace("(", r"\(")):
        evaluate(expression, GUIDE, Span(0, 300, 60))


def test_a_series_is_filled_in_its_whole_span() -> None:
    assert evaluate("FILL(m, 0)", {"m": {}}, Span(90, 240, 60)) == {60: 0, 120: 0, 180: 0}
