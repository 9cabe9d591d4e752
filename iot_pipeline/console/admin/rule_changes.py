"""The rules of alerts: what there is, what is in force, setting and ending them, and what they would have raised."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from psycopg import Connection
from pydantic import BaseModel, Field

from iot_pipeline.alerting.device_rules import checked_kind
from iot_pipeline.alerting.rule_kinds import KINDS, Kind
from iot_pipeline.console.admin.means import Admin, explained
from iot_pipeline.console.authorisation import SignedIn
from iot_pipeline.console.changes import Reason, Recorded, Why
from iot_pipeline.console.dependencies import asking
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.problems import ProblemError
from iot_pipeline.contract.event_time import moment
from iot_pipeline.contract.layout import EDGE_RULES
from iot_pipeline.edge.backtest import metrics_to_read, tried
from iot_pipeline.edge.past_episodes import PastEpisode
from iot_pipeline.lake.past_readings import count_past_readings, past_readings
from iot_pipeline.registry import alert_rules
from iot_pipeline.registry.alert_rules import RecordedRule

router = APIRouter(prefix="/api/admin/rules", tags=["admin"])
# What a dry run holds in memory: about 300 bytes a reading.
MAX_READINGS = 200_000
MAX_TRIED_HOURS = 168
_SHOWN = 200
Parameters = dict[str, float | None]


class Parameter(BaseModel):
    """A number that a rule takes. `defaults` by metric; the name is empty where the rule is about a device."""

    name: str
    unit: str
    minimum: float
    maximum: float
    meaning: str
    defaults: dict[str, float | None]


class RuleKind(BaseModel):
    """A kind of rule."""

    name: str
    meaning: str
    remedy: str
    metrics: list[str]
    parameters: list[Parameter]


class Rule(BaseModel):
    """What was set for a scope, by whom and why. `until` is null while it is in force."""

    id: int
    rule: str
    metric: str
    scope: dict[str, str]
    parameters: Parameters
    author: str
    note: str
    since: datetime
    until: datetime | None


class Rules(BaseModel):
    """The kinds with their defaults, and what is set beside them."""

    kinds: list[RuleKind]
    in_force: list[Rule]


class NewRule(BaseModel):
    """Parameters of a rule for a scope: some of tenant, site, model and device. Those not named stay as they are."""

    rule: str
    metric: str = ""
    scope: dict[str, str]
    parameters: Annotated[Parameters, Field(min_length=1)]
    reason: Reason


class Published(BaseModel):
    """A rule that was set or ended, and the version of the rules by which the functions hear of it."""

    rule: Rule
    version: int


class Trial(BaseModel):
    """A rule to be tried over the last hours of curated data, of a tenant, a site or a device."""

    rule: str
    metric: str = ""
    parameters: Parameters = Field(default_factory=dict)
    hours: Annotated[int, Field(ge=1, le=MAX_TRIED_HOURS)] = 24
    tenant: str | None = None
    site: str | None = None
    device: str | None = None


class Episode(BaseModel):
    """An alert that the rule would have raised. `until` is null where it would still be open."""

    subject: str
    since: datetime
    until: datetime | None
    severity: str
    worst: float | None


class Outcome(BaseModel):
    """What a trial has found; the first two hundred are shown."""

    alerts: int
    subjects: int
    readings: int
    episodes: list[Episode]


@router.get("")
def rules(request: Request) -> Rules:
    """What there is, and what people have set."""
    with explained(), parts_of(request).admin.connect() as connection:
        found = alert_rules.in_force(connection)
    return Rules(kinds=[_kind(kind) for kind in KINDS.values()], in_force=[_rule(each) for each in found])


@router.get("/history")
def history(request: Request) -> list[Rule]:
    """Every rule that was ever set, the newest first."""
    with explained(), parts_of(request).admin.connect() as connection:
        return [_rule(each) for each in reversed(alert_rules.history(connection))]


@router.post("", status_code=201)
def set_rule(request: Request, viewer: SignedIn, record: Recorded, given: NewRule) -> Published:
    """Set parameters for a scope, and publish them."""
    admin = parts_of(request).admin
    with explained(), admin.connect() as connection:
        made = alert_rules.set_rule(
            connection, given.rule, given.metric, given.scope, given.parameters, viewer.name, given.reason
        )
        connection.commit()
        record("set a rule", f"{made.override.id}", given.reason)
        return Published(rule=_rule(made), version=_publish(admin, connection))


@router.post("/{rule}/end")
def end_rule(request: Request, viewer: SignedIn, record: Recorded, rule: int, given: Why) -> Published:
    """End what was set: what is wider holds again."""
    admin = parts_of(request).admin
    with explained(), admin.connect() as connection:
        ended = alert_rules.end_rule(connection, rule, viewer.name)
        connection.commit()
        record("end a rule", f"{rule}", given.reason)
        return Published(rule=_rule(ended), version=_publish(admin, connection))


@router.post("/try")
def try_rule(request: Request, given: Trial) -> Outcome:
    """A dry run: what a rule would have raised over the last hours. Nothing is changed."""
    athena, until = parts_of(request).admin.athena(), datetime.now(UTC)
    since = until - timedelta(hours=given.hours)
    where = {"tenant": given.tenant, "site": given.site, "device": given.device}
    with explained():
        checked_kind(given.rule, given.metric)
        with asking("Athena"):
            count = count_past_readings(athena, since, until, **where)
        if count > MAX_READINGS:
            detail = f"{count:,} readings are more than the {MAX_READINGS:,} of a dry run: give fewer hours or a device"
            raise ProblemError(422, "too_many_readings", detail, readings=count)
        with asking("Athena"):
            readings = past_readings(athena, metrics_to_read(given.metric), since, until, **where)
        found = tried(readings, given.rule, given.metric, given.parameters)
    return Outcome(
        alerts=len(found),
        subjects=len({each.first.key.subject for each in found}),
        readings=len(readings),
        episodes=[_episode(each) for each in found[:_SHOWN]],
    )


def _publish(admin: Admin, connection: Connection[Any]) -> int:
    return alert_rules.published(connection, admin.s3, admin.rules_bucket, EDGE_RULES).version


def _kind(kind: Kind) -> RuleKind:
    return RuleKind(
        name=kind.name,
        meaning=kind.meaning,
        remedy=kind.remedy,
        metrics=list(kind.metrics),
        parameters=[
            Parameter(
                name=each.name,
                unit=each.unit,
                minimum=each.minimum,
                maximum=each.maximum,
                meaning=each.meaning,
                defaults={metric: kind.default(metric, each.name) for metric in kind.metrics or ("",)},
            )
            for each in kind.parameters
        ],
    )


def _rule(recorded: RecordedRule) -> Rule:
    override = recorded.override
    return Rule(
        id=override.id,
        rule=override.rule,
        metric=override.metric,
        scope=dict(override.scope),
        parameters=dict(override.parameters),
        author=recorded.author,
        note=recorded.note,
        since=recorded.valid_from,
        until=recorded.valid_to,
    )


def _episode(found: PastEpisode) -> Episode:
    return Episode(
        subject=found.first.key.subject,
        since=moment(found.first.since_ms),
        until=None if found.resolved_ms is None else moment(found.resolved_ms),
        severity=found.severity.label,
        worst=found.worst,
    )
