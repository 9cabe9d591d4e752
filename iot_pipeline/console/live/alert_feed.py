"""What changes with alerts, for all browsers by one reader: an index of the table answers, once a second."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.alerting.table import AlertsTable

POLL_SECONDS = 1.0
# The index follows the table within moments, and the writers' clocks are not ours: each look goes back this far.
OVERLAP_MS = 10_000
Episode = Mapping[str, Any]


class AlertFeed:
    """Follows the table of alerts in a thread of its own. `deliver` gets the episodes that have changed.

    The first look gives all that are open. `trouble` is told what fails, and None when it answers again.
    """

    def __init__(
        self,
        table: AlertsTable,
        deliver: Callable[[Sequence[Episode]], None],
        trouble: Callable[[str, str | None], None],
    ) -> None:
        self._table, self._deliver, self._trouble = table, deliver, trouble
        self._seen: dict[str, str] = {}
        self._since_ms: int | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="alerts", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End within moments."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(POLL_SECONDS * 5)

    def _follow(self) -> None:
        while not self._stopped.is_set():
            try:
                self._look()
                self._trouble("alerts", None)
            except (BotoCoreError, ClientError) as error:
                self._trouble("alerts", f"the table of alerts does not answer: {error}")
            self._stopped.wait(POLL_SECONDS)

    def _look(self) -> None:
        now_ms = int(time.time() * 1000)
        if self._since_ms is None:
            found = list(self._table.all_open())
        else:
            found = list(self._table.changed(self._since_ms - OVERLAP_MS, now_ms + OVERLAP_MS))
        news = [each for each in found if self._seen.get(each["id"]) != each["written_at"]]
        self._seen = {each["id"]: each["written_at"] for each in found}
        self._since_ms = now_ms
        if news:
            self._deliver(news)
