"""The live half of the demo: rules that suit it, waiting for the edge, and the edge's figures."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pandas as pd

from infra.local.demo.alert_figures import STUCK_METRIC, Limits, Verdict, verdicts
from infra.local.demo.latency import Latency
from infra.local.servers.patience import wait_while_it_moves
from iot_pipeline import settings
from iot_pipeline.connections.edge import open_alerts, open_dead_letters, open_states
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.contract.layout import EDGE_RULES
from iot_pipeline.edge.stream_lag import lag_ms
from iot_pipeline.registry import alert_rules
from simulator.faults import OUTAGE_MESSAGES
from simulator.manifest import read_manifest

_LEAK_READINGS = 40
_STUCK_READINGS = 30
# A pause as short as this is no outage but a busy machine.
_SHORTEST_SILENCE_S = 3.0


@dataclass(frozen=True)
class EdgeFigures:
    """What the edge knows of the fleet, what it raised, and how fast."""

    devices: int
    outcomes: Mapping[str, int]
    verdicts: list[Verdict]
    opened: int
    resolved: int
    device_to_broker: Latency
    broker_to_alert: Latency
    alert_to_person: Latency
    dead_letters: Mapping[str, int]

    @property
    def is_right(self) -> bool:
        """Whether every injected fault is an alert, and nothing else is."""
        return all(each.is_right for each in self.verdicts) and not self.dead_letters


def set_rules(devices: int, rate: int, pack: int) -> Limits:
    """Set rules in the registry, for each tenant, by which seconds of live readings are enough, and publish them."""
    step_s = devices / rate
    silence_s = max(_SHORTEST_SILENCE_S, (OUTAGE_MESSAGES - 1.2) * step_s * pack)
    limits = Limits(silence_s, _LEAK_READINGS, _LEAK_READINGS * step_s, _STUCK_READINGS, _STUCK_READINGS * step_s)
    parts: tuple[tuple[str, str, dict[str, float | None]], ...] = (
        ("silence", "", {"minutes": silence_s / 60}),
        ("leak", "flow_rate", {"minutes": limits.leak_s / 60, "readings": float(_LEAK_READINGS)}),
        ("stuck", STUCK_METRIC, {"minutes": limits.stuck_s / 60, "readings": float(_STUCK_READINGS)}),
        ("range", "battery", {"warning_below": None, "critical_below": 0.0}),
    )
    with open_registry() as connection:
        tenants = [name for (name,) in connection.execute("SELECT tenant_id FROM registry.tenants").fetchall()]
        for tenant in tenants:
            for rule, metric, parameters in parts:
                scope, why = {"tenant": tenant}, "hours are seconds in a demo"
                alert_rules.set_rule(connection, rule, metric, scope, parameters, "demo", why)
        alert_rules.published(connection, boto3.client("s3"), settings.edge().rules_bucket, EDGE_RULES)
    return limits


def wait_for_edge() -> None:
    """Until the handler has taken all that is on the stream. Raises LocalError if it stands still."""
    where = settings.edge()
    kinesis, dynamodb = boto3.client("kinesis"), boto3.client("dynamodb")

    def oldest_waiting() -> str | None:
        """When the oldest record came that the handler has not taken; none when it has taken all."""
        now = int(time.time() * 1000)
        behind = lag_ms(kinesis, dynamodb, where.stream, where.alerts_table, now)
        return f"{datetime.fromtimestamp((now - behind) / 1000, UTC):%H:%M:%S}, the oldest record" if behind else None

    wait_while_it_moves("the edge, which takes what is on the stream", oldest_waiting, lambda oldest: oldest is None)


def figures(manifest: Path, since: datetime, limits: Limits) -> EdgeFigures:
    """The edge's figures for what was sent since a moment, held against the simulator's manifest."""
    rows = read_manifest(manifest)
    sent_ms = rows["sent_at"].astype("int64")
    live = rows[sent_ms >= int(since.timestamp() * 1000)]
    last_sent = _last_sent(live)
    table = open_alerts()
    since_ms = int(since.timestamp() * 1000)
    found = [each for each in table.everything() if "rule" in each and _is_of_the_run(each, since_ms, last_sent)]
    states = [state for state in open_states().seen(0, 1) if not state.device.startswith("site/")]
    outcomes: Counter[str] = Counter()
    for state in states:
        outcomes.update(state.counts)
    prompt = [each for each in found if each["rule"] == "range" and "arrival_ms" in each]
    return EdgeFigures(
        devices=len(states),
        outcomes=outcomes,
        verdicts=verdicts(live, rows, found, limits),
        opened=len(found),
        resolved=sum(each["status"] == "resolved" for each in found),
        device_to_broker=Latency.of_ms(_to_broker(live)),
        broker_to_alert=Latency.of_ms(each["recorded_ms"] - each["arrival_ms"] for each in prompt),
        alert_to_person=Latency.of_ms(e["notified_ms"] - e["recorded_ms"] for e in prompt if "notified_ms" in e),
        dead_letters={source: count for source, count in open_dead_letters().counts().items() if count},
    )


def _is_of_the_run(episode: Mapping[str, Any], since_ms: int, last_sent: Mapping[str, int]) -> bool:
    """Whether it is of the live run: not over before, and not merely because that ended.

    The end of the backlog is live to the edge as well, so that a leak may have been found then; a silence before is
    the wait for the run.
    """
    until = episode.get("resolved_ms", since_ms)
    begun = episode["opened_ms"] if episode["rule"] == "silence" else until
    return bool(begun >= since_ms and episode["opened_ms"] < last_sent.get(episode["device"], 0) - 1)


def _last_sent(rows: pd.DataFrame) -> dict[str, int]:
    last = rows.groupby("device_id")["sent_at"].max().astype("int64")
    return {str(device): int(at) for device, at in last.items()}


def _to_broker(rows: pd.DataFrame) -> list[float]:
    """From sending a message to its acknowledgement by the broker, milliseconds."""
    sent = rows.drop_duplicates(["device_id", "message"])
    return [float(each) for each in (sent["acked_at"] - sent["sent_at"]).dt.total_seconds() * 1000]
