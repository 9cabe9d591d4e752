"""Where the edge's parts are, from the environment of a function."""

import math
import os
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from iot_pipeline.contract.contract import CONTRACT, Contract


class MissingSettingError(RuntimeError):
    """Variables of the environment are not set."""


class WrongSettingError(RuntimeError):
    """A variable of the environment has a value that it cannot have."""


@dataclass(frozen=True)
class EdgeSettings:
    """The names that the stacks gave, each from IOT_<NAME>. Only `channels_secret` may be empty: SNS is told alone."""

    device_state_table: str
    alerts_table: str
    rules_bucket: str
    topic_warning: str
    topic_critical: str
    stream: str
    notify_function: str
    deliver_function: str
    edge_function: str
    alert_dead_letters_url: str
    metric_namespace: str
    channels_secret: str = ""


@cache
def edge_settings() -> EdgeSettings:
    """Those of this process. Raises MissingSettingError naming each variable that is not set."""
    given = {name: os.environ.get(f"IOT_{name.upper()}", "") for name in EdgeSettings.__dataclass_fields__}
    missing = [f"IOT_{name.upper()}" for name, value in given.items() if not value and name != "channels_secret"]
    if missing:
        raise MissingSettingError(f"set {', '.join(missing)}: outputs of the stacks of the edge (docs/operations.md)")
    return EdgeSettings(**given)


def contract() -> Contract:
    """The contract with this deployment's bounds on event time, as `settings.Policy` has it for the lake.

    Raises WrongSettingError.
    """
    days = _number("IOT_LATENESS_DAYS", CONTRACT.lateness_bound / timedelta(days=1))
    hours = _number("IOT_FUTURE_HOURS", CONTRACT.future_bound / timedelta(hours=1))
    if days <= 0 or hours < 0:
        raise WrongSettingError(f"IOT_LATENESS_DAYS must be above 0 and IOT_FUTURE_HOURS at least 0: {days}, {hours}")
    return Contract(lateness_bound=timedelta(days=days), future_bound=timedelta(hours=hours))


def _number(name: str, default: float) -> float:
    text = os.environ.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise WrongSettingError(f"{name} must be a number, got {text!r}")
    return value
