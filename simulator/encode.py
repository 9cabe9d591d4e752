"""Readings and messages as the bytes that a device sends."""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from iot_pipeline.contract import CONTRACT, MAX_MESSAGE_BYTES
from simulator.fleet import Device


def iso_times(ts_ms: NDArray[np.int64]) -> list[str]:
    """Epoch milliseconds as ISO-8601 in UTC with milliseconds, `2026-11-21T02:20:08.123Z`."""
    texts: list[str] = np.datetime_as_string(ts_ms.astype("datetime64[ms]"), unit="ms", timezone="UTC").tolist()
    return texts


def iso_time(ts_ms: int) -> str:
    """One time, as `iso_times`."""
    return iso_times(np.array([ts_ms], dtype=np.int64))[0]


def message(device: Device, sent_ms: int, readings: list[Any]) -> dict[str, Any]:
    """The message object of the contract. `sent_ms` is epoch milliseconds."""
    return {
        "v": CONTRACT.version,
        "device_id": device.device_id,
        "sent_at": iso_time(sent_ms),
        "fw": device.fw,
        "readings": readings,
    }


def encode(device: Device, content: dict[str, Any]) -> bytes:
    """A message as JSON. Raises ValueError when AWS IoT Core would refuse its size."""
    payload = orjson.dumps(content)
    check_size(device, payload)
    return payload


def check_size(device: Device, payload: bytes) -> None:
    """Raise ValueError for a payload of MAX_MESSAGE_BYTES or more."""
    if len(payload) >= MAX_MESSAGE_BYTES:
        raise ValueError(
            f"a message of {device.device_id} has {len(payload)} bytes; AWS IoT Core takes less than "
            f"{MAX_MESSAGE_BYTES}: lower --pack"
        )
