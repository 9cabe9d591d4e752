"""A page's items as lines of the raw zone."""

import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from iot_pipeline.contract.contract import CONTRACT
from iot_pipeline.contract.json_text import json_text
from iot_pipeline.contract.raw_line import Origin, raw_line
from iot_pipeline.pull.json_pointer import ABSENT, found_at
from iot_pipeline.pull.vendor import Placed, Resource, TimeFormat, Vendor

# A date alone is no time, though Python reads it as midnight.
_TIME = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")
# As many readings as a line has at most; a message of a device that packs has about as many.
_READINGS_A_LINE = 500


@dataclass(frozen=True)
class Lines:
    """The lines of a page. `readings` counts all items; `unplaced` those of them of no device that the file knows.

    `digest` is made of what the lines say and not of when they arrived: the same page has the same.
    """

    lines: list[bytes]
    readings: int
    unplaced: int
    digest: str


def lines_of(vendor: Vendor, resource: Resource, items: list[Any], page: str, received_at_ms: int) -> Lines:
    """The lines. `page` names the page among all of the vendor's; `received_at_ms` is epoch milliseconds UTC.

    Every item becomes one reading, on the books with all others: one that lacks something, or has it wrong, is
    quarantined by the name of what is wrong. One of an unknown device becomes a line without identity, and is
    quarantined as `not_from_ingest` with the whole item.
    """
    payloads: list[tuple[Placed | None, bytes]] = []
    readings: dict[Placed, list[str]] = {}
    for item in items:
        placed = _placed(vendor, resource, item)
        if placed is None:
            payloads.append((None, json_text({"item": item}).encode()))
        else:
            readings.setdefault(placed, []).append(json_text(_reading(vendor, resource, item)))
    unplaced = len(payloads)
    for placed, texts in readings.items():
        for begin in range(0, len(texts), _READINGS_A_LINE):
            some = ",".join(texts[begin : begin + _READINGS_A_LINE])
            text = f'{{"v":{CONTRACT.version},"device_id":{json_text(placed.device)},"readings":[{some}]}}'
            payloads.append((placed, text.encode()))
    digest = _digest(page, payloads)
    client = f"pull/{vendor.name}/{resource.name}"
    lines = [
        raw_line(
            payload,
            Origin(
                tenant=vendor.tenant,
                site=placed.site if placed else "",
                device=placed.device if placed else "",
                received_at_ms=received_at_ms,
                client=client,
                trace=f"{digest}-{number}",
            ),
        )
        for number, (placed, payload) in enumerate(payloads)
    ]
    return Lines(lines, len(items), unplaced, digest)


def derived_seq(vendor: Vendor, resource: Resource) -> int:
    """The `seq` of all readings of a resource that numbers none: by the resource, so that of a device and a time there
    is one reading a resource. A page that comes again is then a duplicate, and a changed value a conflict by name.
    """
    return zlib.crc32(f"{vendor.name}/{resource.name}".encode())


def _placed(vendor: Vendor, resource: Resource, item: Any) -> Placed | None:
    device = found_at(item, resource.mapping.device)
    if type(device) is int:
        device = str(device)
    return vendor.devices.get(device) if isinstance(device, str) else None


def _reading(vendor: Vendor, resource: Resource, item: Any) -> dict[str, Any]:
    """What is absent stays absent, and what is of another kind stays as it is: the contract judges it."""
    mapping = resource.mapping
    reading: dict[str, Any] = {"seq": derived_seq(vendor, resource)}
    if mapping.seq is not None:
        reading["seq"] = _or_none(found_at(item, mapping.seq))
    reading["ts"] = _ts(_or_none(found_at(item, mapping.ts)), mapping.ts_format)
    units = {}
    for metric in mapping.metrics:
        value = _or_none(found_at(item, metric.at))
        if value is None:
            continue
        reading[metric.name] = value
        if metric.unit is not None:
            units[metric.name] = metric.unit
    if units:
        reading["unit"] = units
    return reading


def _or_none(value: Any) -> Any:
    return None if value is ABSENT else value


def _ts(value: Any, form: TimeFormat) -> Any:
    """A time as the contract reads it; what is not of the form as a text that is quarantined as `invalid_ts`."""
    if value is None:
        return None
    if form is TimeFormat.EPOCH_MS and type(value) is int:
        return value
    if form is TimeFormat.EPOCH_S and (type(value) is int or (type(value) is float and abs(value) < 1e12)):
        return round(value * 1000)
    if form is TimeFormat.ISO and isinstance(value, str):
        return value
    if form is TimeFormat.ISO_UTC and isinstance(value, str) and _TIME.match(value):
        return _with_zone(value)
    return f"not {form}: {json_text(value)}"


def _with_zone(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        return f"not {TimeFormat.ISO_UTC}: {text}"
    return moment.replace(tzinfo=UTC).isoformat()


def _digest(page: str, payloads: list[tuple[Placed | None, bytes]]) -> str:
    hashed = hashlib.sha256(page.encode())
    for placed, payload in payloads:
        hashed.update(b"\n%d " % len(payload) + repr(placed).encode() + payload)
    return hashed.hexdigest()[:24]
