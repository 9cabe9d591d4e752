"""What a device may measure. Tables and SQL derive from METRICS; docs/contract.md, "Adding a metric", has the rest."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A unit a device may send: canonical value = sent value * factor + offset."""

    symbol: str
    factor: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class Metric:
    """One measured quantity.

    `minimum` and `maximum` bound what is physically plausible, in the canonical unit, both inclusive; a reading
    outside is quarantined. `max_rate` is the largest plausible change per minute, in the canonical unit: a faster
    change is an anomaly to alert on, never a reason to quarantine. The first unit is the canonical one.
    """

    name: str
    units: tuple[Unit, ...]
    minimum: float
    maximum: float
    max_rate: float
    description: str

    @property
    def unit(self) -> str:
        """The canonical unit's symbol."""
        return self.units[0].symbol


METRICS: tuple[Metric, ...] = (
    Metric(
        "temperature",
        (Unit("C"), Unit("F", 5 / 9, -32 * 5 / 9)),
        minimum=-60.0,
        maximum=150.0,
        max_rate=20.0,
        description="Temperature at the sensor; degrees Fahrenheit are converted.",
    ),
    Metric("humidity", (Unit("%"),), minimum=0.0, maximum=100.0, max_rate=30.0, description="Relative humidity."),
    Metric("pressure", (Unit("hPa"),), minimum=300.0, maximum=1100.0, max_rate=10.0, description="Air pressure."),
    Metric(
        "flow_rate",
        (Unit("L/min"),),
        minimum=0.0,
        maximum=500.0,
        max_rate=500.0,
        description="Water flow through a meter; a flow that never returns to zero is a leak.",
    ),
    Metric("battery", (Unit("V"),), minimum=0.0, maximum=5.0, max_rate=0.5, description="Battery voltage."),
    Metric("rssi", (Unit("dBm"),), minimum=-130.0, maximum=0.0, max_rate=60.0, description="Radio signal strength."),
)
