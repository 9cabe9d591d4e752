"""Runs the detector and those it is compared with over a corpus, and scores them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from iot_pipeline.alerting import detector
from iot_pipeline.alerting.nab import baselines, scoring
from iot_pipeline.alerting.nab.corpus import Series
from iot_pipeline.alerting.nab.scoring import Outcome, Row

OURS = "detector"
Scores = list[float]


@dataclass(frozen=True)
class Result:
    """What one detector made of a corpus: its scores by series, and how they do at its best threshold."""

    name: str
    scores: Mapping[str, Scores]
    rows: Mapping[str, Sequence[Row]]
    windows: int
    best: Outcome
    seconds: float

    def outcome(self, series: str, threshold: float) -> Outcome:
        """The outcome of one series at a threshold."""
        return scoring.at_threshold(self.rows[series], threshold)

    def left_out(self) -> float:
        """The score of the whole corpus if each series is scored at the threshold that is best for all the others."""
        total = 0.0
        for name, own in self.rows.items():
            others = (row for other, rows in self.rows.items() if other != name for row in rows)
            total += scoring.at_threshold(own, scoring.optimum(scoring.sweep(others)).threshold).score
        return scoring.normalised(total, self.windows, scoring.reachable(self._all()))

    def normalised(self, threshold: float) -> float:
        """The score of the whole corpus at a threshold, from 0 to 100."""
        rows = self._all()
        reachable = scoring.reachable(rows)
        return scoring.normalised(scoring.at_threshold(rows, threshold).score, self.windows, reachable)

    def _all(self) -> list[Row]:
        return [row for of_series in self.rows.values() for row in of_series]


def ours(series: Series) -> Scores:
    """The scores of the product's detector, which gets the rows one by one."""
    state = detector.new_state()
    return [detector.update(state, at, value) for at, value in zip(series.times, series.values, strict=True)]


def detectors() -> dict[str, Callable[[Series], Scores]]:
    """All detectors that can run here, by name; the product's is the first."""
    found = {OURS: ours, "gaussian": baselines.windowed_gaussian}
    if baselines.has_library():
        found["trees"] = baselines.half_space_trees
    return {**found, "random": baselines.uniform, "null": baselines.null}


def run(name: str, detect: Callable[[Series], Scores], corpus: Sequence[Series]) -> Result:
    """Run a detector over all series, each anew, and find the threshold that is best for all of them together."""
    began = time.perf_counter()
    scores = {series.name: detect(series) for series in corpus}
    seconds = time.perf_counter() - began
    rows = {series.name: scoring.weigh(series, scores[series.name]) for series in corpus}
    best = scoring.optimum(scoring.sweep(row for of_series in rows.values() for row in of_series))
    return Result(name, scores, rows, sum(len(series.windows) for series in corpus), best, seconds)
