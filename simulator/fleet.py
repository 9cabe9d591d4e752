"""The fleet: which devices exist, where they stand and what they measure. A pure function of its options and seed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import orjson

FLEET_FILE = "fleet.json"

TENANTS = ("acme", "globex", "initech", "hooli", "umbra", "wonka", "stark", "tyrell")
# Real places, so that the sun rises at the right hour: name, latitude, longitude, metres above the sea.
PLACES = (
    ("berlin", 52.52, 13.40, 34.0),
    ("denver", 39.74, -104.99, 1609.0),
    ("osaka", 34.69, 135.50, 24.0),
    ("lisbon", 38.72, -9.14, 15.0),
    ("nairobi", -1.29, 36.82, 1795.0),
    ("oslo", 59.91, 10.75, 23.0),
    ("lima", -12.05, -77.04, 154.0),
    ("perth", -31.95, 115.86, 31.0),
)
FIRMWARE = ("1.4.2", "1.4.2", "1.4.2", "1.5.0", "1.3.9")


class Kind(StrEnum):
    """What a device is; it decides which metrics it has."""

    CLIMATE = "climate"
    WATER_METER = "water_meter"
    TRACKER = "tracker"

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the contract's metrics that this kind measures."""
        return _METRICS[self]


_METRICS = {
    Kind.CLIMATE: ("temperature", "humidity", "pressure", "battery", "rssi"),
    Kind.WATER_METER: ("temperature", "flow_rate", "battery", "rssi"),
    Kind.TRACKER: ("temperature", "humidity", "battery", "rssi"),
}
_KIND_SHARES = (0.5, 0.35, 0.15)


@dataclass(frozen=True)
class Device:
    """One device. `device_id` is its thing name and its MQTT client id; `lat`, `lon` degrees, `altitude` metres."""

    device_id: str
    tenant: str
    site: str
    kind: Kind
    fw: str
    lat: float
    lon: float
    altitude: float


@dataclass(frozen=True)
class Fleet:
    """The devices of one simulator and the seed that everything about them follows from."""

    seed: int
    devices: tuple[Device, ...]

    def save(self, folder: Path) -> None:
        """Write `fleet.json` into a folder, replacing it in one step."""
        body = orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)
        temporary = folder / f"{FLEET_FILE}.new"
        temporary.write_bytes(body)
        temporary.replace(folder / FLEET_FILE)


def load_fleet(folder: Path) -> Fleet:
    """Read the fleet that `enrol` left in a folder. Raises FileNotFoundError saying what to run first."""
    path = folder / FLEET_FILE
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; create the fleet with: python -m simulator enrol {folder}")
    body = orjson.loads(path.read_bytes())
    devices = (Device(**{**device, "kind": Kind(device["kind"])}) for device in body["devices"])
    return Fleet(seed=body["seed"], devices=tuple(devices))


def make_fleet(devices: int, tenants: int = 2, sites: int = 2, seed: int = 1) -> Fleet:
    """Make a fleet of `devices`, spread evenly over `tenants` x `sites` (sites of each tenant).

    Device i depends on i, the options and the seed only: a larger fleet begins with the smaller one's devices.
    Raises ValueError for counts there are no names for.
    """
    if devices < 1:
        raise ValueError(f"a fleet needs at least one device, not {devices}")
    if not 1 <= tenants <= len(TENANTS) or not 1 <= sites <= len(PLACES):
        raise ValueError(f"tenants must be 1 to {len(TENANTS)} and sites 1 to {len(PLACES)}")
    places = [(tenant, place) for place in range(sites) for tenant in range(tenants)]
    return Fleet(seed, tuple(_device(i, places, seed) for i in range(devices)))


def _device(index: int, places: Sequence[tuple[int, int]], seed: int) -> Device:
    rng = np.random.default_rng([seed, 1, index])
    tenant_index, place_index = places[index % len(places)]
    tenant = TENANTS[tenant_index]
    site, lat, lon, altitude = PLACES[(place_index + tenant_index) % len(PLACES)]
    number = index // len(places) + 1
    return Device(
        device_id=f"{tenant}-{site}-{number:04d}",
        tenant=tenant,
        site=site,
        kind=tuple(Kind)[int(rng.choice(len(_KIND_SHARES), p=_KIND_SHARES))],
        fw=FIRMWARE[int(rng.integers(len(FIRMWARE)))],
        lat=round(lat + float(rng.normal(0, 0.01)), 5),
        lon=round(lon + float(rng.normal(0, 0.01)), 5),
        altitude=altitude,
    )
