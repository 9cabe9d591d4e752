"""The live half's sources and its hub, started and stopped with the service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.console.live.alert_feed import AlertFeed
from iot_pipeline.console.live.hub import Hub
from iot_pipeline.console.live.shards import StreamReader
from iot_pipeline.contract import CONTRACT, Contract
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.state_store import StateStore

# How far back the stream is read at a start: what the curated zone may not have yet, so that a device's page joins the
# two without a gap. Firehose's buffer, the interval of builds and a build take less.
HISTORY = timedelta(minutes=15)


@dataclass
class Live:
    """What reads, and the hub it fills. The clients are boto3's, of the Kinesis stream's account."""

    kinesis: Any
    stream: str
    states: StateStore
    alerts: AlertsTable
    contract: Contract = CONTRACT
    hub: Hub = field(init=False)

    def __post_init__(self) -> None:
        """The hub is there before it is filled."""
        self.hub = Hub(Judge(self.contract))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read the sources meanwhile. A source that does not answer is said by the hub, and tried again."""
        loop = asyncio.get_running_loop()
        hub = self.hub

        def handed(take: Callable[..., None]) -> Callable[..., None]:
            return lambda *given: _hand_over(loop, take, given)

        reader = StreamReader(self.kinesis, self.stream, handed(hub.take), handed(hub.note_trouble), HISTORY)
        feed = AlertFeed(self.alerts, handed(hub.take_alerts), handed(hub.note_trouble))
        restoring = asyncio.create_task(self._restore())
        beating = asyncio.create_task(hub.run())
        reader.start()
        feed.start()
        try:
            yield
        finally:
            hub.close()
            for task in (restoring, beating):
                task.cancel()
            await asyncio.gather(restoring, beating, return_exceptions=True)
            await asyncio.gather(asyncio.to_thread(reader.stop), asyncio.to_thread(feed.stop))

    async def _restore(self) -> None:
        """The fleet as the edge knows it. Read once: from then on the stream tells."""
        pause = 1.0
        while True:
            try:
                states = await asyncio.to_thread(lambda: list(self.states.seen(0, 1)))
            except (BotoCoreError, ClientError) as error:
                self.hub.note_trouble("states", f"the table of device states does not answer: {error}")
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)
            else:
                self.hub.note_trouble("states", None)
                self.hub.restore(states)
                return


def _hand_over(loop: asyncio.AbstractEventLoop, take: Callable[..., None], given: tuple[Any, ...]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(take, *given)
