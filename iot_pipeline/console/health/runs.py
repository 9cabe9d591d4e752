"""Dagster's last runs and failures, its backfills and its daemons, by its own GraphQL over HTTP."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import BaseModel

from iot_pipeline.console.dependencies import DownError, asking
from iot_pipeline.console.health.findings import Finding, State, several
from iot_pipeline.console.health.shared import Look
from iot_pipeline.settings import deployment

SECONDS = 8.0
FAILED_WITHIN = timedelta(hours=24)
_SHOWN = 20
_DEPENDENCY = "Dagster"
_RUN = """{
    __typename
    ... on Runs { results { runId jobName status startTime endTime tags { key value } } }
    ... on Error { message }
  }"""
_QUERY = f"""
query ConsoleHealth($since: Float!) {{
  last: runsOrError(limit: {_SHOWN}) {_RUN}
  failed: runsOrError(filter: {{statuses: [FAILURE], updatedAfter: $since}}, limit: {_SHOWN}) {_RUN}
  waiting: runsOrError(filter: {{statuses: [QUEUED, NOT_STARTED, STARTING, STARTED]}}, limit: {_SHOWN}) {_RUN}
  backfills: partitionBackfillsOrError(limit: 10) {{
    __typename
    ... on PartitionBackfills {{ results {{ id status timestamp numPartitions title }} }}
    ... on Error {{ message }}
  }}
  instance {{ daemonHealth {{ allDaemonStatuses {{ daemonType required healthy lastHeartbeatTime }} }} }}
}}
"""


class Run(BaseModel):
    """A run. `partition` is a partition's key or the two ends of a range. `will_retry`: Dagster tries it again."""

    id: str
    job: str
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    partition: str | None
    will_retry: bool
    path: str


class Backfill(BaseModel):
    """A backfill, as Dagster's UI lists it."""

    id: str
    status: str
    began_at: datetime
    partitions: int | None
    title: str | None
    path: str


class Daemon(BaseModel):
    """A part of Dagster's daemon that has to run."""

    name: str
    healthy: bool
    last_heartbeat: datetime | None


class Runs(BaseModel):
    """The newest first, at most twenty of each; `failed` are those of the last day."""

    last: list[Run]
    failed: list[Run]
    waiting: list[Run]
    backfills: list[Backfill]
    daemons: list[Daemon]


def open_look() -> Look:
    """Asks Dagster's webserver. Raises DownError if this deployment does not say where it is."""
    where = deployment().dagster_url
    if not where:
        raise DownError(_DEPENDENCY, "set IOT_DAGSTER_URL to the address of its UI: nothing says where it is")
    client = httpx.Client(timeout=SECONDS)
    return lambda now: look(client, where, now)


def look(client: httpx.Client, where: str, now: datetime) -> Finding:
    """What runs, what ran last, what failed."""
    answer = _asked(client, where, {"since": (now - FAILED_WITHIN).timestamp()})
    data = Runs(
        last=_runs(answer["last"]),
        failed=_runs(answer["failed"]),
        waiting=_runs(answer["waiting"]),
        backfills=[_backfill(each) for each in _results(answer["backfills"])],
        daemons=[_daemon(each) for each in answer["instance"]["daemonHealth"]["allDaemonStatuses"] if each["required"]],
    )
    return Finding(*_judged(data), data)


def _judged(data: Runs) -> tuple[State, str]:
    dead = [daemon.name for daemon in data.daemons if not daemon.healthy]
    final = [run for run in data.failed if not run.will_retry]
    if dead:
        return State.CRITICAL, f"nothing is scheduled: no heartbeat of {', '.join(dead)}"
    if final:
        more = "at least " if len(data.failed) == _SHOWN else ""
        words = f"{more}{several(len(final), 'run')} failed in the last 24 hours, the last of {final[0].job}"
        return State.WARNING, words
    if not data.last:
        return State.UNKNOWN, "nothing has run yet"
    return State.OK, f"no run has failed for good in the last 24 hours; {several(len(data.waiting), 'run')} at work"


def _asked(client: httpx.Client, where: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    with asking(_DEPENDENCY):
        response = client.post(f"{where.rstrip('/')}/graphql", json={"query": _QUERY, "variables": dict(variables)})
        # What GraphQL refuses comes with status 400 and its reasons.
        if not response.headers.get("content-type", "").startswith("application/json"):
            response.raise_for_status()
        answer: Mapping[str, Any] = response.json()
    if answer.get("errors"):
        raise DownError(_DEPENDENCY, "; ".join(str(error.get("message")) for error in answer["errors"]))
    data: Mapping[str, Any] = answer["data"]
    return data


def _results(part: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    if "results" not in part:
        raise DownError(_DEPENDENCY, f"{part['__typename']}: {part.get('message', '')}")
    found: Sequence[Mapping[str, Any]] = part["results"]
    return found


def _runs(part: Mapping[str, Any]) -> list[Run]:
    return [_run(each) for each in _results(part)]


def _run(held: Mapping[str, Any]) -> Run:
    tags = {tag["key"]: tag["value"] for tag in held["tags"]}
    ends = [tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end")]
    return Run(
        id=held["runId"],
        job=held["jobName"],
        status=held["status"].lower(),
        started_at=_moment(held["startTime"]),
        ended_at=_moment(held["endTime"]),
        partition=tags.get("dagster/partition") or " to ".join(end for end in ends if end) or None,
        will_retry=tags.get("dagster/will_retry") == "true",
        path=f"/runs/{held['runId']}",
    )


def _backfill(held: Mapping[str, Any]) -> Backfill:
    return Backfill(
        id=held["id"],
        status=held["status"].lower(),
        began_at=datetime.fromtimestamp(held["timestamp"], UTC),
        partitions=held["numPartitions"],
        title=held["title"],
        path=f"/runs/b/{held['id']}",
    )


def _daemon(held: Mapping[str, Any]) -> Daemon:
    return Daemon(
        name=held["daemonType"].lower(),
        healthy=bool(held["healthy"]),
        last_heartbeat=_moment(held["lastHeartbeatTime"]),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
