"""Devices and their history. Every change has a business time `at`: now, or a moment in the past (a correction).

What a change in the past does to the versions after it is said in `timeline`; where a change on record would be lost,
functions raise OverwriteError unless their `may_overwrite` gives it away. All functions take a psycopg connection
and work in a transaction of it: their own, which they commit, or the caller's, if one is open.
"""

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import scalar_row

from iot_pipeline.registry import timeline, versions
from iot_pipeline.registry.errors import RegistryError, UnknownReferenceError
from iot_pipeline.registry.timeline import Value, Version
from iot_pipeline.registry.versions import DEVICES, SITES, MayOverwrite

MAX_BYTES = 128
# Unicode's categories of control characters and surrogates, which PostgreSQL or Redshift cannot hold.
_NO_TEXT = {"Cc", "Cs"}


@dataclass(frozen=True)
class Device:
    """A device as it was from `valid_from` to `valid_to` (exclusive; None: still is), times in UTC."""

    device_id: str
    tenant_id: str
    site_id: str
    model_id: str
    name: str
    status: Literal["active", "decommissioned"]
    firmware: str | None
    expected_interval_s: float
    valid_from: datetime
    valid_to: datetime | None


def history(connection: Connection[Any], device_id: str) -> list[Device]:
    """All versions of a device, in order. Raises UnknownReferenceError."""
    with connection.transaction():
        return [device_of(device_id, version) for version in _read(connection, device_id)]


def as_of(connection: Connection[Any], device_id: str, time: datetime) -> Device | None:
    """The device as it was at an aware time; None before its first version. Raises UnknownReferenceError."""
    with connection.transaction():
        version = timeline.version_at(_read(connection, device_id), versions.aware(time))
    return device_of(device_id, version) if version else None


def move_device(
    connection: Connection[Any],
    device_id: str,
    site_id: str,
    at: datetime | None = None,
    may_overwrite: MayOverwrite = versions.nothing,
) -> Device:
    """Record that a device stands at another site of its tenant since `at` (aware; now by default).

    Returns the version of that moment. Raises UnknownReferenceError for a device or site that does not exist at
    `at`, RegistryError for a time before the first version, in the future, or when the device was decommissioned.
    """
    with connection.transaction():
        at = versions.moment(connection, at)
        tenant = str(_existing(_read(connection, device_id), device_id, at).attributes["tenant_id"])
        require_site(connection, tenant, site_id, at)
        return _change(connection, device_id, at, {"site_id": site_id}, may_overwrite)


def change_device(
    connection: Connection[Any],
    device_id: str,
    *,
    at: datetime | None = None,
    name: str | None = None,
    firmware: str | None = None,
    model_id: str | None = None,
    expected_interval_s: float | None = None,
    may_overwrite: MayOverwrite = versions.nothing,
) -> Device:
    """Record that a device has other attributes since `at`; None leaves one as it is. As `move_device` otherwise.

    Another model brings its expected interval with it, unless one is given.
    """
    check_label("name", name)
    check_label("firmware", firmware)
    if expected_interval_s is not None and not (math.isfinite(expected_interval_s) and expected_interval_s > 0):
        raise RegistryError(f"expected interval {expected_interval_s} must be a number of seconds above 0")
    with connection.transaction():
        at = versions.moment(connection, at)
        if model_id is not None and expected_interval_s is None:
            expected_interval_s = model_interval(connection, model_id)
        changes: dict[str, Value] = {
            "name": name,
            "firmware": firmware,
            "model_id": model_id,
            "expected_interval_s": expected_interval_s,
        }
        given = {key: value for key, value in changes.items() if value is not None}
        return _change(connection, device_id, at, given, may_overwrite)


def retire_device(
    connection: Connection[Any],
    device_id: str,
    at: datetime | None = None,
    may_overwrite: MayOverwrite = versions.nothing,
) -> Device:
    """Close the active version at `at` and open one with status decommissioned; nothing changes if that is so already.

    AWS IoT is not touched: see `decommission`. Raises as `move_device`.
    """
    with connection.transaction():
        at = versions.moment(connection, at)
        version = _existing(_read(connection, device_id), device_id, at)
        if version.attributes["status"] == "decommissioned":
            return device_of(device_id, version)
        return _change(connection, device_id, at, {"status": "decommissioned"}, may_overwrite)


def record_calibration(
    connection: Connection[Any],
    device_id: str,
    metric: str,
    *,
    offset: float,
    gain: float,
    calibrated_by: str,
    calibrated_at: datetime | None = None,
) -> None:
    """Record a calibration: calibrated value = sent value * gain + offset, from `calibrated_at` (aware) on.

    Recording the same once more changes nothing. Raises UnknownReferenceError for an unknown device or metric, and
    RegistryError for an offset or gain that is no finite number, a gain of 0, an empty `calibrated_by`, and when
    another calibration of that metric and moment is recorded.
    """
    if not (math.isfinite(offset) and math.isfinite(gain)) or gain == 0:
        raise RegistryError(f"offset {offset} and gain {gain} must be numbers, and gain not 0")
    check_label("calibrated_by", calibrated_by)
    with connection.transaction():
        at = versions.moment(connection, calibrated_at)
        _read(connection, device_id)
        known = scalars(connection, "SELECT metric FROM registry.metrics ORDER BY position")
        if metric not in known:
            raise UnknownReferenceError(f"metric {metric!r} is not of the contract: {', '.join(known)}")
        values = {"offset": offset, "gain": gain, "by": calibrated_by}
        key = {"device_id": device_id, "metric": metric, "at": at}
        connection.execute(
            "INSERT INTO registry.calibrations (device_id, metric, offset_value, gain, calibrated_at, calibrated_by)"
            " VALUES (%(device_id)s, %(metric)s, %(offset)s, %(gain)s, %(at)s, %(by)s) ON CONFLICT DO NOTHING",
            {**key, **values},
        )
        same = scalars(
            connection,
            "SELECT count(*) FROM registry.calibrations WHERE (device_id, metric, calibrated_at, offset_value, gain,"
            " calibrated_by) = (%(device_id)s, %(metric)s, %(at)s, %(offset)s, %(gain)s, %(by)s)",
            {**key, **values},
        )
        if same != [1]:
            raise RegistryError(f"{device_id} {metric}: another calibration of {at.isoformat()} is recorded")


def _change(
    connection: Connection[Any],
    device_id: str,
    at: datetime,
    changes: Mapping[str, Value],
    may_overwrite: MayOverwrite,
) -> Device:
    old = _read(connection, device_id, lock=True)
    if _existing(old, device_id, at).attributes["status"] == "decommissioned":
        raise RegistryError(
            f"device {device_id} is decommissioned at {at.isoformat()}; onboard it again, or give another time"
        )
    new = timeline.changed(old, at, changes)
    versions.write(connection, DEVICES, {"device_id": device_id}, old, new, may_overwrite)
    return device_of(device_id, _existing(new, device_id, at))


def _existing(found: list[Version], device_id: str, at: datetime) -> Version:
    version = timeline.version_at(found, at)
    if version is None:
        first = found[0].valid_from.isoformat()
        raise RegistryError(f"device {device_id} is registered since {first} only, not yet at {at.isoformat()}")
    return version


def check_label(what: str, text: str | None) -> None:
    """Raise RegistryError for a text that is empty, has control characters or is too long.

    The warehouse's varchar(128) counts bytes.
    """
    if text is None:
        return
    if any(unicodedata.category(character) in _NO_TEXT for character in text):
        raise RegistryError(f"{what} {text!r} has a control character or half a character; write it as plain text")
    if not 1 <= len(text.encode()) <= MAX_BYTES:
        raise RegistryError(f"{what} {text!r} must have 1 to {MAX_BYTES} bytes of UTF-8")


def require_site(connection: Connection[Any], tenant_id: str, site_id: str, at: datetime) -> None:
    site = versions.read(connection, SITES, {"tenant_id": tenant_id, "site_id": site_id})
    if not site:
        raise UnknownReferenceError(
            f"site {site_id!r} of tenant {tenant_id} is not in the registry; apply a catalog with it"
        )
    if at < site[0].valid_from:
        raise UnknownReferenceError(
            f"site {site_id!r} of tenant {tenant_id} exists since {site[0].valid_from.isoformat()}, not yet at "
            f"{at.isoformat()}; give a later time"
        )


def model_interval(connection: Connection[Any], model_id: str) -> float:
    found = scalars(
        connection, "SELECT expected_interval_s FROM registry.device_models WHERE model_id = %s", (model_id,)
    )
    if not found:
        raise UnknownReferenceError(f"device model {model_id!r} is not in the registry; apply a catalog with it")
    return float(found[0])


def _read(connection: Connection[Any], device_id: str, *, lock: bool = False) -> list[Version]:
    found = versions.read(connection, DEVICES, {"device_id": device_id}, lock=lock)
    if not found:
        raise UnknownReferenceError(f"device {device_id!r} is not in the registry; onboard it first")
    return found


def device_of(device_id: str, version: Version) -> Device:
    values: dict[str, Any] = {"device_id": device_id, "valid_from": version.valid_from, "valid_to": version.valid_to}
    values |= version.attributes
    return Device(**{field.name: values[field.name] for field in fields(Device)})


def scalars(connection: Connection[Any], query: str, parameters: Any = None) -> list[Any]:
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(query, parameters).fetchall()
