"""The devices of this deployment, as the routes ask for them."""

from dataclasses import dataclass

from iot_pipeline.connections.edge import open_alerts, open_states
from iot_pipeline.console.bounded_athena import BoundedAthena, Meter
from iot_pipeline.console.coalesced import Coalesced
from iot_pipeline.console.devices.quality import Quality, quality_of
from iot_pipeline.console.devices.sections import Sources
from iot_pipeline.console.devices.series import LiveReading, Series, Window, series_of
from iot_pipeline.console.registry_pool import Connect
from iot_pipeline.lake.hours import Hour, hours_between

SECONDS = 20.0
_AT_ONCE, _WITHIN_SECONDS = 3, 40.0
_QUALITY_KEPT_SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class SeriesQuestion:
    """What is asked for. No two are equal: each names its own live readings, and an answer is right for those alone."""

    device: str
    metrics: tuple[str, ...]
    window: Window
    live: tuple[LiveReading, ...]
    tenant: str | None


@dataclass(frozen=True)
class QualityQuestion:
    """What is asked for."""

    device: str
    first: Hour
    last: Hour
    tenant: str | None


class Devices:
    """Where devices' parts are kept, and what is asked of Athena for them."""

    def __init__(self, sources: Sources, meter: Meter) -> None:
        self.sources, self._meter = sources, meter
        self.series: Coalesced[SeriesQuestion, Series] = Coalesced(self._series, _AT_ONCE, 0, _WITHIN_SECONDS)
        self.quality: Coalesced[QualityQuestion, Quality] = Coalesced(
            self._quality, _AT_ONCE, _QUALITY_KEPT_SECONDS, _WITHIN_SECONDS
        )

    def _series(self, asked: SeriesQuestion) -> Series:
        athena = BoundedAthena(self._meter, SECONDS)
        return series_of(athena, asked.device, asked.metrics, asked.window, asked.live, asked.tenant)

    def _quality(self, asked: QualityQuestion) -> Quality:
        athena = BoundedAthena(self._meter, SECONDS)
        return quality_of(athena, asked.device, hours_between(asked.first, asked.last), asked.tenant)


def open_devices(connect: Connect, meter: Meter) -> Devices:
    """The devices of this deployment; `connect` opens its registry, `meter` counts the queries.

    Raises pydantic.ValidationError.
    """
    return Devices(Sources(connect, open_states(), open_alerts()), meter)
