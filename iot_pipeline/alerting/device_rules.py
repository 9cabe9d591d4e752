"""The rules in force: defaults of the contract, and overrides by tenant, site, model or device, as one document.

The registry publishes the document (registry/alert_rules.py); the functions of the edge read it. An override sets some
parameters of one rule for whatever its scope names. Of several that set the same parameter the narrowest wins: device,
then model, site, tenant; among equals the newest.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from iot_pipeline.alerting.detector import Settings
from iot_pipeline.alerting.rule_kinds import KINDS, Kind, Value

# A device is silent only when so many of its readings in a row are missing.
MISSED_READINGS = 3
SCOPES = ("tenant", "site", "model", "device")
_INFINITE = float("inf")
log = logging.getLogger(__name__)


class RuleError(ValueError):
    """A rule that cannot be taken: which, what was expected and what was given."""


@dataclass(frozen=True)
class Override:
    """Parameters of one rule for a scope. `scope` has some of SCOPES' names; a site needs its tenant."""

    id: int
    rule: str
    metric: str
    scope: Mapping[str, str]
    parameters: Mapping[str, Value]

    def __post_init__(self) -> None:
        """Raises RuleError naming the part that is wrong."""
        kind = checked_kind(self.rule, self.metric)
        check_scope(self.scope)
        if not self.parameters:
            raise RuleError(f"rule {self.rule}: no parameter is set; there are {_names(kind)}")
        for name, value in self.parameters.items():
            check_parameter(kind, name, value)

    @property
    def breadth(self) -> tuple[int, int]:
        """Sorts the widest and oldest first, so that later ones win."""
        narrowest = max(SCOPES.index(name) for name in self.scope)
        return narrowest, self.id

    def applies(self, place: Mapping[str, str]) -> bool:
        """Whether it holds for a device in this place (tenant, site, model, device)."""
        return all(place.get(name) == wanted for name, wanted in self.scope.items())


def checked_kind(rule: str, metric: str) -> Kind:
    """The kind of a rule for a metric. Raises RuleError if there is none."""
    kind = KINDS.get(rule)
    if kind is None:
        raise RuleError(f"no rule is called {rule!r}; there are {', '.join(KINDS)}")
    if kind.metrics and metric not in kind.metrics:
        raise RuleError(f"rule {rule}: expected one of the metrics {', '.join(kind.metrics)}, got {metric!r}")
    if not kind.metrics and metric:
        raise RuleError(f"rule {rule} is for a device as a whole: leave the metric {metric!r} out")
    return kind


def check_scope(scope: Mapping[str, str]) -> None:
    """Raises RuleError for a scope that names nothing, or a site without its tenant."""
    if not scope or not scope.keys() <= set(SCOPES):
        raise RuleError(f"scope: expected at least one of {', '.join(SCOPES)}, got {', '.join(scope) or 'nothing'}")
    if any(not isinstance(value, str) or not value for value in scope.values()):
        raise RuleError(f"scope: expected a name for each of {', '.join(scope)}")
    if "site" in scope and "tenant" not in scope:
        raise RuleError(f"scope: site {scope['site']!r} needs its tenant, for two tenants may call a site the same")


def check_parameter(kind: Kind, name: str, value: object) -> None:
    """Raises RuleError if a rule has no such parameter or does not take the value."""
    parameter = kind.parameter(name)
    if parameter is None:
        raise RuleError(f"rule {kind.name} has no parameter {name!r}; it has {_names(kind)}")
    if value is None and parameter.optional:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not value == value:
        raise RuleError(f"rule {kind.name}, {name}: expected a number, got {value!r}")
    if not parameter.minimum <= value <= parameter.maximum:
        raise RuleError(
            f"rule {kind.name}, {name}: expected {parameter.minimum:g} to {parameter.maximum:g} {parameter.unit}, "
            f"got {value:g}".replace("  ", " ")
        )
    if name == "severity" and value not in (0, 1, 2):
        raise RuleError(f"rule {kind.name}, severity: expected 0 (off), 1 (warning) or 2 (critical), got {value:g}")


def _names(kind: Kind) -> str:
    return ", ".join(parameter.name for parameter in kind.parameters)


@dataclass(frozen=True, slots=True)
class MetricRules:
    """A metric's rules for one device, compiled: an absent limit is infinite, a rule that is off has severity 0.

    Values are in the metric's canonical unit, times in milliseconds.
    """

    name: str
    warning_below: float
    warning_above: float
    critical_below: float
    critical_above: float
    clear_margin: float
    range_hold: int
    rate: float
    rate_severity: int
    rate_hold: int
    stuck_ms: float
    stuck_readings: int
    stuck_severity: int
    stuck_hold: int
    leak_ms: float
    leak_readings: int
    leak_zero: float
    leak_severity: int
    leak_hold: int
    silence_ms: float
    silence_severity: int
    silence_hold: int
    anomaly_score: float
    anomaly_severity: int
    anomaly_hold: int
    detector: Settings

    # The lowest and the highest value that break no limit.
    quiet_from: float = field(init=False)
    quiet_to: float = field(init=False)

    def __post_init__(self) -> None:
        """Work out what each message asks for."""
        object.__setattr__(self, "quiet_from", max(self.warning_below, self.critical_below))
        object.__setattr__(self, "quiet_to", min(self.warning_above, self.critical_above))


@dataclass(frozen=True, slots=True)
class DeviceRules:
    """All rules for one device; times in milliseconds."""

    metrics: Mapping[str, MetricRules]
    silence_ms: float
    silence_severity: int
    site_silence_ms: float
    site_silence_severity: int
    bad_share: float
    bad_window_ms: int
    bad_readings: int
    bad_severity: int
    bad_hold: int


@dataclass
class RuleSet:
    """A version of the rules. `models` names the model of devices; `retired` devices raise no alert.

    `intervals`: the seconds between readings of devices that send rarely, by which their silence is judged.
    """

    version: int = 0
    overrides: tuple[Override, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()
    intervals: Mapping[str, float] = field(default_factory=dict)
    _compiled: dict[tuple[float, ...], DeviceRules] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Sort the overrides, so that the narrowest comes last."""
        self.overrides = tuple(sorted(self.overrides, key=lambda each: each.breadth))

    def of(self, tenant: str, site: str, device: str) -> DeviceRules:
        """The rules for a device; those with the same overrides share one object.

        Overrides that contradict each other, which the registry does not take, are in force nowhere: the log names
        them, and the defaults hold. One such rule must not stop a stream.
        """
        place = {"tenant": tenant, "site": site, "device": device, "model": self.models.get(device, "")}
        applying = [override for override in self.overrides if override.applies(place)]
        interval_s = self.intervals.get(device, 0.0)
        key = (interval_s, *(override.id for override in applying))
        if key not in self._compiled:
            try:
                self._compiled[key] = compiled(applying, interval_s)
            except RuleError:
                log.exception("Device %s has its rules by default: %s contradict each other", device, key[1:])
                self._compiled[key] = compiled((), interval_s)
        return self._compiled[key]

    def document(self) -> str:
        """As JSON text, for `parsed`."""
        return json.dumps(
            {
                "version": self.version,
                "overrides": [vars(override) | {"scope": dict(override.scope)} for override in self.overrides],
                "models": dict(self.models),
                "retired": sorted(self.retired),
                "intervals": dict(self.intervals),
            }
        )


def parsed(text: str) -> RuleSet:
    """The rules of a document. Raises RuleError for one that is none."""
    try:
        held: dict[str, Any] = json.loads(text)
        overrides = tuple(Override(**each) for each in held["overrides"])
        retired = frozenset(held["retired"])
        return RuleSet(int(held["version"]), overrides, held["models"], retired, held["intervals"])
    except (ValueError, KeyError, TypeError) as error:
        raise RuleError(f"this is no document of rules: {error}") from error


def compiled(overrides: Iterable[Override], interval_s: float = 0.0) -> DeviceRules:
    """The rules that result from overrides, the widest first, for a device that sends once in `interval_s`.

    Raises RuleError for limits that contradict.
    """
    applying = list(overrides)

    def value(rule: str, metric: str, name: str) -> Value:
        set_by = [o for o in applying if o.rule == rule and o.metric == metric and name in o.parameters]
        return set_by[-1].parameters[name] if set_by else KINDS[rule].default(metric, name)

    return DeviceRules(
        metrics={name: _of_metric(name, value) for name in KINDS["range"].metrics},
        silence_ms=max(_number(value("silence", "", "minutes")) * 60_000, MISSED_READINGS * interval_s * 1000),
        silence_severity=int(_number(value("silence", "", "severity"))),
        site_silence_ms=_number(value("site_silence", "", "minutes")) * 60_000,
        site_silence_severity=int(_number(value("site_silence", "", "severity"))),
        bad_share=_number(value("bad_data", "", "share")),
        bad_window_ms=round(_number(value("bad_data", "", "minutes")) * 60_000),
        bad_readings=int(_number(value("bad_data", "", "readings"))),
        bad_severity=int(_number(value("bad_data", "", "severity"))),
        bad_hold=round(_number(value("bad_data", "", "hold_seconds")) * 1000),
    )


def _of_metric(metric: str, value: Any) -> MetricRules:
    def number(rule: str, name: str, scale: float = 1.0) -> float:
        """0 where the metric has no such rule, so that its severity is off."""
        return _number(value(rule, metric, name)) * scale if metric in KINDS[rule].metrics else 0.0

    def limit(name: str, absent: float) -> float:
        found = value("range", metric, name)
        return absent if found is None else float(found)

    rules = MetricRules(
        name=metric,
        warning_below=limit("warning_below", -_INFINITE),
        warning_above=limit("warning_above", _INFINITE),
        critical_below=limit("critical_below", -_INFINITE),
        critical_above=limit("critical_above", _INFINITE),
        clear_margin=number("range", "clear_margin"),
        range_hold=round(number("range", "hold_seconds", 1000)),
        rate=number("rate", "per_minute"),
        rate_severity=int(number("rate", "severity")),
        rate_hold=round(number("rate", "hold_seconds", 1000)),
        stuck_ms=number("stuck", "minutes", 60_000),
        stuck_readings=int(number("stuck", "readings")),
        stuck_severity=int(number("stuck", "severity")),
        stuck_hold=round(number("stuck", "hold_seconds", 1000)),
        leak_ms=number("leak", "minutes", 60_000),
        leak_readings=int(number("leak", "readings")),
        leak_zero=number("leak", "zero"),
        leak_severity=int(number("leak", "severity")),
        leak_hold=round(number("leak", "hold_seconds", 1000)),
        silence_ms=number("metric_silence", "minutes", 60_000),
        silence_severity=int(number("metric_silence", "severity")),
        silence_hold=round(number("metric_silence", "hold_seconds", 1000)),
        anomaly_score=number("anomaly", "score"),
        anomaly_severity=int(number("anomaly", "severity")),
        anomaly_hold=round(number("anomaly", "hold_seconds", 1000)),
        detector=Settings(resolution=number("anomaly", "resolution")),
    )
    _check_limits(rules)
    return rules


def _check_limits(rules: MetricRules) -> None:
    name = rules.name
    if rules.quiet_from >= rules.quiet_to:
        raise RuleError(
            f"rule range, {name}: no value breaks no limit: the lower one is {rules.quiet_from:g}, "
            f"the upper one {rules.quiet_to:g}"
        )
    if rules.quiet_from + rules.clear_margin > rules.quiet_to - rules.clear_margin:
        raise RuleError(
            f"rule range, {name}: clear_margin {rules.clear_margin:g} leaves no value that is clear, between "
            f"{rules.quiet_from:g} and {rules.quiet_to:g}; make it smaller"
        )


def _number(value: Value) -> float:
    if value is None:
        raise RuleError("expected a number, got null: only the limits of range may be off")
    return value
