"""Channels against a real receiver: each told once and in order, and none held up by another that fails."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from iot_pipeline_tests.support.edge import NOON_MS, Edge, event, line, make_edge, reading
from iot_pipeline_tests.support.edge_functions import create_functions
from iot_pipeline_tests.support.emulator import LocalAws, eventually
from iot_pipeline_tests.support.receiver import Receiver, receiving

MINUTE = 60_000
HOUR = 60 * MINUTE
ROUTING_KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """One server for all tests; each uses paths of its own."""
    with receiving(tmp_path_factory.mktemp("receiver")) as started:
        yield started


def configured(edge: Edge, *channels: dict[str, Any], **more: Any) -> None:
    """Write the document of the channels."""
    text = json.dumps({"channels": list(channels), **more})
    edge.aws.client("secretsmanager").create_secret(Name=edge.settings.channels_secret, SecretString=text)


def hot(
    edge: Edge, number: int, at_ms: int, device: str = "d1", temperature: float = 400.0, site: str = "bern"
) -> None:
    """A reading that opens an alert, or with another temperature ends it."""
    data = line([reading(at_ms, number, temperature=temperature)], at_ms, device=device, site=site)
    assert edge.handler().take(event([(number, data)])) == {"batchItemFailures": []}


def cool(edge: Edge, number: int, at_ms: int, device: str = "d1", site: str = "bern") -> None:
    """Readings by which an alert is resolved, after its hold."""
    hot(edge, number, at_ms, device, 20.0, site)
    hot(edge, number + 1, at_ms + 2 * MINUTE, device, 20.0, site)


def test_the_functions_tell_of_an_alert_once_and_close_its_incident(local_aws: LocalAws, receiver: Receiver) -> None:
    """The functions themselves, in processes of the local AWS, over TLS."""
    edge = make_edge(local_aws)
    edge = replace(edge, settings=replace(edge.settings, channels_secret=f"{edge.settings.stream}-channels"))
    pager = {"kind": "pagerduty", "address": receiver.url("/functions/v2/enqueue"), "routing_key": ROUTING_KEY}
    slack = {"kind": "slack", "address": receiver.url("/functions/slack")}
    configured(edge, {"name": "pager", **pager}, {"name": "ops", **slack})
    settings = edge.settings
    create_functions(
        edge,
        ((settings.notify_function, "notify", 1), (settings.deliver_function, "deliver", 10)),
        {"SSL_CERT_FILE": receiver.authorities},
    )

    def told(count: int) -> bool:
        paths = ("/functions/slack", "/functions/v2/enqueue")
        return eventually(lambda: all(len(receiver.got(path)) == count for path in paths), 30)

    # The handler asks the notifier, and that one the deliverer, for each of the two.
    hot(edge, 1, NOON_MS)
    assert told(1)
    cool(edge, 2, NOON_MS + MINUTE)
    assert told(2)
    (episode,) = edge.episodes()
    events = receiver.got("/functions/v2/enqueue")
    assert [(each["event_action"], each["dedup_key"]) for each in events] == [
        ("trigger", episode["id"]),
        ("resolve", episode["id"]),
    ]
