"""The readings of one batch as arrays (devices x readings), with the faults that last: late, leak, stuck."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.encode import iso_times
from simulator.faults import SPELL_READINGS, STICKING, Scope, of_scope, strikes
from simulator.fleet import Fleet, Kind
from simulator.plan import Plan
from simulator.rows import METRIC_NAMES, ROWS_SCHEMA, VALID, Row, array_or_null
from simulator.signals import Noise, Signals
from simulator.state import State

_HOUR_MS = 3_600_000
# Late readings stay this far within the contract's 30 days, so that they are valid whenever they arrive.
LATEST_MS = 25 * 24 * _HOUR_MS
READING_FAULT_NAMES = of_scope(Scope.READING)


def choose(
    rng: np.random.Generator, rates: Mapping[str, float], names: Sequence[str], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """For each place the index of the one fault that befalls it, or len(names) for none."""
    bounds = np.cumsum([rates[name] for name in names])
    return np.searchsorted(bounds, rng.random(shape), side="right")


@dataclass
class Block:
    """Readings `first` and on of every device. Values are canonical, NaN where a device has no such metric.

    `kind` is the index in READING_FAULT_NAMES of the fault that befalls a reading; `faults` names those done already.
    """

    first: int
    ts_ms: NDArray[np.int64]
    seq: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    faults: NDArray[np.object_]
    kind: NDArray[np.int64]

    @property
    def readings(self) -> int:
        """Readings of each device."""
        return int(self.ts_ms.shape[1])

    def row(self, device: int, k: int) -> Row:
        """What is expected of one reading."""
        values = {name: float(column[device, k]) for name, column in self.values.items()}
        lat, lon = float(self.lat[device, k]), float(self.lon[device, k])
        return Row(
            ts_ms=int(self.ts_ms[device, k]),
            seq=int(self.seq[device, k]),
            values={name: value for name, value in values.items() if not np.isnan(value)},
            lat=None if np.isnan(lat) else lat,
            lon=None if np.isnan(lon) else lon,
            faults=str(self.faults[device, k]),
        )

    def table(self) -> pa.Table:
        """All rows with ROWS_SCHEMA's columns, device by device."""
        absent = pa.nulls(self.ts_ms.size, pa.float64())
        columns: dict[str, Any] = {
            "ts_ms": self.ts_ms.ravel(),
            "seq": self.seq.ravel(),
            **{n: array_or_null(self.values[n].ravel()) if n in self.values else absent for n in METRIC_NAMES},
            "lat": array_or_null(self.lat.ravel()),
            "lon": array_or_null(self.lon.ravel()),
            "extras": pa.nulls(self.ts_ms.size, pa.string()),
            "faults": pa.array(self.faults.ravel(), pa.string()),
            "outcome": pa.array(np.full(self.ts_ms.size, VALID, dtype=object), pa.string()),
        }
        return pa.table(columns, schema=ROWS_SCHEMA)


class BlockMaker:
    """Makes the blocks of a plan, in order; `state` carries what lasts from one to the next."""

    def __init__(self, fleet: Fleet, plan: Plan, rates: Mapping[str, float]) -> None:
        """Draw what is fixed for the fleet."""
        self._fleet, self._plan, self._rates = fleet, plan, rates
        self._signals = Signals(fleet)
        self._phase = np.arange(plan.devices)[:, None] / plan.devices
        self._moving = np.array([[device.kind is Kind.TRACKER] for device in fleet.devices])
        self._lat = np.array([[device.lat] for device in fleet.devices])
        self._lon = np.array([[device.lon] for device in fleet.devices])
        self._has = {name: np.array([name in device.kind.metrics for device in fleet.devices]) for name in METRIC_NAMES}
        self._leaking = self._has["flow_rate"] & np.array(
            [strikes(fleet.seed, "leak", device.device_id, 0, rates["leak"]) for device in fleet.devices]
        )

    def make(self, state: State, rng: np.random.Generator) -> Block:
        """The block of batch `state.batch`. Advances the state's sequence numbers, noise and stuck sensors."""
        plan = self._plan
        first, end = plan.batch_range(state.batch)
        k = np.arange(first, end)[None, :] + self._phase
        ts_ms = plan.start_ms + np.round(k * plan.step_ms).astype(np.int64)
        seq = np.array(state.seq, dtype=np.int64)[:, None] + np.arange(end - first)
        kind = choose(rng, self._rates, READING_FAULT_NAMES, ts_ms.shape)
        faults = np.full(ts_ms.shape, "", dtype=object)
        faults[self._leaking] = "leak"
        self._delay(ts_ms, faults, kind == READING_FAULT_NAMES.index("late"), rng)
        noise = Noise(np.array(state.noise, dtype=np.float64))
        values = self._signals.measure(ts_ms, plan.step_ms, noise, self._leaking, rng)
        self._stick(state, seq, values, faults)
        for name, column in values.items():
            column[~self._has[name]] = np.nan
        lat, lon = self._places(ts_ms, first)
        state.seq = (seq[:, -1] + 1).tolist()
        state.noise = noise.state.tolist()
        return Block(first, ts_ms, seq, values, lat, lon, faults, kind)

    def _delay(
        self,
        ts_ms: NDArray[np.int64],
        faults: NDArray[np.object_],
        late: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> None:
        """Move late readings into the past before their values are made: they show the hour they were taken in."""
        hours = np.exp(rng.uniform(0, np.log(LATEST_MS / _HOUR_MS), size=int(late.sum())))
        taken = ts_ms[late]
        now = taken if self._plan.paced else np.full_like(taken, self._plan.end_ms)
        moved = np.minimum(taken, np.maximum(taken - (hours * _HOUR_MS).astype(np.int64), now - LATEST_MS))
        faults[late] = [
            _with(known, "late") if is_late else known
            for known, is_late in zip(faults[late], moved < taken, strict=True)
        ]
        ts_ms[late] = moved

    def _stick(
        self,
        state: State,
        seq: NDArray[np.int64],
        values: Mapping[str, NDArray[np.float64]],
        faults: NDArray[np.object_],
    ) -> None:
        rate = self._rates["stuck"]
        for d, device in enumerate(self._fleet.devices):
            spells = seq[d] // SPELL_READINGS
            for spell in range(int(spells[0]), int(spells[-1]) + 1):
                held, state.stuck[d] = state.stuck[d], None
                if not strikes(self._fleet.seed, "stuck", device.device_id, spell, rate):
                    continue
                at = np.flatnonzero(spells == spell)
                goes_on = at[0] == 0 and seq[d, 0] % SPELL_READINGS != 0
                if not goes_on or held is None:
                    held = [float(values[name][d, at[0]]) for name in STICKING]
                state.stuck[d] = held
                for name, value in zip(STICKING, held, strict=True):
                    values[name][d, at] = value
                faults[d, at] = [_with(known, "stuck") for known in faults[d, at]]

    def _places(self, ts_ms: NDArray[np.int64], first: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Trackers tell their place in each reading, the others once a message; NaN where it is not sent."""
        angle = ts_ms * (2 * np.pi / (6 * _HOUR_MS))
        lat = self._lat + np.where(self._moving, 0.02 * np.sin(angle), 0)
        lon = self._lon + np.where(self._moving, 0.03 * np.cos(angle), 0)
        opens_message = (first + np.arange(ts_ms.shape[1])) % self._plan.pack == 0
        told = self._moving | opens_message[None, :]
        return np.where(told, np.round(lat, 5), np.nan), np.where(told, np.round(lon, 5), np.nan)


def _with(known: str, fault: str) -> str:
    return f"{known},{fault}" if known else fault


def bodies(fleet: Fleet, block: Block) -> list[list[dict[str, Any]]]:
    """Every reading of a block as the object that is sent, a list a device."""
    times = iso_times(block.ts_ms.ravel())
    count = block.readings
    result = []
    for d, device in enumerate(fleet.devices):
        names = ("ts", "seq", *device.kind.metrics)
        columns = [_numbers(name, block.values[name][d]) for name in device.kind.metrics]
        rows = zip(times[d * count : (d + 1) * count], block.seq[d].tolist(), *columns, strict=True)
        readings: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows]
        for k in np.flatnonzero(~np.isnan(block.lat[d])).tolist():
            readings[k]["location"] = {"lat": float(block.lat[d, k]), "lon": float(block.lon[d, k])}
        result.append(readings)
    return result


def _numbers(name: str, values: NDArray[np.float64]) -> list[Any]:
    """Signal strength is whole decibels: sent without a decimal point, as radios report it."""
    numbers: list[Any] = (values.astype(int) if name == "rssi" else values).tolist()
    return numbers
