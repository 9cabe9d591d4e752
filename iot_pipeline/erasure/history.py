"""What Dagster has written of a subject, as the eraser asks for it. Who runs an erasure brings it."""

from collections.abc import Iterator
from typing import Protocol

from iot_pipeline.erasure.found import Found
from iot_pipeline.erasure.subject import Subject


class History(Protocol):
    """The history of an orchestrator's runs."""

    def found(self, subject: Subject) -> Iterator[Found]:
        """Where it mentions the subject."""
        ...

    def redact(self, subject: Subject) -> int:
        """Put a word in place of the subject's names; in how many texts."""
        ...


class NoHistory:
    """Where there is none."""

    def found(self, subject: Subject) -> Iterator[Found]:
        """Nothing."""
        del subject
        return iter(())

    def redact(self, subject: Subject) -> int:
        """Nothing."""
        del subject
        return 0
