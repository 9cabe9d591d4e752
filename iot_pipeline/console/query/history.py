"""Each viewer's executions and saved queries, in the console's table: whose they are follows from the key alone."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from iot_pipeline.console.store import Store
from iot_pipeline.console.viewer import Viewer

# Results are kept for a week (the bucket of results); that somebody asked, a little longer.
KEPT = timedelta(days=30)
ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})


@dataclass(frozen=True)
class Execution:
    """One query of a viewer, as it was last seen. `id` is ours, and sorts by time; `athena_id` is Athena's.

    `scanned` and `milliseconds` are Athena's word once it has ended, `estimated` was ours before.
    """

    id: str
    athena_id: str
    sql: str
    submitted: datetime
    workgroup: str
    estimated: int
    row_limit: int
    limited: bool
    state: str = "QUEUED"
    scanned: int | None = None
    milliseconds: int | None = None
    failure: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ENDED

    @property
    def counted(self) -> int:
        """The bytes that count to the day: what was scanned, and until that is known what was estimated."""
        return self.estimated if self.scanned is None else self.scanned

    def item(self) -> dict[str, Any]:
        """As the table keeps it."""
        kept = {name: value for name, value in vars(self).items() if value is not None and name != "id"}
        return kept | {"submitted": self.submitted.isoformat(), "expires": int((self.submitted + KEPT).timestamp())}

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Self:
        """From an item of the table."""
        numbers = {name: int(item[name]) for name in ("scanned", "milliseconds") if name in item}
        return cls(
            id=item["sort"],
            athena_id=item["athena_id"],
            sql=item["sql"],
            submitted=datetime.fromisoformat(item["submitted"]),
            workgroup=item["workgroup"],
            estimated=int(item["estimated"]),
            row_limit=int(item["row_limit"]),
            limited=bool(item["limited"]),
            state=item["state"],
            failure=item.get("failure"),
            **numbers,
        )


@dataclass(frozen=True)
class SavedQuery:
    """A query that a viewer keeps under a name."""

    name: str
    sql: str
    saved: datetime


@dataclass(frozen=True)
class History:
    """Reads and writes what viewers asked and keep."""

    store: Store

    def add(self, viewer: Viewer, execution: Execution) -> None:
        """Note a new execution."""
        self.store.put(_executions(viewer), execution.id, execution.item(), new=True)

    def update(self, viewer: Viewer, execution: Execution, **changes: Any) -> Execution:
        """Note what became of one; it as it is then."""
        changed = replace(execution, **changes)
        self.store.put(_executions(viewer), changed.id, changed.item())
        return changed

    def get(self, viewer: Viewer, execution_id: str) -> Execution | None:
        """One of the viewer's own executions; None for another's as for one that never was."""
        item = self.store.get(_executions(viewer), execution_id)
        return Execution.of(item) if item else None

    def latest(self, viewer: Viewer, limit: int | None = None) -> Iterator[Execution]:
        """The viewer's executions, the newest first."""
        return map(Execution.of, self.store.below(_executions(viewer), newest_first=True, limit=limit))

    def save(self, viewer: Viewer, name: str, sql: str, now: datetime) -> SavedQuery:
        """Keep a query under a name, in place of one that was kept there."""
        self.store.put(_saved(viewer), name, {"sql": sql, "saved": now.isoformat()})
        return SavedQuery(name, sql, now)

    def saved(self, viewer: Viewer) -> list[SavedQuery]:
        """What the viewer keeps, by name."""
        found = self.store.below(_saved(viewer))
        return [SavedQuery(it["sort"], it["sql"], datetime.fromisoformat(it["saved"])) for it in found]

    def forget(self, viewer: Viewer, name: str) -> None:
        """Keep a query no longer."""
        self.store.remove(_saved(viewer), name)


def new_id(now: datetime) -> str:
    """An id that sorts by time."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}-{uuid.uuid4().hex[:12]}"


def _executions(viewer: Viewer) -> str:
    return f"query#{_owner(viewer)}"


def _saved(viewer: Viewer) -> str:
    return f"saved-query#{_owner(viewer)}"


def _owner(viewer: Viewer) -> str:
    """Names are unique within a tenant, and among the platform's own people."""
    return f"{viewer.tenant or ''}#{viewer.name}"
