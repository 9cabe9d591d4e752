"""Faults of a whole message: each turns a good message into bytes, and the rows of its readings into what to expect."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import orjson

from iot_pipeline.contract import CONTRACT, Reason
from simulator.rows import Row, whole_message

Message = dict[str, Any]
MessageFault = Callable[[Message, list[Row], np.random.Generator], tuple[bytes, list[Row]]]


def _malformed(message: Message, _rows: list[Row], rng: np.random.Generator) -> tuple[bytes, list[Row]]:
    good = orjson.dumps(message)
    # None of these is JSON: RFC 8259 allows one value, in UTF-8.
    kinds = (
        good[: int(rng.integers(1, len(good)))],
        good[: len(good) // 2].replace(b",", b",\n"),
        good + b"\n{}",
        b"ERROR 17: sensor bus timeout\r\n",
        b"temperature=21.4\nhumidity=40.1\n\n",
        good.replace(b'"fw":"', b'"fw":"\xff\xfe', 1),
        b"\xa2\x61v\x01\x68readings\x81\xa2\x62ts\x1a\x69\x20\x00\x00\x63seq\x0a",
        b"\x00\x01\x02\x03",
    )
    return kinds[int(rng.integers(len(kinds)))], [whole_message("malformed", Reason.MALFORMED_JSON)]


def _not_a_message(message: Message, _rows: list[Row], rng: np.random.Generator) -> tuple[bytes, list[Row]]:
    without = {name: value for name, value in message.items() if name != "readings"}
    kinds: tuple[Any, ...] = (
        without,
        without | {"readings": []},
        without | {"readings": {"0": message["readings"][0]}},
        without | {"readings": None},
        message["readings"],
        [],
        {},
        "hello",
        42,
        None,
    )
    return orjson.dumps(kinds[int(rng.integers(len(kinds)))]), [whole_message("not_a_message", Reason.NO_READINGS)]


def _unsupported_version(message: Message, rows: list[Row], rng: np.random.Generator) -> tuple[bytes, list[Row]]:
    version = (CONTRACT.version + 1, 0, None)[int(rng.integers(3))]
    content = {name: value for name, value in message.items() if name != "v"}
    if version is not None:
        content["v"] = version
    return orjson.dumps(content), [row.quarantined("unsupported_version", Reason.UNSUPPORTED_VERSION) for row in rows]


def _device_mismatch(message: Message, rows: list[Row], _rng: np.random.Generator) -> tuple[bytes, list[Row]]:
    content = message | {"device_id": f"{message['device_id']}-spoofed"}
    return orjson.dumps(content), [row.quarantined("device_mismatch", Reason.DEVICE_MISMATCH) for row in rows]


MESSAGE_FAULTS: Mapping[str, MessageFault] = {
    "malformed": _malformed,
    "not_a_message": _not_a_message,
    "unsupported_version": _unsupported_version,
    "device_mismatch": _device_mismatch,
}
