"""What the function is told by the stack: where it forwards to, and which producer's which stream is."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache


class WrongSettingError(RuntimeError):
    """A variable of the environment is missing, or has a value that it cannot have."""


@dataclass(frozen=True)
class Producer:
    """Whose records a stream carries: only the role of this producer may put to it."""

    name: str
    tenant: str
    sites: frozenset[str]


@dataclass(frozen=True)
class IntakeSettings:
    """`producers` by the ARN of their stream (IOT_PRODUCERS, JSON); the others from IOT_<NAME>."""

    stream: str
    refused_bucket: str
    metric_namespace: str
    producers: Mapping[str, Producer]


@cache
def intake_settings() -> IntakeSettings:
    """Those of this process. Raises WrongSettingError naming the variable and what was expected."""
    return IntakeSettings(
        stream=_variable("STREAM"),
        refused_bucket=_variable("REFUSED_BUCKET"),
        metric_namespace=_variable("METRIC_NAMESPACE"),
        producers=_producers(_variable("PRODUCERS")),
    )


def _variable(name: str) -> str:
    value = os.environ.get(f"IOT_{name}", "")
    if not value:
        raise WrongSettingError(f"set IOT_{name}: infra/stacks/producers/stack.py does (docs/producers.md)")
    return value


def _producers(text: str) -> dict[str, Producer]:
    try:
        return {
            arn: Producer(str(each["name"]), str(each["tenant"]), frozenset(each["sites"]))
            for arn, each in json.loads(text).items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WrongSettingError(
            f"IOT_PRODUCERS is {text[:200]!r}: expected a JSON object of streams' ARNs, each with name, tenant, sites"
        ) from error
