"""A line of the demo when a step begins and another when it ends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console


class Steps:
    """A line when a step begins and another when it ends."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started_at = datetime.now(UTC)
        self.count = 0

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        self.count += 1
        self.console.print(f"[bold]{self.count}. {what} ...[/]", soft_wrap=True)
        started = time.monotonic()
        yield
        self.console.print(f"   done in {time.monotonic() - started:.1f} s")
