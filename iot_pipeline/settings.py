"""The environment, read once, typed and validated. Endpoints and credentials are the AWS SDK's own business.

A setting is a field of one of these classes and a row of the table in docs/operations.md, which a test compares.
"""

import ipaddress
import re
import socket
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from iot_pipeline.contract import CONTRACT, Contract

_FROM_ENVIRONMENT = SettingsConfigDict(env_prefix="IOT_", frozen=True)
# The input of a login is not shown in errors: it holds the password.
_OF_A_LOGIN = SettingsConfigDict(env_ignore_empty=True, frozen=True, hide_input_in_errors=True)


class Deployment(BaseSettings):
    """Where this deployment's parts are, each as IOT_<NAME>: the outputs of the CDK stacks."""

    model_config = _FROM_ENVIRONMENT

    lake_bucket: str = Field(description="Bucket of the lake")
    raw_queue_url: str = Field(description="SQS queue with the notifications of new raw objects")
    glue_database: str = "telemetry"
    athena_workgroup: str = "telemetry-builds"
    people_workgroup: str = "telemetry"
    tenants_workgroup: str = "telemetry-tenants"
    raw_crawler: str = "telemetry-raw"
    curated_crawler: str = "telemetry-curated"
    spark_job: str = "telemetry-backfill"
    results_bucket: str | None = Field(default=None, description="Bucket of people's query results, to erase from it")
    intake_bucket: str | None = Field(
        default=None, description="Bucket of producers' records that were refused or given up, to erase from it"
    )
    intake_function: str | None = Field(
        default=None, description="Function that takes producers' records, whose log an erasure's proof searches"
    )
    pull_table: str | None = Field(default=None, description="Table of how far vendors were read, to erase from it")
    dagster_url: str | None = Field(default=None, description="Address of Dagster's UI, for the links in alerts")

    @property
    def workgroups(self) -> list[str]:
        """Athena's workgroups, each once: of the builds, of people, of tenants."""
        return list(dict.fromkeys((self.athena_workgroup, self.people_workgroup, self.tenants_workgroup)))


class Login(BaseSettings):
    """Where a database is, and how to sign in: with `user` and `password`, or with a secret that holds both.

    `secret_arn` names a secret of Secrets Manager in the form that RDS and Redshift give those they manage: a JSON
    object with `username` and `password`. It is fetched for each connection and never kept, since it is rotated.
    """

    host: str
    port: int
    database: str
    user: str
    password: SecretStr | None = None
    secret_arn: str | None = None

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        password, secret, user = (variable(type(self), name) for name in ("password", "secret_arn", "user"))
        if (self.password is None) == (self.secret_arn is None):
            given = "neither is" if self.password is None else "both are"
            raise ValueError(f"set exactly one of {password} and {secret}; {given} set")
        if self.secret_arn is not None and "user" in self.model_fields_set:
            raise ValueError(f"unset {user}: the secret of {secret} names the user")
        return self


class Registry(Login):
    """The device registry (PostgreSQL), each as IOT_REGISTRY_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="IOT_REGISTRY_", **_OF_A_LOGIN)

    port: int = 5432
    database: str = "registry"
    user: str = "registry"
    sslmode: Literal["disable", "require", "verify-ca", "verify-full"] = "verify-full"
    sslrootcert: str | None = Field(
        default=None,
        description="PEM file of the authorities that sign the server's certificate, or `system` for the machine's own",
    )

    @model_validator(mode="after")
    def _verified_against_something(self) -> Self:
        if self.sslmode.startswith("verify") and self.sslrootcert is None:
            raise ValueError(
                f"set {variable(Registry, 'sslrootcert')} to the file with the server's certificate authorities "
                f"(for RDS: docs/operations.md), or to `system`: {variable(Registry, 'sslmode')} is {self.sslmode}"
            )
        return self


class Warehouse(Login):
    """The warehouse (Redshift), each as IOT_WAREHOUSE_<NAME>. Its driver brings Redshift's certificate authorities."""

    model_config = SettingsConfigDict(env_prefix="IOT_WAREHOUSE_", **_OF_A_LOGIN)

    port: int = 5439
    database: str = "telemetry"
    user: str = "pipeline"
    sslmode: Literal["disable", "verify-ca", "verify-full"] = "verify-full"
    copy_role_arn: str = Field(description="IAM role by which COPY and UNLOAD reach the lake's bucket")


class Devices(BaseSettings):
    """What this environment's stacks call what devices are made of in AWS IoT Core, each as IOT_<NAME>."""

    model_config = _FROM_ENVIRONMENT

    thing_type: str = "telemetry-sensor"
    device_policy: str = "telemetry-device"


class Edge(BaseSettings):
    """Where the edge's parts are, each as IOT_<NAME>: the outputs of its stacks.

    Its functions have some of these in their own environment under the same names, and read them without this module.
    """

    model_config = _FROM_ENVIRONMENT

    device_state_table: str = "telemetry-device-state"
    alerts_table: str = "telemetry-alerts"
    rules_bucket: str = Field(description="Bucket with the versions of the rules: the lake's")
    topic_warning: str = Field(description="SNS topic of the devices' warnings")
    topic_critical: str = Field(description="SNS topic of what cannot wait")
    stream: str = Field(description="Kinesis stream of the telemetry")
    edge_function: str = "telemetry-edge"
    sweep_function: str = "telemetry-edge-sweep"
    notify_function: str = "telemetry-edge-notify"
    deliver_function: str = "telemetry-edge-deliver"
    channels_secret: str | None = Field(
        default=None, description="Secret with the channels of alerts; SNS's topics alone are told while it is empty"
    )
    edge_mapping: str = Field(description="Event source mapping from the stream to the handler")
    edge_failure_bucket: str = Field(description="Bucket of the records that the edge gave up on")
    edge_dead_letters_url: str = Field(description="SQS queue of the edge's calls that failed for good")
    alert_dead_letters_url: str = Field(description="SQS queue of the notifications that SNS or a channel did not take")
    rule_errors_url: str = Field(description="SQS queue of the messages that an IoT rule could not hand on")
    metric_namespace: str = "IotPipeline/Edge"


class Pull(BaseSettings):
    """How the functions that pull from vendors are called, each as IOT_<NAME>."""

    model_config = _FROM_ENVIRONMENT

    pull_function_prefix: str = "telemetry-pull-"


def is_private(url: str) -> bool:
    """Whether what is sent to an address stays unread by others: by TLS, or because its host is a loopback address.

    The name of a host is looked up for http: alone; one that is not known is not private.
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme != "http":
        return bool(parts.hostname) and parts.scheme == "https"
    try:
        found = socket.getaddrinfo(parts.hostname, None)
    except OSError:
        return False
    return all(ipaddress.ip_address(address[0]).is_loopback for *_, address in found)


def _private(url: str) -> str:
    if not is_private(url):
        raise ValueError(f"{url!r} must be an https: address, or an http: one whose host is a loopback address")
    return url


def _origin(url: str) -> str:
    parts = urlsplit(_private(url))
    if parts.username is not None or url != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"{url!r} must be scheme, host and port alone, such as https://console.example.com")
    return url


class ConsoleTable(BaseSettings):
    """Where the console's table is, for whoever needs nothing else of it, as IOT_CONSOLE_TABLE."""

    model_config = SettingsConfigDict(env_prefix="IOT_CONSOLE_", frozen=True, env_ignore_empty=True)

    table: str = "telemetry-console"


class Console(ConsoleTable):
    """The console: where it listens, where its table is and who signs people in, each as IOT_CONSOLE_<NAME>."""

    url: Annotated[str, AfterValidator(_origin)] = Field(description="Address under which browsers find the console")
    host: str = Field(description="Address on which it listens; in a container, all: `0.0.0.0`")
    port: int = Field(default=8080, ge=1, le=65535)
    issuer: Annotated[str, AfterValidator(_private)] = Field(
        description="OpenID Connect provider: the `iss` of its tokens"
    )
    discovery_url: Annotated[str | None, AfterValidator(lambda url: url and _private(url))] = Field(
        default=None, description="Where the provider's discovery document is, if not below the issuer"
    )
    client_id: str = Field(description="The console's client at the provider")
    user_pool: str | None = Field(
        default=None, description="Cognito's pool of its people, for admins to change; unset: changed at the provider"
    )
    client_secret_arn: str | None = Field(
        default=None, description="Secret with the client's secret as its text; unset: a public client, by PKCE alone"
    )


# How often a prototype builds, unless it is told otherwise.
PROTOTYPE_BUILD_MINUTES = 30


class Policy(BaseSettings):
    """How the lake is to behave, each as IOT_<NAME>; the defaults suit most."""

    model_config = _FROM_ENVIRONMENT

    size: Literal["prototype", "team", "production"] = Field(
        default="team", description="Of which size the stacks are; a `prototype` has neither edge nor warehouse"
    )
    partitions_start: AwareDatetime = Field(
        default=datetime(2026, 1, 1, tzinfo=UTC),
        description="First hour, UTC, for which partitions exist; raise the lateness bound too for older events",
    )
    lateness_days: float = Field(default=CONTRACT.lateness_bound / timedelta(days=1), gt=0)
    future_hours: float = Field(default=CONTRACT.future_bound / timedelta(hours=1), ge=0)
    build_interval_minutes: int = Field(
        default=5, ge=1, le=30, description="How often hours with new raw objects are built: the open hour's debounce"
    )
    retained_versions_hours: float = Field(
        default=24, ge=1, description="How long a replaced version of a partition is kept for readers and rollback"
    )
    event_log_days: float = Field(
        default=30, ge=1, description="How long Dagster keeps what a run has said; what became of it stays"
    )
    crawl_on_arrival_minutes: float = Field(
        default=0.0, ge=0, description="How long after one the next arrival may trigger the crawlers; 0: it never does"
    )
    daily_budget_usd: float = Field(
        default=10.0, gt=0, description="What Athena may cost a day (UTC) before people are told"
    )
    streaming: bool = Field(default=False, description="Whether the stacks have the streaming job (docs/streaming.md)")
    glue_workflow: str | None = Field(
        default=None, description="Glue's workflow of crawler, job and crawler, whose runs Dagster is to show"
    )
    site_silence_minutes: float = Field(default=30, gt=0, description="A site silent for longer is stale")

    @model_validator(mode="before")
    @classmethod
    def _seldom_in_a_prototype(cls, values: dict[str, object]) -> dict[str, object]:
        """Athena bills 10 MB a statement at least, which is most of a prototype's bill (`make cost SIZE=prototype`)."""
        if values.get("size") == "prototype":
            return {"build_interval_minutes": PROTOTYPE_BUILD_MINUTES, **values}
        return values

    @property
    def contract(self) -> Contract:
        """The contract, with this deployment's bounds on event time."""
        return Contract(
            lateness_bound=timedelta(days=self.lateness_days), future_bound=timedelta(hours=self.future_hours)
        )


def _duration(value: object) -> object:
    """A time such as 2160h, 90d or 5y, where a year has 366 days, so that none is cut short."""
    if not isinstance(value, str):
        return value
    found = _DURATION.fullmatch(value)
    if not found or not int(found[1]):
        raise ValueError(f"{value!r} is no time to keep something for; expected hours, days or years: 2160h, 90d, 5y")
    number = int(found[1])
    return {"h": timedelta(hours=number), "d": timedelta(days=number), "y": timedelta(days=366 * number)}[found[2]]


_DURATION = re.compile("([0-9]{1,6})([hdy])")
# Unset keeps for ever.
Kept = Annotated[timedelta | None, BeforeValidator(_duration)]
# What is removed sooner than this would be missed: by the sweep of stored objects (48 hours) and by the check of silent
# sites (7 days).
_LEAST_KEPT = timedelta(days=8)
# The edge remembers an alert for 90 days after its end, and an export may bring it into the history until then.
_LEAST_KEPT_ALERTS = timedelta(days=91)


class Retention(BaseSettings):
    """For how long each zone of the lake keeps an hour, each as IOT_RETENTION_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="IOT_RETENTION_", frozen=True, env_ignore_empty=True)

    raw: Kept = None
    judged: Kept = None
    quarantine: Kept = None
    ledger: Kept = None
    curated: Kept = None
    alert_history: Kept = None

    def check(self, policy: Policy) -> Self:
        """The same. Raises ValueError, naming the variable, for a time so short that something would be lost."""
        late = timedelta(days=policy.lateness_days, hours=policy.future_hours) + timedelta(days=2)
        for name, kept in self:
            least = _LEAST_KEPT_ALERTS if name == "alert_history" else max(_LEAST_KEPT, late)
            if kept is not None and kept < least:
                why = "alerts of so long ago may change" if name == "alert_history" else "late readings need it"
                raise ValueError(f"{variable(Retention, name)} is {kept}; it must be at least {least}, since {why}")
        for name in ("raw", "judged"):
            kept = getattr(self, name)
            if self.ledger is not None and (kept is None or kept > self.ledger):
                raise ValueError(
                    f"{variable(Retention, 'ledger')} is {self.ledger}; it must be at least "
                    f"{variable(Retention, name)}, which is {kept or 'for ever'}: the ledger says what these hold"
                )
        return self


GROUPS: tuple[type[BaseSettings], ...] = (
    Console,
    ConsoleTable,
    Deployment,
    Devices,
    Edge,
    Policy,
    Pull,
    Registry,
    Retention,
    Warehouse,
)


def variable(group: type[BaseSettings], name: str) -> str:
    """The environment variable of a setting."""
    return f"{group.model_config.get('env_prefix', '')}{name}".upper()


def wrong(error: ValidationError) -> str:
    """What is wrong in the environment, by variable, in one line. `error` is of one of the groups."""
    (group,) = (group for group in GROUPS if group.__name__ == error.title)
    return ", ".join(
        f"{variable(group, '_'.join(map(str, found['loc'])))} ({found['msg']})"
        if found["loc"]
        else found["msg"].removeprefix("Value error, ")
        for found in error.errors(include_url=False)
    )


@cache
def deployment() -> Deployment:
    """The deployment of this process. Raises pydantic.ValidationError naming each variable that is missing or wrong."""
    return Deployment()


@cache
def registry() -> Registry:
    """The registry of this process. Raises pydantic.ValidationError naming each variable that is missing or wrong."""
    return Registry()


@cache
def warehouse() -> Warehouse:
    """The warehouse of this process. Raises pydantic.ValidationError naming each variable that is missing or wrong."""
    return Warehouse()


@cache
def devices() -> Devices:
    """The names of this process's devices. Raises pydantic.ValidationError naming each variable that is wrong."""
    return Devices()


@cache
def edge() -> Edge:
    """The edge of this process. Raises pydantic.ValidationError naming each variable that is missing or wrong."""
    return Edge()


@cache
def pull() -> Pull:
    """The pulling functions of this process's environment. Raises pydantic.ValidationError."""
    return Pull()


@cache
def console() -> Console:
    """The console of this process. Raises pydantic.ValidationError naming each variable that is missing or wrong."""
    return Console()


@cache
def console_table() -> str:
    """The console's table. Raises pydantic.ValidationError naming what is wrong."""
    return ConsoleTable().table


@cache
def policy() -> Policy:
    """The policy of this process. Raises pydantic.ValidationError naming each variable that is wrong."""
    return Policy()


@cache
def retention() -> Retention:
    """The retention of this process. Raises pydantic.ValidationError naming each variable that is wrong, and ValueError
    as `Retention.check`.
    """
    return Retention().check(policy())


def forget() -> None:
    """Read the environment anew when it is next asked for."""
    for read in (console, console_table, deployment, registry, warehouse, devices, edge, pull, policy, retention):
        read.cache_clear()
