"""The rules there are, with their parameters, defaults and bounds: everything about rules derives from KINDS."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from iot_pipeline.contract import METRICS, Metric

Value = float | None


@dataclass(frozen=True)
class Parameter:
    """A number that a rule takes, in `unit`, from `minimum` to `maximum`; `optional` ones may be null, which is off."""

    name: str
    unit: str
    minimum: float
    maximum: float
    meaning: str
    optional: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of rule.

    `defaults` hold for each metric in `metrics`, or, where that is empty, for the device or site as a whole;
    `of_metric` overrides them for single metrics. A rule whose parameter `severity` is 0 is off.
    """

    name: str
    meaning: str
    remedy: str
    parameters: tuple[Parameter, ...]
    defaults: Mapping[str, Value]
    metrics: tuple[str, ...] = ()
    of_metric: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of a name."""
        return next((each for each in self.parameters if each.name == name), None)

    def default(self, metric: str, name: str) -> Value:
        """A parameter's value where nobody has set another."""
        of_metric = self.of_metric.get(metric, {})
        return of_metric[name] if name in of_metric else self.defaults[name]


_BY_NAME = {metric.name: metric for metric in METRICS}
_ALL = tuple(_BY_NAME)
_DAY_MINUTES = 1440.0

_SEVERITY = Parameter("severity", "", 0, 2, "0 off, 1 warning, 2 critical")
_HOLD = Parameter("hold_seconds", "s", 0, 86_400, "How long it must be clear before the alert is resolved")
_MINUTES = Parameter("minutes", "min", 0.01, 7 * _DAY_MINUTES, "For how long")
_READINGS = Parameter("readings", "", 1, 1_000_000, "Of how many readings at least")


def _bounds(metric: Metric) -> dict[str, Value]:
    return {"critical_below": metric.minimum, "critical_above": metric.maximum, "clear_margin": 0.0}


RANGE = Kind(
    "range",
    "A value beyond a limit. The critical ones are the contract's, beyond which a reading is quarantined as well; "
    "the battery's are those of a lithium cell that is nearly empty.",
    "Look at the device: its latest values, its site, the readings in quarantine (`reason = out_of_range`). "
    "Battery: plan its replacement.",
    (
        *(
            Parameter(name, "metric's", -1e9, 1e9, meaning, optional=True)
            for name, meaning in (
                ("warning_below", "A warning below this"),
                ("warning_above", "A warning above this"),
                ("critical_below", "Critical below this"),
                ("critical_above", "Critical above this"),
            )
        ),
        Parameter(
            "clear_margin", "metric's", 0, 1e9, "How far within the warning's limits a value must be to be clear"
        ),
        _HOLD,
    ),
    {"warning_below": None, "warning_above": None, "hold_seconds": 60.0},
    _ALL,
    {name: _bounds(metric) for name, metric in _BY_NAME.items()}
    | {"battery": _bounds(_BY_NAME["battery"]) | {"warning_below": 3.3, "critical_below": 3.1, "clear_margin": 0.05}},
)
RATE = Kind(
    "rate",
    "A change faster than physics allows: more than the contract's `max_rate` within a minute, or per minute over a "
    "longer time between two readings.",
    "A loose probe, a sensor that was moved or replaced, or electrical noise.",
    (Parameter("per_minute", "metric's/min", 1e-6, 1e9, "The largest plausible change"), _SEVERITY, _HOLD),
    {"severity": 1.0, "hold_seconds": 300.0},
    _ALL,
    {name: {"per_minute": metric.max_rate} for name, metric in _BY_NAME.items()},
)
STUCK = Kind(
    "stuck",
    "The same value again and again, over a time and a number of readings that a living sensor does not show. A gap "
    "in the data begins the count anew.",
    "The sensor or its bus hangs: restart the device; if it comes back, replace the sensor.",
    (_MINUTES, _READINGS, _SEVERITY, _HOLD),
    # Water in the ground, told to a tenth of a degree, does not move for an hour now and then.
    {"minutes": 240.0, "readings": 30.0, "severity": 1.0, "hold_seconds": 0.0},
    ("temperature", "humidity", "pressure"),
)
LEAK = Kind(
    "leak",
    "A flow that never returns to zero: observed for so long, in so many readings, gaps not counted.",
    "Water is running: send somebody to the meter, or shut the valve.",
    (
        _MINUTES,
        _READINGS,
        Parameter("zero", "metric's", 0, 1e9, "A flow up to this counts as none"),
        _SEVERITY,
        _HOLD,
    ),
    {"minutes": 120.0, "readings": 60.0, "zero": 0.0, "severity": 2.0, "hold_seconds": 0.0},
    ("flow_rate",),
)
METRIC_SILENCE = Kind(
    "metric_silence",
    "A metric that the device used to send is missing, while the device itself goes on sending.",
    "One sensor of the device has failed or was disconnected.",
    (_MINUTES, _SEVERITY, _HOLD),
    {"minutes": 60.0, "severity": 1.0, "hold_seconds": 0.0},
    _ALL,
)
SILENCE = Kind(
    "silence",
    "Nothing has arrived from a device, by the broker's clock: for the rule's time, and for three times the interval "
    "between readings that the registry expects of it.",
    "Power, radio or the device itself. `state DEVICE` shows its last battery and signal strength.",
    (_MINUTES, _SEVERITY),
    {"minutes": 15.0, "severity": 2.0},
)
SITE_SILENCE = Kind(
    "site_silence",
    "Nothing has arrived from any device of a site. Its devices' own silence is held back meanwhile.",
    "The site's gateway, its uplink or its power.",
    (_MINUTES, _SEVERITY),
    {"minutes": 10.0, "severity": 2.0},
)
BAD_DATA = Kind(
    "bad_data",
    "Too large a share of what a device sends breaks the contract, counted over windows of arrival time.",
    "`quarantined_telemetry` holds what it sent, with the reason: often a firmware that was rolled out.",
    (
        Parameter("share", "", 0.001, 1, "The share of readings"),
        Parameter("minutes", "min", 0.01, _DAY_MINUTES, "The window"),
        Parameter("readings", "", 1, 1_000_000, "A window with fewer readings says nothing"),
        _SEVERITY,
        _HOLD,
    ),
    {"share": 0.2, "minutes": 10.0, "readings": 20.0, "severity": 1.0, "hold_seconds": 0.0},
)
ANOMALY = Kind(
    "anomaly",
    "The statistical detector finds a value, or a course of values, unlike the past of its series (docs/detector.md). "
    "Its score is a tenth of -log10 of a probability: 0.4 stands for one step of five minutes in ten thousand.",
    "Compare the device with its neighbours and with the same hour of other days.",
    (
        Parameter("score", "", 0.1, 1, "The detector's score from which it is an anomaly"),
        Parameter("resolution", "metric's", 0, 1e9, "A change up to this is no news: what the sensor can tell apart"),
        _SEVERITY,
        _HOLD,
    ),
    {"score": 0.4, "resolution": 0.0, "severity": 1.0, "hold_seconds": 3600.0},
    _ALL,
    {
        name: {"resolution": resolution}
        for name, resolution in (
            ("temperature", 0.1),
            ("humidity", 0.5),
            ("pressure", 0.1),
            ("flow_rate", 0.1),
            ("battery", 0.01),
            ("rssi", 2.0),
        )
    },
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (RANGE, RATE, STUCK, LEAK, METRIC_SILENCE, SILENCE, SITE_SILENCE, BAD_DATA, ANOMALY)
}

# A reading that arrives later than this after it was taken is history: it never opens or resolves a live alert.
LIVE_MS = 10 * 60_000
# A device's clock may be ahead by this much before it is flagged; its times are clamped to the arrival in any case.
CLOCK_TOLERANCE_MS = 5_000
