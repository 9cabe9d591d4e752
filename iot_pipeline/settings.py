"""The environment, read once, typed and validated. Endpoints and credentials are the AWS SDK's own business."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from iot_pipeline.contract import CONTRACT, Contract

_FROM_ENVIRONMENT = SettingsConfigDict(env_prefix="IOT_", frozen=True)


class Deployment(BaseSettings):
    """Where this deployment's parts are, each as IOT_<NAME>: the outputs of the CDK stacks."""

    model_config = _FROM_ENVIRONMENT

    lake_bucket: str = Field(description="Bucket of the lake")
    raw_queue_url: str = Field(description="SQS queue with the notifications of new raw objects")
    alerts_topic_arn: str = Field(description="SNS topic for alerts")
    glue_database: str = "telemetry"
    athena_workgroup: str = "telemetry"
    raw_crawler: str = "telemetry-raw"
    curated_crawler: str = "telemetry-curated"


class Registry(BaseSettings):
    """Where the device registry (PostgreSQL) is, each as IOT_REGISTRY_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="IOT_REGISTRY_", frozen=True)

    host: str
    port: int = 5432
    database: str = "registry"
    user: str = "registry"
    password: SecretStr
    sslmode: Literal["disable", "require", "verify-ca", "verify-full"] = "verify-full"


class Warehouse(BaseSettings):
    """Where the warehouse (Redshift) is, each as IOT_WAREHOUSE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="IOT_WAREHOUSE_", frozen=True)

    host: str
    port: int = 5439
    database: str = "telemetry"
    user: str = "pipeline"
    password: SecretStr
    sslmode: Literal["disable", "verify-ca", "verify-full"] = "verify-full"
    copy_role_arn: str = Field(description="IAM role by which COPY and UNLOAD reach the lake's bucket")


class Devices(BaseSettings):
    """What this environment's stacks call what devices are made of in AWS IoT Core, each as IOT_<NAME>."""

    model_config = _FROM_ENVIRONMENT

    thing_type: str = "telemetry-sensor"
    device_policy: str = "telemetry-device"


class Policy(BaseSettings):
    """How the lake is to behave, each as IOT_<NAME>; the defaults suit most."""

    model_config = _FROM_ENVIRONMENT

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
    site_silence_minutes: float = Field(default=30, gt=0, description="A site silent for longer is stale")

    @property
    def contract(self) -> Contract:
        """The contract, with this deployment's bounds on event time."""
        return Contract(
            lateness_bound=timedelta(days=self.lateness_days), future_bound=timedelta(hours=self.future_hours)
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
def policy() -> Policy:
    """The policy of this process. Raises pydantic.ValidationError naming each variable that is wrong."""
    return Policy()
