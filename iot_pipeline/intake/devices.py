"""Whose a device is, as AWS IoT Core has it: the thing's attributes, which the registry writes and no producer can."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from iot_pipeline.contract.identifiers import DEVICE_NAME

# DescribeThing takes 350 calls a second (AWS IoT Core quotas, "AWS IoT Core API actions and operations quotas"). Each
# device is looked up once a quarter of an hour by each warm function; a move to another site takes as long to be seen.
# What nobody has registered yet is looked up again after a minute.
KEPT_SECONDS, UNKNOWN_KEPT_SECONDS = 900.0, 60.0
_CACHED = 50_000
_LOOKUPS = 8


@dataclass(frozen=True)
class Place:
    """Tenant and site of a device."""

    tenant: str
    site: str


class Devices:
    """Places by device id, looked up in AWS IoT Core and remembered for a while."""

    def __init__(self, iot: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._iot, self._clock = iot, clock
        self._known: dict[str, tuple[float, Place | None]] = {}
        self._lookups = ThreadPoolExecutor(_LOOKUPS)

    def places(self, devices: Iterable[str]) -> dict[str, Place | None]:
        """The place of each device; None for one that no registry has, or that was taken out of service.

        Raises botocore's errors, throttling among them: then nobody is refused, and the batch is given again.
        """
        now, wanted = self._clock(), set(devices)
        missing = sorted(device for device in wanted if not now < self._known.get(device, (0.0, None))[0])
        if len(self._known) + len(missing) > _CACHED:
            self._known.clear()
            missing = sorted(wanted)
        for device, place in zip(missing, self._lookups.map(self._look_up, missing), strict=True):
            self._known[device] = (now + (KEPT_SECONDS if place else UNKNOWN_KEPT_SECONDS), place)
        return {device: self._known[device][1] for device in wanted}

    def _look_up(self, device: str) -> Place | None:
        if not DEVICE_NAME.fullmatch(device):
            return None
        try:
            attributes = self._iot.describe_thing(thingName=device).get("attributes", {})
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        tenant, site = attributes.get("tenant"), attributes.get("site")
        return Place(tenant, site) if tenant and site else None
