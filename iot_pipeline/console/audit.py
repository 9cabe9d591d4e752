"""Who changed what, and why: kept for as long as the table keeps it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from iot_pipeline.console.store import Item, Store
from iot_pipeline.console.viewer import Viewer

KEPT = timedelta(days=400)


@dataclass(frozen=True)
class Audit:
    """Records changes by day (UTC), and gives them back."""

    store: Store

    def record(self, viewer: Viewer, action: str, subject: str, reason: str = "") -> None:
        """Note that a viewer did `action` (such as `acknowledge`) to `subject` (such as an episode's id)."""
        now = datetime.now(UTC)
        entry = {
            "at": now.isoformat(),
            "who": viewer.name,
            "role": viewer.role,
            "action": action,
            "subject": subject,
            "reason": reason,
            "expires": int((now + KEPT).timestamp()),
        }
        if viewer.tenant is not None:
            entry["tenant"] = viewer.tenant
        if viewer.key is not None:
            entry["api_key"] = viewer.key
        self.store.put(f"audit#{now:%Y-%m-%d}", f"{now:%H:%M:%S.%f}#{uuid.uuid4().hex[:8]}", entry, new=True)

    def of_day(self, day: date) -> Iterator[Item]:
        """What was changed on a day (UTC), the newest first."""
        return self.store.below(f"audit#{day:%Y-%m-%d}", newest_first=True)
