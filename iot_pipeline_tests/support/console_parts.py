"""The console's parts for tests of some of them: what a test does not give is not opened."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import psycopg
from fastapi import Request

from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.console.audit import Audit
from iot_pipeline.console.live.sources import Live
from iot_pipeline.console.parts import Identity, Parts
from iot_pipeline.console.site_list import Sites
from iot_pipeline.console.store import Item, Store
from iot_pipeline.console.viewer import Viewer
from iot_pipeline.edge.state_store import StateStore


class Signed:
    """An identity whose viewer the test sets."""

    def __init__(self, viewer: Viewer | None = None) -> None:
        self.known = viewer

    def viewer(self, request: Request) -> Viewer | None:
        """The viewer that was set."""
        return self.known

    def check_csrf(self, request: Request) -> None:
        """Takes every change."""

    def csrf(self, request: Request) -> str:
        """None is needed."""
        return ""


class HeldStore(Store):
    """A table of items that lasts as long as a test."""

    def __init__(self) -> None:
        super().__init__(None, "")
        self.items: dict[tuple[str, str], Item] = {}

    def get(self, key: str, sort: str = "-") -> Item | None:
        """As in the table."""
        return self.items.get((key, sort))

    def put(self, key: str, sort: str, values: Mapping[str, Any], *, new: bool = False) -> None:
        """As in the table."""
        self.items[key, sort] = dict(values)


def _no_registry() -> AbstractContextManager[psycopg.Connection[Any]]:
    raise psycopg.OperationalError("this test has no registry")


def unopened(identity: Identity, **opened: Any) -> Parts:
    """Parts of which those are opened that a test gives."""
    store = Store(None, "")
    parts: dict[str, Any] = {
        "store": store,
        "audit": Audit(store),
        "live": Live(None, "", StateStore(None, "", ""), AlertsTable(None, "")),
        "sites": Sites(_no_registry),
        "queries": None,
        "health": None,
        "devices": None,
        "admin": None,
    }
    return Parts(identity=identity, **parts | opened)
