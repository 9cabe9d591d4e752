"""Where a function that pulls finds its parts, from its environment."""

import os
from dataclasses import dataclass


class MissingPullSettingError(RuntimeError):
    """Variables of the environment are not set."""


@dataclass(frozen=True)
class PullSettings:
    """The names that the stack gave, each from IOT_<NAME>. `pull_vendor_file` is a path within the package."""

    lake_bucket: str
    pull_table: str
    pull_secret: str
    pull_vendor_file: str
    metric_namespace: str


def pull_settings() -> PullSettings:
    """Those of this process. Raises MissingPullSettingError naming each variable that is not set."""
    given = {name: os.environ.get(f"IOT_{name.upper()}", "") for name in PullSettings.__dataclass_fields__}
    if missing := [f"IOT_{name.upper()}" for name, value in given.items() if not value]:
        raise MissingPullSettingError(f"set {', '.join(missing)}: the stack Pull does (docs/api-pull.md)")
    return PullSettings(**given)
