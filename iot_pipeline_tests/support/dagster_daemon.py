"""What Dagster's daemon writes, for tests in which none runs: its heartbeats, and the ticks of a sensor."""

from datetime import datetime

import dagster as dg
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, SensorInstigatorData, TickData
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.types import DaemonHeartbeat
from dagster_shared.error import SerializableErrorInfo

from iot_pipeline.defs.dagster_internals import InstigatorType, TickStatus


def beat(instance: dg.DagsterInstance, at: datetime, *names: str) -> None:
    """A heartbeat of these parts of the daemon, or of all."""
    for name in names or instance.get_required_daemon_types():
        instance.add_daemon_heartbeat(DaemonHeartbeat(at.timestamp(), name, "test", []))


class TickingSensor:
    """A sensor that is on."""

    def __init__(self, instance: dg.DagsterInstance, name: str) -> None:
        target = LoadableTargetOrigin(module_name="iot_pipeline.definitions")
        origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(InProcessCodeLocationOrigin(target), "r"), name)
        data = SensorInstigatorData(min_interval=10)
        self.instance, self.name = instance, name
        self.state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, data)
        instance.add_instigator_state(self.state)

    def tick(self, status: TickStatus, at: datetime, message: str | None = None) -> None:
        """One tick that has ended."""
        error = SerializableErrorInfo(f"{message}\n", [], "RuntimeError") if message else None
        self.instance.create_tick(
            TickData(
                self.state.instigator_origin_id,
                self.name,
                InstigatorType.SENSOR,
                status,
                at.timestamp(),
                run_ids=[],
                selector_id=self.state.selector_id,
                error=error,
                end_timestamp=at.timestamp(),
            )
        )
