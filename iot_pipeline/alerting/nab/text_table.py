"""The comparison as a table for a terminal."""

from collections.abc import Sequence

from iot_pipeline.alerting.detector import ALERT_SCORE
from iot_pipeline.alerting.nab import scoring
from iot_pipeline.alerting.nab.comparison import OURS, Result
from iot_pipeline.alerting.nab.corpus import Series

_LEGEND = """\
found: windows with a detection, of all; false: detected rows outside windows; raw: NAB's score, at most the windows.
`detector` is the product's, at the threshold that is best for all series together, and at the one of production.
The others are at their own best threshold, and show their raw score."""


def table(corpus: Sequence[Series], results: Sequence[Result]) -> str:
    """All series in rows, all detectors in columns; the last rows are the threshold and the normalised score."""
    own, others = results[0], results[1:]
    best = own.best.threshold
    head = ["series", "rows", f"{OURS}: found", "false", "raw", f"at {ALERT_SCORE}: found", "false", "raw"]
    lines = [[*head, *(result.name for result in others)]]
    for series in corpus:
        cells = [series.name, str(len(series.times))]
        cells += _cells(series, own, best) + _cells(series, own, ALERT_SCORE)
        cells += [f"{result.outcome(series.name, result.best.threshold).score:.2f}" for result in others]
        lines.append(cells)
    thresholds = ["threshold", "", "", "", f"{best:.4f}", "", "", f"{ALERT_SCORE:.4f}"]
    lines.append(thresholds + [f"{result.best.threshold:.4f}" for result in others])
    scores = ["NAB standard", "", "", "", f"{own.normalised(best):.1f}", "", "", f"{own.normalised(ALERT_SCORE):.1f}"]
    lines.append(scores + [f"{result.normalised(result.best.threshold):.1f}" for result in others])
    return f"{_aligned(lines)}\n{_LEGEND}"


def _cells(series: Series, result: Result, threshold: float) -> list[str]:
    outcome = result.outcome(series.name, threshold)
    return [f"{found(series, result, threshold)}/{len(series.windows)}", str(outcome.fp), f"{outcome.score:.2f}"]


def found(series: Series, result: Result, threshold: float) -> int:
    """How many windows of a series have a row that reaches the threshold, after probation."""
    begin = scoring.probation_rows(len(series.times))
    scores = result.scores[series.name]
    return sum(
        any(score >= threshold for score in scores[max(window.first, begin) : window.last + 1])
        for window in series.windows
    )


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    )
