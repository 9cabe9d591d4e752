"""A run: first what an earlier run left unacknowledged, then the plan's batches, until everything is answered."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from iot_pipeline.contract import topic
from simulator.connection import Endpoint
from simulator.fleet import Device, Fleet
from simulator.generator import Batch, Generator
from simulator.keys import credentials
from simulator.manifest_writer import Manifest, Summary
from simulator.outbox import NewMessage, Outbox
from simulator.plan import Plan
from simulator.publisher import TICK_S, Counts, Publisher, now_ms
from simulator.state import State

# Batches of a paced plan are made this long before their first message is due.
_AHEAD_MS = 300
_CONNECT_TIMEOUT_S = 20.0
# On a busy machine handshakes are slow; what is refused is an error, and is not waited for.
_FIRST_CONNECT_TIMEOUT_S = 120.0
_FLUSH_EVERY_S = 0.5


class Source(Protocol):
    """Where a run's new messages come from."""

    def ready(self, queued: int) -> bool:
        """Whether the next batch should be made now, given the messages waiting to be sent."""

    def next_batch(self) -> tuple[Batch, dict[str, Any]]:
        """The next batch and what to store in the outbox together with it."""

    @property
    def finished(self) -> bool:
        """Whether there is no further batch."""

    @property
    def paced(self) -> bool:
        """Whether messages wait for their time, so that a quiet moment is no sign of trouble."""

    @property
    def messages_left(self) -> int:
        """How many messages are still to be made, about."""


@dataclass(frozen=True)
class Progress:
    """What a run has done so far."""

    counts: Counts
    connected: int
    unanswered: int
    total: int | None
    error: str

    @property
    def answered(self) -> int:
        """Messages that the broker has answered."""
        return self.counts.acknowledged + self.counts.rejected


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the manifest's summary, and why devices that still miss an answer cannot send."""

    summary: Summary
    counts: Counts
    errors: dict[str, str]


class FleetSource:
    """The generator's batches, in step with the clock or with the broker."""

    def __init__(
        self, generator: Generator, plan: Plan, fleet: Fleet, sequences: Mapping[str, Any], window: int
    ) -> None:
        """Wrap a generator; `sequences` are those of all devices known to the outbox."""
        self._generator, self._plan, self._fleet = generator, plan, fleet
        self._sequences = dict(sequences)
        self._window = window

    @property
    def finished(self) -> bool:
        """Whether the plan is generated to its end."""
        return self._generator.finished

    @property
    def paced(self) -> bool:
        """Whether the plan follows the clock."""
        return self._plan.paced

    @property
    def messages_left(self) -> int:
        """Messages of the batches to come, not counting what faults add or take."""
        plan = self._plan
        return max(0, plan.messages - self._generator.state.batch * plan.batch_messages) * plan.devices

    def ready(self, queued: int) -> bool:
        """Shortly before the batch is due; for a backlog, before the window of the publisher runs dry."""
        if not self._plan.paced:
            return queued < self._window
        first, _ = self._plan.batch_range(self._generator.state.batch)
        return now_ms() >= self._plan.start_ms + (first + self._plan.pack) * self._plan.step_ms - _AHEAD_MS

    def next_batch(self) -> tuple[Batch, dict[str, Any]]:
        """A batch, with the state and the sequence numbers after it."""
        batch = self._generator.next_batch()
        state = self._generator.state
        ids = [device.device_id for device in self._fleet.devices]
        self._sequences |= zip(ids, zip(state.seq, state.number, strict=True), strict=True)
        return batch, {"state": state, "sequences": self._sequences}


def fleet_source(
    outbox: Outbox,
    fleet: Fleet,
    faults: Mapping[str, float],
    options: dict[str, Any],
    make_plan: Callable[[], Plan],
    window: int,
) -> tuple[FleetSource, Plan, bool]:
    """The source of a run, its plan, and whether it continues an unfinished backlog of the same options.

    Sequence numbers go on from the outbox; a number is never used twice.
    """
    job = {**options, "faults": dict(faults), "fleet": fleet_key(fleet)}
    sequences = outbox.get("sequences") or {}
    if outbox.get("job") == job and (stored := outbox.get("plan")) is not None:
        plan, state = Plan(**stored), State.from_json(outbox.get("state"))
        if not plan.paced and state.batch < plan.batches and plan.timely(now_ms()):
            # A replay in between used message numbers of its device.
            for d, device in enumerate(fleet.devices):
                state.number[d] = max(state.number[d], sequences.get(device.device_id, (1, 1))[1])
            return FleetSource(Generator(fleet, plan, faults, state), plan, fleet, sequences, window), plan, True
    plan, state = make_plan(), State.start(fleet)
    if (outbox.get("job") or {}).get("fleet") == job["fleet"] and (before := outbox.get("state")) is not None:
        # The world goes on: what a sensor is stuck at outlasts a run of the simulator.
        known = State.from_json(before)
        state.noise, state.stuck = known.noise, known.stuck
    for d, device in enumerate(fleet.devices):
        state.seq[d], state.number[d] = sequences.get(device.device_id, (1, 1))
    outbox.put(job=job, plan=asdict(plan), state=state)
    return FleetSource(Generator(fleet, plan, faults, state), plan, fleet, sequences, window), plan, False


def fleet_key(fleet: Fleet) -> list[Any]:
    """What identifies a fleet."""
    return [fleet.seed, [device.device_id for device in fleet.devices]]


class Run:
    """One run over an output folder: outbox, manifest and connections."""

    def __init__(
        self,
        out: Path,
        fleet_folder: Path,
        devices: tuple[Device, ...],
        endpoint: Endpoint,
        window: int,
        drain_timeout_s: float,
    ) -> None:
        """Open the outbox below `out`. Raises FileNotFoundError for a device without credentials."""
        for device in devices:
            if not credentials(fleet_folder, device.device_id).certificate.exists():
                raise FileNotFoundError(f"{device.device_id} has no certificate in {fleet_folder}; onboard it first")
        self._fleet_folder, self._devices, self._endpoint = fleet_folder, devices, endpoint
        self._window, self._drain_timeout_s = window, drain_timeout_s
        self.on_progress: Callable[[Progress], None] = lambda _progress: None
        self.outbox = Outbox(out)
        self._manifest = Manifest(out, self.outbox)
        self._stopping = False
        self._source: Source | None = None

    def close(self) -> None:
        """Close the outbox."""
        self.outbox.close()

    async def publish(self, make_source: Callable[[], Source | None]) -> Outcome:
        """Connect, send what is left over, then the source's batches; wait for the answers; write the manifest.

        `make_source` is called once the fleet is connected, so that a plan that starts now starts then. An interrupt
        (SIGINT, SIGTERM) ends the source early and still waits for the answers. Gives up when messages are due and no
        answer came for the drain timeout.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        left_over = self.outbox.unsettled()
        files = {device.device_id: credentials(self._fleet_folder, device.device_id) for device in self._devices}
        for device_id in {message.device_id for message in left_over} - files.keys():
            files[device_id] = credentials(self._fleet_folder, device_id)
        async with Publisher(self.outbox, self._endpoint, files, self._window) as publisher:
            publisher.enqueue(left_over)
            await self._until_connected(publisher, len(files))
            self._source = make_source()
            await self._drive(publisher, self._source)
            self._report(publisher)
            outcome_errors = publisher.errors
        return Outcome(self._manifest.finish(), publisher.counts, outcome_errors)

    def _stop(self) -> None:
        self._stopping = True

    async def _until_connected(self, publisher: Publisher, devices: int) -> None:
        """Wait for the whole fleet, or for as many as connect within the timeout; longer for the first of all."""
        clock = asyncio.get_running_loop().time
        began = clock()

        def give_up() -> bool:
            patience = _CONNECT_TIMEOUT_S if publisher.connected or publisher.errors else _FIRST_CONNECT_TIMEOUT_S
            return clock() - began > patience

        while publisher.connected < devices and not self._stopping and not give_up():
            publisher.check()
            self._report(publisher)
            await asyncio.sleep(0.05)
        if publisher.connected == 0 and not self._stopping:
            some = next(iter(publisher.errors.values()), "no answer")
            raise ConnectionError(f"no device could connect to {self._endpoint.host}:{self._endpoint.port}: {some}")

    async def _drive(self, publisher: Publisher, source: Source | None) -> None:
        loop = asyncio.get_running_loop()
        last_answer = last_flush = loop.time()
        answers = 0
        while True:
            generating = source is not None and not source.finished and not self._stopping
            if generating and source is not None and source.ready(publisher.queued):
                self._add(publisher, source)
            publisher.pump()
            now = loop.time()
            answered = publisher.counts.acknowledged + publisher.counts.rejected
            # A live fleet goes on measuring while the broker is away; a backlog does not.
            if answered != answers or not publisher.overdue or (generating and source is not None and source.paced):
                answers, last_answer = answered, now
            if not generating and publisher.unanswered == 0:
                return
            if now - last_answer > self._drain_timeout_s:
                return
            if now - last_flush > _FLUSH_EVERY_S:
                last_flush = now
                self._manifest.flush()
                self._report(publisher)
            await asyncio.sleep(TICK_S)

    def _add(self, publisher: Publisher, source: Source) -> None:
        batch, values = source.next_batch()
        new = []
        for message in batch.messages:
            device = self._devices[message.device]
            name = topic(device.tenant, device.site, device.device_id, self._endpoint.topic_root)
            new.append(NewMessage(device.device_id, message.number, name, message.payload, message.due_ms))
        publisher.enqueue(self.outbox.append(new, batch.rows, **values))

    def _report(self, publisher: Publisher) -> None:
        counts = publisher.counts
        left = None if self._source is None else self._source.messages_left
        total = None if left is None else counts.acknowledged + counts.rejected + publisher.unanswered + left
        error = next(iter(publisher.errors.values()), "")
        self.on_progress(Progress(counts, publisher.connected, publisher.unanswered, total, error))
