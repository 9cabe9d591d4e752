"""What two engines' answers to one statement are to each other."""

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from iot_pipeline_tests.truth.engines import Rows

Answer = Rows | str

# Their last digit is the C library's here and Java's there (docs/local-aws.md).
_C_LIBRARY = re.compile(
    r"\b(?:exp|power|pow|ln|log2|log10|log|sin|cos|tan|asin|acos|atan|atan2|cbrt|sqrt|radians|degrees|corr|stddev\w*|"
    r"variance|var_\w+|avg|sum|to_unixtime)\("
)
_ORDERLESS = re.compile(r"\b(?:map\w*|histogram|transform_keys|transform_values)\(", re.IGNORECASE)
_NEARLY = 1e-12
_FAR_YEAR = re.compile(r"(?<![\d.])[+-]\d{4,}-\d\d-\d\d ")
ENGINES_WORDS = re.compile(r"[Dd]uck[Dd][Bb]|[Cc]andidate|LINE 1:|trino_|GENERIC_INTERNAL_ERROR|explicit type cast")


class Verdict(StrEnum):
    """How an answer of the local Athena stands to Trino's."""

    SAME = "same value"
    NEARLY = "same but for the last digits of a double, or the order of a map"
    BOTH_FAIL = "both fail"
    NO_ANSWER = "Trino fails by a fault of its own"
    REFUSED = "refused by name"
    STRICTER = "fails in Trino's words where Trino answers"
    UNCLEAR = "refused, and not by name"
    DIFFERENT = "silently different"


def verdict(statement: str, ours: Answer, trino: Answer) -> Verdict:
    """Of one statement's two answers; texts are reasons of failure."""
    if isinstance(ours, str):
        if ours.startswith(("NOT_SUPPORTED_LOCALLY", "EXCEEDED_LOCAL_MEMORY_LIMIT")):
            return Verdict.REFUSED
        if ENGINES_WORDS.search(ours):
            return Verdict.UNCLEAR
        return Verdict.BOTH_FAIL if isinstance(trino, str) else Verdict.STRICTER
    if ours == trino:
        return Verdict.SAME
    if trino.startswith("GENERIC_INTERNAL_ERROR") if isinstance(trino, str) else _is_malformed(trino):
        return Verdict.NO_ANSWER
    return Verdict.NEARLY if not isinstance(trino, str) and _nearly(statement, ours, trino) else Verdict.DIFFERENT


def _is_malformed(trino: Rows) -> bool:
    """Whether Trino shows a moment before the year 0 or after 9999, whose clock it prints wrongly (0:0.0.001)."""
    return any(text and _FAR_YEAR.search(text) for row in trino for text in row)


def _nearly(statement: str, ours: Rows, trino: Rows) -> bool:
    if [len(row) for row in ours] != [len(row) for row in trino]:
        return False
    pairs = [pair for a, b in zip(ours, trino, strict=True) for pair in zip(a, b, strict=True)]
    return all(a == b or (a and b and (_close(statement, a, b) or _reordered(statement, a, b))) for a, b in pairs)


def _close(statement: str, a: str, b: str) -> bool:
    if not _C_LIBRARY.search(statement):
        return False
    if {a, b} <= {"NaN", "Infinity", "-Infinity"}:
        return True  # of sums that overflow on the way
    try:
        return math.isclose(float(a), float(b), rel_tol=_NEARLY, abs_tol=1e-300)
    except ValueError:
        return False


def _reordered(statement: str, a: str, b: str) -> bool:
    return bool(_ORDERLESS.search(statement)) and Counter(a) == Counter(b)


@dataclass
class Tally:
    """The verdicts of many statements, and what is to be looked at."""

    counts: Counter[Verdict] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def add(self, statement: str, ours: Answer, trino: Answer) -> None:
        """Count one statement."""
        found = verdict(statement, ours, trino)
        self.counts[found] += 1
        if found in {Verdict.DIFFERENT, Verdict.UNCLEAR}:
            self.faults.append(f"{found}: {statement}\n    here:  {_shown(ours)}\n    Trino: {_shown(trino)}")


def _shown(answer: Answer) -> str:
    if isinstance(answer, str):
        return answer[:300]
    return str(answer[0][0] if len(answer) == 1 and len(answer[0]) == 1 else answer)[:300]
