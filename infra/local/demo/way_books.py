"""The books of what one way brought in: what was sent, against what the pipeline has judged and curated of it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from infra.local.demo.lake_figures import arrival_hours
from infra.local.deploy.stacks import DeployError
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError
from infra.local.servers.patience import wait_while_it_moves
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.hours import Hour, partition_predicate

_ENDPOINT = "AWS_ENDPOINT_URL"


@dataclass(frozen=True)
class WayBooks:
    """Readings of some devices: by outcome, as judged; rows, duplicates and conflicts, as curated."""

    judged: dict[str, int] = field(default_factory=dict)
    curated: int = 0
    duplicates: int = 0
    conflicts: int = 0

    @property
    def received(self) -> int:
        """All that was judged."""
        return sum(self.judged.values())

    @property
    def is_curated(self) -> bool:
        """Whether each valid reading is a row, a duplicate or a conflict."""
        return self.judged.get("valid", 0) == self.curated + self.duplicates + self.conflicts

    def __str__(self) -> str:
        """As people read it while they wait, and at the end."""
        valid = self.judged.get("valid", 0)
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(self.judged.items()) if reason != "valid")
        return (
            f"{self.received:,} judged = {valid:,} valid + {self.received - valid:,} quarantined ({reasons or 0}); "
            f"{valid:,} valid: {self.curated:,} curated + {self.duplicates:,} duplicates + {self.conflicts:,} conflicts"
        )


def books_of(athena: Athena, devices: Sequence[str], arrivals: Sequence[Hour], events: Sequence[Hour]) -> WayBooks:
    """What the lake holds of these devices, of what arrived in some hours and of what was measured in some."""
    named = _quoted(devices)
    judged = athena.run(
        f"SELECT outcome, count(*) FROM judged_telemetry WHERE {partition_predicate(arrivals)} "
        f"AND device_id IN ({named}) GROUP BY outcome"
    ).rows
    (curated,) = athena.run(
        "SELECT count(*), coalesce(sum(duplicates), 0), coalesce(sum(conflicts), 0) FROM curated_telemetry "
        f"WHERE {partition_predicate(events)} AND device_id IN ({named})"
    ).rows
    return WayBooks({row[0]: int(row[1]) for row in judged}, *map(int, curated))


def raw_readings(athena: Athena, devices: Sequence[str], arrivals: Sequence[Hour]) -> int:
    """How many readings of these devices are in the raw zone, of what arrived in some hours."""
    found = athena.run(
        f"SELECT coalesce(sum(cardinality(readings)), 0) FROM raw_telemetry WHERE {partition_predicate(arrivals)} "
        f"AND iot_device IN ({_quoted(devices)})"
    ).rows
    return int(found[0][0])


def run_module(module: str, *arguments: str) -> None:
    """Run a command of the product's, as a person would. Raises LocalError where it ends with another code than 0."""
    code = subprocess.run([sys.executable, "-m", module, *arguments], cwd=CHECKOUT, check=False).returncode
    if code:
        raise LocalError(f"`python -m {module} {' '.join(arguments)}` ended with exit code {code}")


def wait_for_books(
    devices: Sequence[str], expected: int, arrivals: Callable[[], Sequence[Hour]], since: datetime, console: Console
) -> bool:
    """Wait until so many readings of the devices are in raw, judged, and curated where valid, and print the books.

    `since` is before the first of the readings. Dagster, which builds every other minute in `make up`, does the work.
    False unless exactly so many were judged. Raises LocalError if nothing comes any more.
    """
    athena = open_lake().athena
    landed = wait_while_it_moves(
        f"{expected:,} readings in the raw zone",
        lambda: raw_readings(athena, devices, arrivals()),
        lambda found: found >= expected,
        pause_seconds=1.0,
    )
    console.print(
        f"{landed:,} readings are in the raw zone; Dagster judges and curates them within some minutes", soft_wrap=True
    )
    found = wait_while_it_moves(
        f"{expected:,} readings in judged and curated hours",
        lambda: books_of(athena, devices, arrivals(), arrival_hours(since)),
        lambda books: books.received >= expected and books.is_curated,
        pause_seconds=3.0,
    )
    console.print(f"{expected:,} readings were sent. {found}", soft_wrap=True)
    if found.received != expected:
        console.print(f"error: expected {expected:,} readings, judged were {found.received:,}")
    return found.received == expected


def _quoted(devices: Sequence[str]) -> str:
    return ", ".join(f"'{device}'" for device in devices)


@contextmanager
def on_local_aws() -> Iterator[None]:
    """Ends in one line and exit code 2 where the local AWS does not run, stalls, or its environment was not read."""
    how = "start the local AWS (`make up`), and read its environment: set -a; . ./.env"
    if _ENDPOINT not in os.environ:
        print(f"error: {_ENDPOINT} is not set; {how}", file=sys.stderr)
        sys.exit(2)
    try:
        # Asked first, so that it is this line that says what is missing, and not each command by itself.
        boto3.client("sts", config=Config(retries={"total_max_attempts": 1})).get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        print(f"error: {error}; {how}", file=sys.stderr)
        sys.exit(2)
    try:
        yield
    except (DeployError, LocalError, ClientError, BotoCoreError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
