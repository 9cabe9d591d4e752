"""Channels for tests: the notifier and the deliverer in this process, with a clock that the test sets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from iot_pipeline.alerting.channels.channel_letters import Letters
from iot_pipeline.alerting.channels.channel_state import ChannelStates
from iot_pipeline.alerting.channels.delivery import Delivered, Deliverer
from iot_pipeline.alerting.channels.source import ChannelsSource
from iot_pipeline.alerting.episodes import About, Place
from iot_pipeline.alerting.lifecycle import AlertKey, Observation, Severity
from iot_pipeline.alerting.trackers import TrackerStore, Watching
from iot_pipeline.edge.deliver import make_deliverer
from iot_pipeline.edge.notify import Notifier
from iot_pipeline_tests.support.edge import Edge
from iot_pipeline_tests.support.emulator import unique

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
BUDGET_MS = 35_000


@dataclass
class Asked:
    """Stands for Lambda: whom the notifier asked to deliver."""

    channels: list[str] = field(default_factory=list)

    def invoke(self, *, Payload: bytes, **_: Any) -> None:  # noqa: N803  boto3's names
        """Remember the channel of a call."""
        self.channels.append(json.loads(Payload)["channel"])


@dataclass
class Channels:
    """An edge with channels, at `now_ms`. Each call makes its parts anew, as a cold start does."""

    edge: Edge
    secret: str
    now_ms: int
    seconds: float = 10.0
    asked: Asked = field(default_factory=Asked)

    @classmethod
    def of(cls, edge: Edge, now_ms: int, *channels: Mapping[str, Any]) -> "Channels":
        """Channels with a document in a secret of their own."""
        name = unique("channels")
        text = json.dumps({"channels": channels})
        edge.aws.client("secretsmanager").create_secret(Name=name, SecretString=text)
        return cls(edge, name, now_ms)

    def source(self) -> ChannelsSource:
        """Where the document is."""
        return ChannelsSource(self.edge.aws.client("secretsmanager"), self.secret)

    @property
    def letters(self) -> Letters:
        """The letters of the edge."""
        return Letters(self.edge.clients["dynamodb"], self.edge.settings.alerts_table)

    def notifier(self) -> Notifier:
        """What decides who is told what."""
        dynamodb, table = self.edge.clients["dynamodb"], self.edge.settings.alerts_table
        return Notifier(
            self.edge.settings,
            self.edge.alerts,
            self.letters,
            ChannelStates(dynamodb, table),
            self.source(),
            self.edge.publish,
            self.asked,
        )

    def notify(self) -> dict[str, int]:
        """Have it decide once."""
        return self.notifier().run(self.now_ms)

    def deliverer(self) -> Deliverer:
        """What sends."""
        clients = self.edge.clients
        return make_deliverer(self.edge.settings, clients.__getitem__, self.seconds, lambda: self.now_ms)

    def deliver(self, name: str) -> Delivered:
        """Have it send to one channel."""
        document = self.source().current()
        channel = document.channel(name) if document is not None else None
        assert channel is not None
        return self.deliverer().run(channel, BUDGET_MS)

    def tell(self) -> None:
        """Decide, and send to all that the notifier asks for."""
        self.notify()
        for name in self.asked.channels:
            self.deliver(name)
        self.asked.channels.clear()

    def see(
        self, rule: str, severity: Severity, *, place: Place | None = None, subject: str = "s", text: str = ""
    ) -> str:
        """An observation of an alert at this moment, `CLEAR` to end it; the episode's id where one is open or ends."""
        store = TrackerStore(self.edge.clients["dynamodb"], self.edge.settings.alerts_table)
        watching = Watching(store, store.load("test"), self.now_ms)
        key = AlertKey(subject, rule)
        where = place or Place("#pipeline", "runs")
        watching.observe(key, Observation(self.now_ms, severity), where, About(f"{rule} of {subject}", text), ())
        watching.save()
        return str(next(iter(self.edge.alerts.history(subject)))["id"])
