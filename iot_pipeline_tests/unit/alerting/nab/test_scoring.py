"""NAB's scoring, against the numbers of NAB's own tests, and its two fixed points."""

import pytest

from iot_pipeline.alerting.nab import baselines, scoring
from iot_pipeline.alerting.nab.corpus import Series, Window
from iot_pipeline.alerting.nab.scoring import NOTHING, Outcome, Profile, Row

# Of tests/unit/scorer_test.py of github.com/numenta/NAB, commit 222ee20: the weights are arbitrary there.
ARBITRARY = Profile(true_positive=1.1, false_positive=0.11, false_negative=1.2)
HALF, WHOLE = 0.8482836399575131, 0.9866142981514305


def _series(rows: int, *windows: tuple[int, int]) -> Series:
    return Series("x", range(rows), [0.0] * rows, tuple(Window(first, last) for first, last in windows))


def _score(predictions: list[int], *windows: tuple[int, int], probation: float = 0.0) -> Outcome:
    series = _series(len(predictions), *windows)
    rows = scoring.weigh(series, [float(p) for p in predictions], ARBITRARY, probation)
    return scoring.at_threshold(rows, 0.5, ARBITRARY)


@pytest.mark.parametrize(
    ("predictions", "windows", "probation", "expected"),
    [
        ([0, 0, 0, 0, 0], [], 0.0, 0.0),  # testNull
        ([0, 1, 0, 1, 0], [], 0.0, -2.0 * 0.11),  # testFalsePositives
        ([0, 0, 0, 0, 0, 0, 0], [(1, 2), (4, 5)], 0.0, -2.0 * 1.2),  # testFalseNegatives
        ([0, 1, 0, 1, 0], [], 0.8, 0.0),  # testFalsePositivesInProbationary
        ([0, 1, 0, 1, 0], [], 0.6, -0.11),  # testFalsePositivesBeforeAndAfterProbationary
        ([0, 0, 1, 0, 0, 0, 0], [(1, 2)], 0.0, HALF * 1.1 / WHOLE),  # testTruePositives1
        ([0, 0, 1, 0, 0, 0, 0], [(1, 2), (4, 5)], 0.0, HALF * 1.1 / WHOLE - 1.2),  # testTruePositives1WithFN
        ([0, 0, 0, 0, 1, 0, 0], [(4, 5)], 0.0, 1.1),  # testTruePositives2
        ([0, 0, 0, 0, 1, 1, 0], [(4, 5)], 0.0, 1.1),  # testTruePositives3
        ([0, 0, 1, 0, 1, 0, 0], [(1, 2), (4, 5)], 0.0, HALF * 1.1 / WHOLE + 1.1),  # testTruePositivesMultiple
    ],
)
def test_a_series_scores_as_nab_says(
    predictions: list[int], windows: list[tuple[int, int]], probation: float, expected: float
) -> None:
    assert _score(predictions, *windows, probation=probation).score == pytest.approx(expected)


def test_all_counts_are_those_of_nab() -> None:
    """`testScoringAllMetrics` of tests/integration/scorer_test.py, commit 03ef06a, with all weights 1."""
    equal = Profile(1.0, 1.0, 1.0)
    scores = [0.0] * 100
    for row in (20, 21, 27):
        scores[row] = 1.0
    rows = scoring.weigh(_series(100, (20, 24), (60, 64)), scores, equal, 0.0)
    outcome = scoring.at_threshold(rows, 0.5, equal)
    assert outcome.score == pytest.approx(-0.9540, abs=5e-5)
    assert (outcome.tn, outcome.tp, outcome.fp, outcome.fn) == (89, 2, 1, 8)


def test_thresholds_are_swept_as_nab_does() -> None:
    """`testCalcScoreByThresholdReturnsExpectedScores` of tests/integration/sweeper_test.py, commit 1583864."""
    a, b = ("x", 0), ("x", 1)
    rows = [Row(0.0, -3, None), Row(0.2, 20, a), Row(0.3, 10, a), Row(0.5, 5, b), Row(0.5, -3, None)]
    assert scoring.sweep(rows, Profile(false_negative=5.0)) == [
        Outcome(NOTHING, -10.0, 0, 2, 0, 3),
        Outcome(0.5, 5 - 3 - 5.0, 1, 1, 1, 2),
        Outcome(0.3, 5 - 3 + 10, 2, 1, 1, 1),
        Outcome(0.2, 5 - 3 + 20, 3, 1, 1, 0),
        Outcome(0.0, 5 - 3 + 20 - 3, 3, 0, 2, 0),
    ]


@pytest.mark.parametrize(
    ("rows", "fraction", "expected"),
    [(100, 0.0, 0), (100, 1.0, 100), (100, 0.1, 10), (100, 0.15, 15), (5000, 0.1, 500), (6000, 0.1, 500)],
)
def test_probation_is_as_long_as_nab_says(rows: int, fraction: float, expected: int) -> None:
    """`testGetProbationaryLength` of the same file."""
    assert scoring.probation_rows(rows, fraction) == expected


def test_rows_in_windows_are_worth_something_and_all_others_cost() -> None:
    """`testCalcSweepScoreWindowScoreInteraction` of the same file."""
    rows = scoring.weigh(_series(100, (30, 39), (75, 95)), [1.0] * 100, probation=0.1)
    assert len(rows) == 90
    assert sum(row.window is not None for row in rows) == 10 + 21
    assert all((row.worth > 0) == (row.window is not None) for row in rows)


@pytest.mark.parametrize(
    ("position", "worth"), [(-1.0, 0.98661), (-0.5, 0.84828), (0.0, 0.0), (1.0, -0.98661), (3.1, -1.0), (1e9, -1.0)]
)
def test_the_sigmoid_is_the_published_one(position: float, worth: float) -> None:
    assert scoring.scaled_sigmoid(position) == pytest.approx(worth, abs=1e-5)


CORPUS = [_series(1000, (300, 400), (700, 750)), _series(500), _series(9000, (2000, 2100))]


def _normalised(detect: baselines.Baseline) -> float:
    named = [Series(str(i), s.times, s.values, s.windows) for i, s in enumerate(CORPUS)]
    rows = [row for series in named for row in scoring.weigh(series, detect(series))]
    return scoring.normalised(scoring.optimum(scoring.sweep(rows)).score, 3, scoring.reachable(rows))


def test_a_detector_that_says_nothing_has_0_and_a_perfect_one_100() -> None:
    assert _normalised(baselines.null) == 0.0
    assert _normalised(baselines.perfect) == pytest.approx(100.0)


def test_a_late_detection_is_worth_less() -> None:
    def late(series: Series) -> list[float]:
        lasts = {window.last for window in series.windows}
        return [float(i in lasts) for i in range(len(series.times))]

    assert 50.0 < _normalised(late) < 60.0


def test_one_threshold_is_for_all_series() -> None:
    quiet, loud = _series(100, (50, 60)), Series("loud", range(100), [0.0] * 100, (Window(50, 60),))
    rows = scoring.weigh(quiet, [0.1 + 0.1 * (i == 50) for i in range(100)])
    rows += scoring.weigh(loud, [0.6 + 0.1 * (i == 50) for i in range(100)])
    assert scoring.normalised(scoring.optimum(scoring.sweep(rows)).score, 2, 2) == pytest.approx(50.0)


def test_a_window_of_one_row_divides_by_nothing() -> None:
    outcome = _score([0, 0, 1, 1, 0, 0, 0, 0, 0, 1], (2, 2))
    assert outcome.score == pytest.approx(1.1 + 0.11 * (scoring.scaled_sigmoid(1.0) - 1.0))


def test_scores_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="x has 5 rows, and 4 scores"):
        scoring.weigh(_series(5), [0.0] * 4)


def test_without_windows_false_positives_still_count() -> None:
    assert scoring.normalised(0.0, 0, 0) == 0.0
    assert scoring.normalised(-0.22, 0, 0) == pytest.approx(-11.0)


def test_a_window_within_probation_cannot_be_missed_and_not_be_found() -> None:
    """NAB counts it for the perfect score alone."""
    rows = scoring.weigh(_series(1000, (10, 20), (500, 600)), [float(i in {10, 500}) for i in range(1000)])
    assert scoring.reachable(rows) == 1
    assert scoring.normalised(scoring.optimum(scoring.sweep(rows)).score, 2, 1) == pytest.approx(100 * 2 / 3)
