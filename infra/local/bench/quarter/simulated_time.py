"""A clock that a simulation sets, for all that this process does, and what of it no clock of ours can set.

Python's clock is set (time-machine), so that Dagster, its history and our code see the simulated time; it runs on
between two moves. The servers of the local AWS keep the real one. So requests are signed with the real time, since S3
refuses a request of another (RequestTimeTooSkewed), and every time that an answer of AWS carries (S3's LastModified,
Athena's SubmissionDateTime) is translated: what was written while the clock stood at some simulated time was written
at that time. PostgreSQL's clock stays the real one; nothing that is compared here rests on it.
"""

import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import botocore.auth
import time_machine
from botocore.client import BaseClient
from time_machine import escape_hatch

# LastModified has milliseconds: a move waits for the next, so that no object's time is before the move it followed.
_TICK_SECONDS = 0.002


@dataclass(frozen=True)
class Statement:
    """An ended statement of Athena: the bytes it scanned, and whether it wrote a table (the others look at some)."""

    scanned: int
    is_build: bool


class SimulatedTime:
    """The clock, while `running`; `statements` are what Athena said of each statement that succeeded, by its id."""

    def __init__(self, start: datetime) -> None:
        """`start` is aware."""
        self._coordinates: Any = None
        self._real: list[datetime] = []
        self._simulated: list[datetime] = []
        self._now = start
        self.statements: dict[str, Statement] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """The process is in simulated time; the second time it is from where the first one ended."""
        call = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's own, which the stubs leave out

        def translated(client: Any, operation: str, parameters: Any) -> Any:
            answer = self._translated(call(client, operation, parameters))
            if operation == "GetQueryExecution":
                self._count(answer["QueryExecution"])
            return answer

        traveller = time_machine.travel(self.of_real(datetime.now(UTC)) if self._real else self._now, tick=True)
        self._coordinates = traveller.start()
        try:
            with (
                patch.object(BaseClient, "_make_api_call", translated),
                patch.object(botocore.auth, "get_current_datetime", _signing_time),
            ):
                self._note(datetime.now(UTC))
                yield
        finally:
            self._now, self._coordinates = datetime.now(UTC), None
            traveller.stop()

    def resume(self) -> None:
        """What servers write from now on, they write where the clock stood when it last ran; it does not run yet."""
        self._real.append(datetime.now(UTC))
        self._simulated.append(self._now)

    def move_to(self, moment: datetime) -> None:
        """It is `moment` (aware) now. Raises ValueError for one that is over, since no clock goes back."""
        now = datetime.now(UTC)
        if self._real and moment < now:
            raise ValueError(f"the simulation is at {now:%Y-%m-%d %H:%M:%S}Z and cannot go back to {moment}")
        time.sleep(_TICK_SECONDS)
        self._coordinates.move_to(moment)
        self._note(moment)

    def _note(self, moment: datetime) -> None:
        self._real.append(_real_now())
        self._simulated.append(moment)

    def of_real(self, at: datetime) -> datetime:
        """The simulated time of a real one (aware). What was before the simulation keeps its distance to its start."""
        place = max(0, bisect_right(self._real, at) - 1)
        return self._simulated[place] + (at - self._real[place])

    def _translated(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return self.of_real(value if value.tzinfo else value.replace(tzinfo=UTC))
        if isinstance(value, dict):
            return {key: self._translated(each) for key, each in value.items()}
        return [self._translated(each) for each in value] if isinstance(value, list) else value

    def _count(self, execution: Any) -> None:
        if execution["Status"]["State"] == "SUCCEEDED":
            scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
            is_build = execution["Query"].lstrip().startswith("CREATE TABLE")
            self.statements[execution["QueryExecutionId"]] = Statement(scanned, is_build)


def _real_now() -> datetime:
    return escape_hatch.datetime.datetime.now(UTC)


def _signing_time(remove_tzinfo: bool = True) -> datetime:
    now = _real_now()
    return now.replace(tzinfo=None) if remove_tzinfo else now
