"""What the sensors see: daily cycles, weather, water use, batteries. Vectorised over devices and readings.

Everything slow is a function of time, place and seed alone, so that a reading sent late still shows the hour it was
taken in. Only the short-term noise has a state (AR(1)), which the caller carries from batch to batch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iot_pipeline.contract import METRICS
from simulator.fleet import Fleet, Kind

Array = NDArray[np.float64]

_HOUR_MS, _DAY_MS = 3_600_000.0, 86_400_000.0
# Periods of the slow weather, in days, and the share of each. Incommensurate, so that weeks do not repeat.
_WEATHER_DAYS = np.array([2.3, 3.7, 6.1, 11.9])
_WEATHER_SHARE = np.array([0.15, 0.3, 0.35, 0.2])
# Noise with memory: standard deviation in the metric's unit and correlation time in seconds.
_NOISY = {"temperature": (0.25, 900.0), "humidity": (1.2, 1200.0), "pressure": (0.25, 3600.0)}
# White noise, standard deviation in percent: a capacitive sensor repeats itself to about so much, and so a living one
# does not tell the same tenth for long.
_HUMIDITY_REPEATABILITY = 0.1
_DECIMALS = {"temperature": 1, "humidity": 1, "pressure": 1, "flow_rate": 2, "battery": 3, "rssi": 0}
LEAK_FLOW = 1.4  # L/min, what a leaking meter never falls below


@dataclass
class Noise:
    """The AR(1) state: one row a noisy metric, one column a device, in standard deviations."""

    state: Array

    @staticmethod
    def start(devices: int, seed: int) -> "Noise":
        """A stationary beginning."""
        return Noise(np.random.default_rng([seed, 2]).normal(size=(len(_NOISY), devices)))


class Signals:
    """The physical world around a fleet."""

    def __init__(self, fleet: Fleet) -> None:
        """Draw every device's and site's fixed properties from the fleet's seed."""
        rng = np.random.default_rng([fleet.seed, 3])
        devices = fleet.devices
        count = len(devices)
        self.kinds = [device.kind for device in devices]
        self._lat = np.array([[device.lat] for device in devices])
        self._lon = np.array([[device.lon] for device in devices])
        self._altitude = np.array([[device.altitude] for device in devices])
        sites = {(device.tenant, device.site): i for i, device in enumerate(devices)}
        site = np.array([sites[device.tenant, device.site] for device in devices])
        phases = rng.uniform(0, 2 * np.pi, size=(count, len(_WEATHER_DAYS)))
        self._weather_phase = phases[site]
        self._offset = rng.normal(0, 0.6, size=(count, 1))
        self._drift_per_day = rng.normal(0, 0.01, size=(count, 1))
        self._daily_amplitude = rng.uniform(2.5, 6.0, size=(count, 1))
        self._battery_life_days = rng.uniform(200, 900, size=(count, 1))
        self._battery_age = rng.uniform(0, 0.95, size=(count, 1))
        self._rssi = rng.uniform(-95, -58, size=(count, 1))
        self._is_meter = np.array([[kind is Kind.WATER_METER] for kind in self.kinds])

    def measure(
        self,
        ts_ms: NDArray[np.int64],
        step_ms: float,
        noise: Noise,
        leaking: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> dict[str, Array]:
        """Every metric of every device at times `ts_ms` (devices x readings, epoch ms UTC), rounded as sensors do.

        `leaking` (devices) marks meters that never fall to zero. Advances `noise`. Values are in canonical units and
        within the contract's ranges.
        """
        time = ts_ms.astype(np.float64)
        ar = _ar1(noise, ts_ms.shape[1], step_ms, rng)
        solar_hour = (time / _HOUR_MS + self._lon / 15) % 24
        daily = self._daily_amplitude * np.cos((solar_hour - 15) * (2 * np.pi / 24))
        weather = self._weather(time)
        temperature = self._climate(time) + daily + 1.5 * weather + ar["temperature"]
        sea_level = 1013.25 + 11 * weather + ar["pressure"]
        values = {
            "temperature": temperature,
            "humidity": 62
            - 3.2 * daily
            - 9 * weather
            + ar["humidity"]
            + rng.normal(0, _HUMIDITY_REPEATABILITY, size=time.shape),
            "pressure": sea_level * (1 - 2.25577e-5 * self._altitude) ** 5.25588,
            "flow_rate": _flow(solar_hour, leaking[:, None], rng),
            "battery": self._battery(time, temperature),
            "rssi": self._rssi + rng.normal(0, 3, size=time.shape),
        }
        values["temperature"] = np.where(self._is_meter, 9 + 0.25 * temperature, temperature)
        return {metric.name: _as_sent(metric.name, values) for metric in METRICS if metric.name in values}

    def _weather(self, time: Array) -> Array:
        """Slow weather of a site, about -1 (low) to 1 (high pressure)."""
        total = np.zeros_like(time)
        for i, (days, share) in enumerate(zip(_WEATHER_DAYS, _WEATHER_SHARE, strict=True)):
            total += share * np.sin(time * (2 * np.pi / (days * _DAY_MS)) + self._weather_phase[:, i : i + 1])
        return total

    def _climate(self, time: Array) -> Array:
        """Mean temperature of place and season, with the sensor's own offset and slow drift."""
        year_angle = (time / _DAY_MS % 365.25 - 197) * (2 * np.pi / 365.25)
        season = np.sign(self._lat) * np.minimum(np.abs(self._lat) * 0.2, 11) * np.cos(year_angle)
        drift = self._drift_per_day * (time / _DAY_MS % 365.25)
        mean: Array = 27 - 0.35 * np.abs(self._lat) - 0.005 * self._altitude + season + self._offset + drift
        return mean

    def _battery(self, time: Array, temperature: Array) -> Array:
        """A cell that falls from 4.15 V over its life and is then replaced; the cold costs voltage."""
        used = (time / (_DAY_MS * self._battery_life_days) + self._battery_age) % 1
        volts: Array = 4.15 - 0.55 * used - 0.35 * used**6 + 0.003 * np.clip(temperature - 20, -40, 20)
        return volts


def _flow(solar_hour: Array, leaking: NDArray[np.bool_], rng: np.random.Generator) -> Array:
    """Water drawn in the morning and the evening, hardly at noon, never at night; a leak runs under it all."""
    morning = np.exp(-0.5 * ((solar_hour - 7.2) / 1.1) ** 2)
    evening = np.exp(-0.5 * ((solar_hour - 19.3) / 1.6) ** 2)
    awake = (solar_hour > 5) & (solar_hour < 23.5)
    likely = np.where(awake, 0.05 + 0.6 * morning + 0.5 * evening, 0.0)
    drawn = rng.uniform(size=solar_hour.shape) < likely
    flow = np.where(drawn, 3 + 14 * rng.beta(2, 3, size=solar_hour.shape), 0.0)
    return flow + np.where(leaking, LEAK_FLOW + 0.05 * rng.uniform(size=flow.shape), 0.0)


def _ar1(noise: Noise, readings: int, step_ms: float, rng: np.random.Generator) -> dict[str, Array]:
    """Noise with memory for each noisy metric: x(t+dt) = phi x(t) + sqrt(1 - phi^2) e, phi = exp(-dt / tau)."""
    deviation = np.array([deviation for deviation, _ in _NOISY.values()])
    tau = np.array([tau for _, tau in _NOISY.values()])
    phi = np.exp(-step_ms / 1000 / tau)[:, None]
    shocks = rng.normal(size=(readings, *noise.state.shape)) * np.sqrt(1 - phi**2)
    path = np.empty_like(shocks)
    state = noise.state
    for i in range(readings):
        state = phi * state + shocks[i]
        path[i] = state
    noise.state = state
    return {name: deviation[i] * path[:, i].T for i, name in enumerate(_NOISY)}


def _as_sent(name: str, values: dict[str, Array]) -> Array:
    metric = next(metric for metric in METRICS if metric.name == name)
    return np.clip(np.round(values[name], _DECIMALS[name]), metric.minimum, metric.maximum)
