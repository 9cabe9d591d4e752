"""What is billed while it stands, whatever is sent: tasks, endpoints, keys, secrets, alarms, and the guards."""

from collections.abc import Iterator

from infra.cost.athena_statements import statements_a_day
from infra.cost.counted import Counts
from infra.cost.design import Design
from infra.cost.edge_calls import handler_calls
from infra.cost.fleet import DAYS_A_MONTH, HOURS_A_MONTH, MINUTES_A_MONTH, SECONDS_A_MONTH, Fleet
from infra.cost.intake import raw_objects
from infra.cost.metering import GIGABYTE
from infra.cost.usage import Usage
from infra.stacks.config import PlatformConfig

# Assumed: a build, a load and dbt after each interval and some twenty an hour beside them are runs, each a task of a
# vCPU and 2 GB for 90 s (Fargate bills at least a minute).
_RUNS_A_BUILD, _OTHER_RUNS_AN_HOUR, _RUN_SECONDS, _RUN_VCPUS, _RUN_GB = 3, 20, 90, 1, 2
# Assumed: a line of log a call of the edge, and Dagster's own.
_LOG_BYTES_A_CALL, _DAGSTER_LOG_GB = 600, 2.0
# The edge's metrics (iot_pipeline/edge/telemetry.py) by function, about; the calls are those of `edge_health`.
_METRICS, _METRIC_REQUESTS_A_MINUTE = 15, 2
# X-Ray guide, "Configuring sampling rules": by default the first request of a second and 5% of the others.
_TRACED_SHARE = 0.05
# The sensor `raw_objects` asks every 10 s; ten notifications are two calls more, and S3's own sending is one each.
_POLL_SECONDS = 10
# Assumed: people who sign in to the console.
_PEOPLE = 25


def services(config: PlatformConfig, design: Design, counts: Counts) -> Iterator[Usage]:
    """Dagster and the console on ECS, and the load balancer in front."""
    if not config.parts.services:
        return
    basis = "as the templates have them"
    runs = _RUNS_A_BUILD * 60 / design.build_minutes + _OTHER_RUNS_AN_HOUR
    run_hours = runs * _RUN_SECONDS / 3600 * HOURS_A_MONTH
    yield Usage("fargate-cpu", counts.vcpus * HOURS_A_MONTH, "services", basis)
    yield Usage("fargate-memory", counts.task_gb * HOURS_A_MONTH, "services", basis)
    yield Usage("fargate-cpu", run_hours * _RUN_VCPUS, "runs", f"{runs:g} an hour of 90 s, assumed")
    yield Usage("fargate-memory", run_hours * _RUN_GB, "runs")
    yield Usage("alb-hour", counts.balancers * HOURS_A_MONTH, "the load balancer", basis)
    yield Usage("alb-capacity", counts.balancers * HOURS_A_MONTH, "the load balancer", "a capacity unit, assumed")
    yield Usage("cognito-user", _PEOPLE, "people", f"{_PEOPLE} people sign in, assumed")
    yield Usage("logs-in", _DAGSTER_LOG_GB, "Dagster and console", "2 GB, assumed")


def standing(fleet: Fleet, config: PlatformConfig, design: Design, counts: Counts) -> Iterator[Usage]:
    """Keys, secrets, endpoints, queues, alarms and logs."""
    objects = raw_objects(fleet, config, design)
    yield Usage("kms-key", counts.keys, "keys of the domains")
    # Bucket keys spare S3 nearly all calls; a read or write of a hundred is assumed to make one.
    # Without keys of our own S3 encrypts with its own, which bills nothing.
    if counts.keys:
        yield Usage("kms-request", (objects + statements_a_day(fleet, design) * DAYS_A_MONTH * 30) / 100, "S3")
    yield Usage("secret", counts.secrets, "administrators, channels, the console")
    yield Usage("secret-request", MINUTES_A_MONTH * bool(config.parts.databases), "a connection a minute")
    polls = SECONDS_A_MONTH / _POLL_SECONDS
    yield Usage("sqs-request", polls + objects * 1.2, "notifications of raw objects, and asking for them")
    yield Usage("sns-request", fleet.devices * 2, "alerts", "one a device and month, opened and resolved, assumed")
    yield Usage("endpoint-hour", counts.endpoints * HOURS_A_MONTH, "interface endpoints, one a zone")
    yield Usage("alarm", counts.alarms, "alarms")
    if design.stream:
        calls = handler_calls(fleet, config) + 2 * MINUTES_A_MONTH
        always = min(calls, SECONDS_A_MONTH)
        yield Usage("xray-trace", always + (calls - always) * _TRACED_SHARE, "the edge", "as X-Ray samples by itself")
        gigabytes = calls * _LOG_BYTES_A_CALL / GIGABYTE
        yield Usage("metric-request", MINUTES_A_MONTH * _METRIC_REQUESTS_A_MINUTE, "the sensor edge_health")
        yield Usage("metric", _METRICS, "the edge's metrics", f"{_METRICS}, assumed")
        yield Usage("logs-in", gigabytes, "the edge", "600 bytes a call, assumed")
        yield Usage("logs-kept", gigabytes * 3, "the edge", "three months")


def guards(fleet: Fleet, config: PlatformConfig, design: Design, counts: Counts) -> Iterator[Usage]:
    """CloudTrail's data events of the lake, AWS Config, dashboards."""
    if not config.parts.guards:
        return
    objects = raw_objects(fleet, config, design)
    events = objects * 4 + statements_a_day(fleet, design) * DAYS_A_MONTH * 33
    if counts.trails:
        yield Usage("trail-event", events, "reads and writes of the lake's objects")
    if counts.recorders:
        yield Usage("config-item", counts.resources, "each resource once", "assumed: once a month")
    yield Usage("dashboard", counts.dashboards, "dashboards")
