"""Counting what a tick does: its calls to AWS, what they list, the bytes Athena scans, Python's function calls."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from unittest.mock import patch

from botocore.client import BaseClient

# What an answer lists, by the names that AWS gives to the lists.
_LISTS = ("Partitions", "Contents", "CommonPrefixes", "Messages", "TableList", "Successful")


@dataclass(frozen=True)
class Cost:
    """What a tick did."""

    NAMES: ClassVar = ("calls to AWS", "listed", "bytes scanned", "Python calls")

    aws_calls: int
    listed: int
    scanned: int
    python_calls: int
    cpu: float

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """The counts, in the order of their names."""
        return self.aws_calls, self.listed, self.scanned, self.python_calls


def measured(tick: Callable[[], object]) -> Cost:
    """Do a tick, and count. Athena's own calls, in its process, are not among those to AWS.

    Waiting for Athena is left out of both counts of calls, since how often it is asked depends on its speed.
    """
    counts = {"aws": 0, "listed": 0, "python": 0}
    scanned: dict[str, int] = {}
    real = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's own, which the stubs leave out

    def counted(client: Any, operation: str, parameters: Any) -> Any:
        profile = sys.getprofile()
        sys.setprofile(None)
        try:
            answer = real(client, operation, parameters)
        finally:
            sys.setprofile(profile)
        if operation == "GetQueryExecution":
            execution = answer["QueryExecution"]
            scanned[execution["QueryExecutionId"]] = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
        else:
            counts["aws"] += 1
        counts["listed"] += sum(len(answer.get(name) or ()) for name in _LISTS)
        return answer

    def profiled(_frame: Any, event: str, _argument: Any) -> None:
        counts["python"] += event == "call"

    with patch.object(BaseClient, "_make_api_call", counted):
        cpu = time.process_time()
        sys.setprofile(profiled)
        try:
            tick()
        finally:
            sys.setprofile(None)
        cpu = time.process_time() - cpu
    return Cost(counts["aws"], counts["listed"], sum(scanned.values()), counts["python"], cpu)
