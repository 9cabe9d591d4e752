"""The Lambda function that pulls from one vendor, by its schedule, and on request a back-fill."""

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import boto3

from iot_pipeline.edge.telemetry import emit
from iot_pipeline.pull.pull_settings import PullSettings, pull_settings
from iot_pipeline.pull.pull_state import PullStates
from iot_pipeline.pull.pulled_objects import PulledObjects
from iot_pipeline.pull.puller import Backfill, Pulled, Puller
from iot_pipeline.pull.vendor import Vendor
from iot_pipeline.pull.vendor_client import Clock, VendorClient
from iot_pipeline.pull.vendor_file import read_vendor
from iot_pipeline.pull.vendor_http import request

# The root of the package, where the stack puts the vendor's file.
_PACKAGE = Path(__file__).resolve().parents[2]
log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class WrongEventError(ValueError):
    """The function was called with something that it does not know."""


class SecretError(RuntimeError):
    """The vendor's secret is empty, or no JSON object."""


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What AWS Lambda calls: {"backfill": {"from_ms", "to_ms", "resource"}}, or an event of the schedule.

    A vendor's failure is told by metrics and in the answer; what is raised is ours, or AWS's.
    """
    settings = pull_settings()
    vendor = read_vendor(_PACKAGE / settings.pull_vendor_file)
    puller = _puller(vendor, settings)
    seconds = context.get_remaining_time_in_millis() / 1000
    did = puller.backfill(_wanted(event["backfill"]), seconds) if "backfill" in event else puller.run(seconds)
    _tell(settings.metric_namespace, vendor, did)
    return {"vendor": vendor.name, "resources": [asdict(each) for each in did]}


def read_secret(secrets: Any, name: str) -> dict[str, str]:
    """A secret that is a JSON object of texts. Raises SecretError, and botocore's errors."""
    text = secrets.get_secret_value(SecretId=name)["SecretString"]
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        # Without the text, and without the parser's error, which quotes it.
        raise SecretError(f"the secret {name} must be a JSON object of texts (docs/api-pull.md)")
    return found


def _wanted(given: Any) -> Backfill:
    expected = {"from_ms": int, "to_ms": int, "resource": str}
    if not isinstance(given, dict) or {name: type(value) for name, value in given.items()} != expected:
        raise WrongEventError(f"backfill: expected from_ms, to_ms and resource, got {str(given)[:200]}")
    return Backfill(**given)


def _tell(namespace: str, vendor: Vendor, did: list[Pulled]) -> None:
    metrics = {
        name: sum(getattr(each, name) for each in did) for name in ("pages", "readings", "unplaced", "repeated", "gaps")
    }
    metrics["failed"] = sum(bool(each.error) for each in did)
    metrics["behind_ms"] = max((each.behind_ms for each in did), default=0)
    emit(namespace, f"pull-{vendor.name}", metrics, resources=[asdict(each) for each in did])


def _puller(vendor: Vendor, settings: PullSettings) -> Puller:
    """Made for each invocation, so that a secret that was changed is read."""
    clock = Clock()
    secret = read_secret(boto3.client("secretsmanager"), settings.pull_secret)
    states = PullStates(boto3.client("dynamodb"), settings.pull_table)
    objects = PulledObjects(boto3.client("s3"), settings.lake_bucket)
    return Puller(vendor, VendorClient(vendor, secret, request, clock), states, objects, clock)
