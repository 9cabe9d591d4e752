"""Workgroups: those made through this API, and those CloudFormation made in the emulator."""

import threading
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from infra.local.athena.config import Config
from infra.local.athena.errors import ApiError

ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
MIN_CUTOFF = 10_000_000
"""Smallest BytesScannedCutoffPerQuery (Athena API reference, "WorkGroupConfiguration")."""


@dataclass
class WorkGroup:
    """A workgroup as GetWorkGroup returns it, plus what the engine needs of it."""

    name: str
    configuration: dict[str, Any]
    description: str = ""
    state: str = "ENABLED"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def cutoff(self) -> int | None:
        """Bytes a query may scan, or None."""
        limit = self.configuration.get("BytesScannedCutoffPerQuery")
        return int(limit) if limit else None

    @property
    def enforced(self) -> bool:
        """Whether the workgroup's settings override the client's (the default is True)."""
        return bool(self.configuration.get("EnforceWorkGroupConfiguration", True))

    @property
    def output_location(self) -> str | None:
        """Where results go unless the client may say otherwise."""
        location = self.configuration.get("ResultConfiguration", {}).get("OutputLocation")
        return str(location) if location else None

    def describe(self) -> dict[str, Any]:
        """The WorkGroup structure of the API."""
        return {
            "Name": self.name,
            "State": self.state,
            "Description": self.description,
            "Configuration": {**self.configuration, "EngineVersion": ENGINE},
            "CreationTime": self.created,
        }


class WorkGroups:
    """The registry; `get` falls back to the emulator for workgroups that CloudFormation created there."""

    def __init__(self, config: Config) -> None:
        self.emulator = config.client("athena")
        self._lock = threading.Lock()
        primary = WorkGroup("primary", {"EnforceWorkGroupConfiguration": False, "ResultConfiguration": {}})
        self._own = {"primary": primary}

    def get(self, name: str | None) -> WorkGroup:
        """The workgroup, `primary` for None; ApiError when neither side knows it."""
        name = name or "primary"
        own = self._own.get(name)
        if own:
            return own
        try:
            found = self.emulator.get_work_group(WorkGroup=name)["WorkGroup"]
        except ClientError as error:
            raise ApiError("InvalidRequestException", f"WorkGroup {name} is not found.") from error
        return WorkGroup(name, found.get("Configuration") or {}, found.get("Description", ""), found["State"])

    def all(self) -> list[WorkGroup]:
        """Own workgroups and the emulator's."""
        names = {summary["Name"] for summary in self.emulator.list_work_groups()["WorkGroups"]}
        return [self.get(name) for name in sorted(names | set(self._own))]

    def create(self, name: str, configuration: dict[str, Any], description: str) -> None:
        """Add a workgroup; ApiError when the name is taken or the cutoff too small."""
        _check(configuration)
        with self._lock:
            if name in self._own:
                raise ApiError("InvalidRequestException", "WorkGroup is already created")
            self._own[name] = WorkGroup(name, deepcopy(configuration), description)

    def update(self, name: str, updates: dict[str, Any], description: str | None, state: str | None) -> None:
        """Apply ConfigurationUpdates as UpdateWorkGroup does."""
        with self._lock:
            group = self._own.setdefault(name, self.get(name))
            merged = deepcopy(group.configuration)
            results = merged.setdefault("ResultConfiguration", {})
            for key, value in updates.items():
                if key == "ResultConfigurationUpdates":
                    results.update({k: v for k, v in value.items() if not k.startswith("Remove")})
                    for flag in (k for k, v in value.items() if k.startswith("Remove") and v):
                        results.pop(flag.removeprefix("Remove"), None)
                elif key == "RemoveBytesScannedCutoffPerQuery":
                    merged.pop("BytesScannedCutoffPerQuery", None)
                else:
                    merged[key] = value
            _check(merged)
            group.configuration = merged
            group.description = group.description if description is None else description
            group.state = state or group.state

    def delete(self, name: str) -> None:
        """Remove a workgroup; `primary` stays."""
        if name == "primary":
            raise ApiError("InvalidRequestException", "The primary workgroup cannot be deleted")
        self.get(name)
        self._own.pop(name, None)


def _check(configuration: dict[str, Any]) -> None:
    engine = (configuration.get("EngineVersion") or {}).get("SelectedEngineVersion", "")
    if engine.lower().startswith("pyspark"):
        raise ApiError("InvalidRequestException", f"NOT_SUPPORTED_LOCALLY: {engine} (Spark); only Athena SQL is there")
    if (configuration.get("ManagedQueryResultsConfiguration") or {}).get("Enabled"):
        raise ApiError("InvalidRequestException", "NOT_SUPPORTED_LOCALLY: ManagedQueryResultsConfiguration")
    limit = configuration.get("BytesScannedCutoffPerQuery")
    if limit is not None and limit < MIN_CUTOFF:
        raise ApiError("InvalidRequestException", f"BytesScannedCutoffPerQuery must be at least {MIN_CUTOFF}")
