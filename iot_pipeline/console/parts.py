"""What the routes work with, opened once."""

from dataclasses import dataclass
from typing import Protocol

from fastapi import Request

from iot_pipeline.console.admin.means import Admin
from iot_pipeline.console.audit import Audit
from iot_pipeline.console.devices.questions import Devices
from iot_pipeline.console.health.tiles import Health
from iot_pipeline.console.live.sources import Live
from iot_pipeline.console.query.executions import Executions
from iot_pipeline.console.site_list import Sites
from iot_pipeline.console.store import Store
from iot_pipeline.console.viewer import Viewer


class Identity(Protocol):
    """Tells who asks."""

    def viewer(self, request: Request) -> Viewer | None:
        """Who presents a session's cookie or an API key; None without either, or with a session that is over.

        Raises ProblemError for one that is expired, revoked or forged.
        """

    def check_csrf(self, request: Request) -> None:
        """Raises ProblemError unless a change carries the CSRF token of its session."""

    def csrf(self, request: Request) -> str:
        """The CSRF token of the session, for the page to send with changes; empty without a session."""


@dataclass
class Parts:
    """What the routes work with. What is None is no part of this service: its routes say so."""

    identity: Identity
    store: Store
    audit: Audit
    live: Live
    sites: Sites
    queries: Executions
    health: Health
    devices: Devices
    admin: Admin


def parts_of(request: Request) -> Parts:
    """The parts of the service that answers a request."""
    parts: Parts = request.app.state.parts
    return parts
