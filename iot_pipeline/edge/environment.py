"""Where the edge's parts are, from the environment of a function or of a person's shell."""

import os
from dataclasses import dataclass
from functools import cache


class MissingSettingError(RuntimeError):
    """Variables of the environment are not set."""


@dataclass(frozen=True)
class EdgeSettings:
    """The names that the stacks gave, each from IOT_<NAME>."""

    device_state_table: str
    alerts_table: str
    rules_bucket: str
    topic_warning: str
    topic_critical: str
    stream: str
    notify_function: str
    edge_function: str
    metric_namespace: str


@cache
def edge_settings() -> EdgeSettings:
    """Those of this process. Raises MissingSettingError naming each variable that is not set."""
    names = list(EdgeSettings.__dataclass_fields__)
    missing = [f"IOT_{name.upper()}" for name in names if not os.environ.get(f"IOT_{name.upper()}")]
    if missing:
        raise MissingSettingError(
            f"set {', '.join(missing)}: outputs of the stack Edge (`make up` writes them to .env)"
        )
    return EdgeSettings(**{name: os.environ[f"IOT_{name.upper()}"] for name in names})
