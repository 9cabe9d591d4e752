"""What the admins' routes work with, and what their errors become."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.alerting.device_rules import RuleError
from iot_pipeline.console.bounded_athena import BoundedAthena, Meter
from iot_pipeline.console.dependencies import DownError
from iot_pipeline.console.identity.directory import Directory, PersonError
from iot_pipeline.console.problems import ProblemError
from iot_pipeline.console.registry_pool import Connect
from iot_pipeline.registry.errors import (
    CompensationError,
    DifferentDeviceError,
    OnboardingError,
    OverwriteError,
    RegistryError,
    UnknownReferenceError,
)
from iot_pipeline.registry.things import DeviceKind
from iot_pipeline.settings import devices, edge

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

_ATHENA_SECONDS = 60.0


@dataclass(frozen=True)
class Admin:
    """The registry, AWS IoT with the names that devices have there, the bucket of the rules, and Athena.

    `directory` is None where the provider of sign-ins is another than Cognito.
    """

    connect: Connect
    iot: "IoTClient"
    kind: DeviceKind
    s3: Any
    rules_bucket: str
    athena: Callable[[], BoundedAthena]
    directory: Directory | None


def open_admin(connect: Connect, user_pool: str | None, meter: Meter) -> Admin:
    """Those of this deployment; `connect` opens its registry, `meter` counts the queries.

    Raises pydantic.ValidationError.
    """
    names = devices()
    return Admin(
        connect,
        boto3.client("iot", config=Config(retries={"mode": "adaptive"})),
        DeviceKind(names.thing_type, names.device_policy),
        boto3.client("s3"),
        edge().rules_bucket,
        lambda: BoundedAthena(meter, _ATHENA_SECONDS),
        None if user_pool is None else Directory(boto3.client("cognito-idp"), user_pool),
    )


@contextmanager
def explained() -> Iterator[None]:
    """Errors that a person can act on become problems that say what to do."""
    try:
        yield
    except OverwriteError as error:
        losses = [{"of": what, "recorded": str(recorded)} for what, recorded in error.losses]
        detail = f"{error}; ask again with `overwrite` if that is what you want"
        raise ProblemError(409, "overwrite", detail, losses=losses) from error
    except DifferentDeviceError as error:
        raise ProblemError(409, "different_device", str(error)) from error
    except UnknownReferenceError as error:
        raise ProblemError(422, "unknown_reference", str(error)) from error
    except (RegistryError, RuleError, PersonError) as error:
        raise ProblemError(422, "refused", str(error)) from error
    except OnboardingError as error:
        raise ProblemError(502, "undone", str(error)) from error
    except CompensationError as error:
        raise ProblemError(502, "half_done", str(error)) from error
    except DownError as error:
        raise ProblemError(503, "dependency_down", str(error), dependency=error.dependency) from error
    except psycopg.OperationalError as error:
        raise _down("the registry", error) from error
    except (ClientError, BotoCoreError) as error:
        raise _down("AWS", error) from error


def _down(dependency: str, error: Exception) -> ProblemError:
    detail = f"{dependency} did not answer: {' '.join(str(error).split())}"
    return ProblemError(503, "dependency_down", detail, dependency=dependency)
