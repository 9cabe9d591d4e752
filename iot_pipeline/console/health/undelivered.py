"""What failed on the way for good, by source."""

from pydantic import BaseModel

from iot_pipeline.connections.edge import open_dead_letters
from iot_pipeline.console.dependencies import asking
from iot_pipeline.console.health.findings import Finding, State, several
from iot_pipeline.console.health.shared import Look
from iot_pipeline.edge.dead_letters import DeadLetters


class Letters(BaseModel):
    """How many there are of each source; of objects in S3 up to a thousand are counted."""

    counts: dict[str, int]


def open_look() -> Look:
    """Asks three queues and two folders; no message is received, so that none is hidden from who replays it."""
    letters = open_dead_letters()
    return lambda _: look(letters)


def look(letters: DeadLetters) -> Finding:
    """How many there are."""
    with asking("SQS or S3"):
        counts = letters.counts()
    total = sum(counts.values())
    if not total:
        return Finding(State.OK, "there are none", Letters(counts=counts))
    told = ", ".join(f"{count:,} of {source}" for source, count in counts.items() if count)
    words = f"{several(total, 'dead letter')} ({told}): see why, then replay (`python -m iot_pipeline.edge replay`)"
    return Finding(State.WARNING, words, Letters(counts=counts))
