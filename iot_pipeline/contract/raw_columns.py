"""A record of the stream as a row of the raw zone's Parquet: the whole line, and beside it the columns of its message.

The line is what is judged; the columns are for people. Firehose's JSON SerDe folds the case of keys, drops fields that
the table lacks and keeps one of two equal keys (Athena user guide, "OpenX JSON SerDe"), so that a message converted as
it came would be another one. Here the SerDe gets a text of ours: keys of the table, each once, in its case and type.
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from iot_pipeline.contract.contract import CONTRACT, Contract
from iot_pipeline.contract.envelope import ENVELOPE
from iot_pipeline.contract.tables import LINE, LINE_BASE64

_MESSAGE = ("v", "device_id", "sent_at", "fw")
_LONG = re.compile("-?[0-9]{1,18}")


class _Number(str):
    """A number in the digits in which it was sent."""

    __slots__ = ()


def raw_columns(record: bytes, contract: Contract = CONTRACT) -> dict[str, Any]:
    """The columns of one record; those that the record says nothing of are left out.

    `line` is the record's text, without a newline at its end. Bytes that are no UTF-8 are U+FFFD in it, as Athena shows
    them, and `line_base64` then has the exact bytes. The others are texts as sent, by the fields' exact names; of a
    record that is no JSON object there are none.
    """
    body = record.removesuffix(b"\n")
    columns: dict[str, Any] = {LINE.name: body.decode(errors="replace")}
    try:
        columns |= _of_message(body.decode(), contract)
    except UnicodeDecodeError:
        columns[LINE_BASE64.name] = base64.b64encode(body).decode()
    return columns


def _of_message(text: str, contract: Contract) -> dict[str, Any]:
    try:
        message = json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(message, dict):
        return {}
    found: dict[str, Any] = {name: _text(message.get(name)) for name in _MESSAGE}
    readings = message.get("readings")
    if isinstance(readings, list):
        found["readings"] = [_reading(each, contract) for each in readings]
    for field in ENVELOPE:
        value = message.get(field.name)
        if field.type == "bigint":
            found[field.name] = int(value) if isinstance(value, _Number) and _LONG.fullmatch(value) else None
        else:
            found[field.name] = _text(value)
    return {name: value for name, value in found.items() if value is not None}


def _reading(reading: object, contract: Contract) -> dict[str, Any]:
    """A reading's fields; none of what is no object, so that the others keep their places."""
    if not isinstance(reading, dict):
        return {}
    names = ("ts", "seq", *(metric.name for metric in contract.metrics))
    found: dict[str, Any] = {name: _text(reading.get(name)) for name in names}
    unit, location = reading.get("unit"), reading.get("location")
    if isinstance(unit, dict):
        found["unit"] = {_whole(name): _text(symbol) for name, symbol in unit.items()}
    if isinstance(location, dict):
        found["location"] = {name: _text(location.get(name)) for name in ("lat", "lon")}
    return {name: value for name, value in found.items() if value is not None}


def _text(value: object) -> str | None:
    """A value as the text of a column: a text is itself, anything else its JSON."""
    if value is None:
        return None
    return _whole(value) if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_quoted(name)}:{_json(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_json(each) for each in value) + "]"
    return _quoted(value)


def _quoted(value: object) -> str:
    return json.dumps(_whole(value) if isinstance(value, str) else value, ensure_ascii=False)


def _whole(text: str) -> str:
    """The text with U+FFFD for half a character, which no UTF-8 has."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
