"""A page with a picture of each series: its values, its windows, the detector's scores and alerts. Plain SVG."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape

from iot_pipeline.alerting.detector import ALERT_SCORE
from iot_pipeline.alerting.nab import scoring
from iot_pipeline.alerting.nab.comparison import Result
from iot_pipeline.alerting.nab.corpus import Series
from iot_pipeline.alerting.nab.text_table import found

WIDTH, VALUES_HEIGHT, SCORES_HEIGHT = 1200, 150, 50
_COLUMNS = WIDTH
_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1240px; padding: 0 1em; color: #1b1f24 }
svg { display: block; width: 100%; height: auto; background: #fff; border: 1px solid #d0d7de }
h2 { font-size: 1em; margin: 1.8em 0 .1em } p { margin: .1em 0 .4em; color: #57606a }
.probation { fill: #eaeef2 } .window { fill: #ffd8d3 } .values { fill: none; stroke: #0550ae; stroke-width: 1 }
.score { stroke: #57606a; stroke-width: 1 } .hit { stroke: #1a7f37; stroke-width: 2 }
.miss { stroke: #cf222e; stroke-width: 2 } .limit { stroke: #8c959f; stroke-dasharray: 4 4 }
"""


def page(corpus: Sequence[Series], result: Result) -> str:
    """The whole page, as HTML that refers to nothing outside it."""
    best = result.best.threshold
    body = "\n".join(_section(series, result) for series in corpus)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>The detector on NAB's series</title><style>{_STYLE}</style></head>
<body><h1>The detector on NAB's series</h1>
<p>NAB standard {result.normalised(best):.1f} at the threshold {best:.4f}, which is best for these series together;
{result.normalised(ALERT_SCORE):.1f} at {ALERT_SCORE}, which these pictures show.</p>
<p>Grey: the rows that are not scored. Red ground: a labelled window. Below the values: the score of each row from 0
to 1, and the threshold. A green line is an alert within a window, a red one an alert outside.</p>
{body}
</body></html>
"""


def _section(series: Series, result: Result) -> str:
    outcome = result.outcome(series.name, ALERT_SCORE)
    detected = found(series, result, ALERT_SCORE)
    text = (
        f"{len(series.times):,} rows, {_day(min(series.times))} to {_day(max(series.times))}; values from "
        f"{min(series.values):g} to {max(series.values):g}. {detected} of {len(series.windows)} windows found, "
        f"{outcome.fp} false alerts, raw score {outcome.score:.2f}."
    )
    return f"<h2>{escape(series.name)}</h2><p>{text}</p>\n{_picture(series, result.scores[series.name])}"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def _picture(series: Series, scores: Sequence[float]) -> str:
    parts = [
        *_grounds(series),
        f'<polyline class="values" points="{_values(series.values)}"/>',
        *_scores(scores),
        *_alerts(series, scores),
    ]
    inside = "\n".join(parts)
    height = VALUES_HEIGHT + SCORES_HEIGHT
    label = f"{escape(series.name)}: values, windows, scores and alerts"
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">\n{inside}\n</svg>'


def _x(row: float, rows: int) -> float:
    return row / rows * WIDTH


def _grounds(series: Series) -> Iterator[str]:
    rows, height = len(series.times), VALUES_HEIGHT + SCORES_HEIGHT
    probation = _x(scoring.probation_rows(rows), rows)
    yield f'<rect class="probation" x="0" y="0" width="{probation:.1f}" height="{height}"/>'
    for window in series.windows:
        width = _x(window.rows, rows)
        yield f'<rect class="window" x="{_x(window.first, rows):.1f}" y="0" width="{width:.1f}" height="{height}"/>'


def _values(values: Sequence[float]) -> str:
    """The line through the lowest and the highest value of each column of the picture."""
    lowest, highest = min(values), max(values)
    scale = (VALUES_HEIGHT - 10) / ((highest - lowest) or 1.0)
    points = []
    for begin, end in _columns(len(values)):
        x = _x(begin, len(values))
        part = values[begin:end]
        extremes = dict.fromkeys((min(part), max(part)))
        points += [f"{x:.1f},{VALUES_HEIGHT - 5 - (value - lowest) * scale:.1f}" for value in extremes]
    return " ".join(points)


def _scores(scores: Sequence[float]) -> Iterator[str]:
    bottom = VALUES_HEIGHT + SCORES_HEIGHT
    limit = bottom - ALERT_SCORE * SCORES_HEIGHT
    path = []
    for begin, end in _columns(len(scores)):
        if highest := max(scores[begin:end]):
            path.append(f"M{_x(begin, len(scores)):.1f} {bottom}V{bottom - highest * SCORES_HEIGHT:.1f}")
    yield f'<path class="score" d="{"".join(path)}"/>'
    yield f'<line class="limit" x1="0" x2="{WIDTH}" y1="{limit:.1f}" y2="{limit:.1f}"/>'


def _alerts(series: Series, scores: Sequence[float]) -> Iterator[str]:
    rows = len(scores)
    for row in range(scoring.probation_rows(rows), rows):
        if scores[row] >= ALERT_SCORE:
            kind = "hit" if any(window.first <= row <= window.last for window in series.windows) else "miss"
            x = _x(row, rows)
            yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{VALUES_HEIGHT}" y2="{VALUES_HEIGHT - 18}"/>'


def _columns(rows: int) -> Iterator[tuple[int, int]]:
    step = max(1, rows // _COLUMNS)
    return ((begin, min(begin + step, rows)) for begin in range(0, rows, step))
