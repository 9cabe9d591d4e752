"""The open alerts of the pipeline itself."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel

from iot_pipeline.alerting.episodes import Item
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.table import PIPELINE, AlertsTable
from iot_pipeline.connections.edge import open_alerts
from iot_pipeline.console.dependencies import asking
from iot_pipeline.console.health.findings import Finding, State, several
from iot_pipeline.console.health.shared import Look
from iot_pipeline.contract.event_time import moment


class PipelineAlert(BaseModel):
    """An open episode."""

    id: str
    rule: str
    subject: str
    severity: str
    opened_at: datetime
    about: str
    text: str
    acknowledged_by: str | None
    acknowledged_reason: str | None


class PipelineAlerts(BaseModel):
    """The worst first, then the oldest."""

    open: list[PipelineAlert]


def open_look() -> Look:
    """Asks an index of the table of alerts."""
    table = open_alerts()
    return lambda _: look(table)


def look(table: AlertsTable) -> Finding:
    """All that are open."""
    with asking("DynamoDB"):
        found = list(table.open(PIPELINE))
    data = PipelineAlerts(open=_ordered(found))
    if not found:
        return Finding(State.OK, "none is open", data)
    critical = sum(int(item["severity"]) >= Severity.CRITICAL for item in found)
    words = f"{several(len(found), 'open alert')}, {critical} of them critical: {data.open[0].about}"
    return Finding(State.CRITICAL if critical else State.WARNING, words, data)


def _ordered(found: Iterable[Item]) -> list[PipelineAlert]:
    ordered = sorted(found, key=lambda item: (-int(item["severity"]), int(item["opened_ms"])))
    return [
        PipelineAlert(
            id=item["id"],
            rule=item["rule"],
            subject=item["subject"],
            severity=Severity(int(item["severity"])).label,
            opened_at=moment(int(item["opened_ms"])),
            about=item.get("about", f"{item['rule']} {item['subject']}"),
            text=item.get("text", ""),
            acknowledged_by=item.get("acknowledged_by"),
            acknowledged_reason=item.get("acknowledged_reason"),
        )
        for item in ordered
    ]
