"""What the clock starts, and what is watched."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting, document
from infra.local.deploy.resources import Resource


def rule(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Events::Rule: without its schedule or pattern and its targets nothing is looked for and nothing is sent."""
    name = resource.properties["Name"]

    def field(key: str) -> Any:
        return clients.events.describe_rule(Name=name).get(key)

    for key, value in resource.properties.items():
        if key == "Targets":
            yield Setting(
                key,
                {target["Id"]: target for target in value},
                lambda: {t["Id"]: t for t in clients.events.list_targets_by_rule(Rule=name)["Targets"]},
                needed=True,
            )
        elif key == "EventPattern":
            yield Setting(key, value, lambda: document(field("EventPattern")), needed=True)
        else:
            yield Setting(key, value, partial(field, key), needed=key in {"ScheduleExpression", "State"})


def alarm(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::CloudWatch::Alarm: its properties are the API's fields by the same names."""

    def field(key: str) -> Any:
        (found,) = clients.cloudwatch.describe_alarms(AlarmNames=[resource.physical_id])["MetricAlarms"]
        value = found.get(key)
        return int(value) if isinstance(value, float) and value.is_integer() else value

    for key, value in resource.properties.items():
        yield Setting(key, value, partial(field, key))
