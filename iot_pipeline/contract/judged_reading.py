"""What the judge says of a line: its message, and its readings as judged."""

from datetime import datetime
from typing import Any

from iot_pipeline.contract.event_time import moment
from iot_pipeline.contract.json_text import json_text

VALID = "valid"


class Message:
    """Who sent a line, and when it arrived: one object for all its readings.

    `received_ms` is epoch milliseconds UTC. `whole` is the line, or the payload's text where the line carries it in
    base64. `wrong_fw`: a firmware was sent that is none. `extras` are the fields beside `readings` that the contract
    does not know. All but `whole` and `wrong_fw` are None where the line does not tell.
    """

    __slots__ = (
        "device_id",
        "extras",
        "fw",
        "message_id",
        "payload_base64",
        "received_ms",
        "site",
        "tenant",
        "whole",
        "wrong_fw",
    )

    def __init__(self, whole: str) -> None:
        self.whole = whole
        self.tenant: str | None = None
        self.site: str | None = None
        self.device_id: str | None = None
        self.message_id: str | None = None
        self.received_ms: int | None = None
        self.fw: str | None = None
        self.wrong_fw = False
        self.payload_base64: str | None = None
        self.extras: dict[str, str | None] | None = None

    @property
    def received_at(self) -> datetime | None:
        """Time of arrival at the broker, UTC."""
        return None if self.received_ms is None else moment(self.received_ms)


class Reading:
    """One reading as judged: a row of `judged_telemetry`.

    `outcome` is 'valid' or a Reason; `detail` says for most reasons what was expected and what was sent. `values` holds
    each metric that was sent as a number, by name, in its canonical unit. `event_ms` is epoch milliseconds UTC. What
    could not be read is None. `sent` is the element of `readings` as parsed, None where the message has no readings.
    """

    __slots__ = (
        "detail",
        "event_ms",
        "extras",
        "lat",
        "lon",
        "message",
        "outcome",
        "position",
        "sent",
        "seq",
        "values",
    )

    def __init__(self, message: Message, position: int, sent: Any) -> None:
        self.message = message
        self.position = position
        self.sent = sent
        self.outcome: str = VALID
        self.detail: str | None = None
        self.event_ms: int | None = None
        self.seq: int | None = None
        self.values: dict[str, float] = {}
        self.lat: float | None = None
        self.lon: float | None = None
        self.extras: dict[str, str | None] | None = None

    @property
    def event_time(self) -> datetime | None:
        """Time of the reading, UTC."""
        return None if self.event_ms is None else moment(self.event_ms)

    @property
    def extras_text(self) -> str | None:
        """The fields unknown to the contract as one JSON object of JSON texts, as `judged_telemetry` holds them."""
        return None if self.extras is None else json_text(self.extras)

    @property
    def record(self) -> str | None:
        """If not valid: the reading as JSON, or the whole payload where there is none."""
        if self.outcome == VALID:
            return None
        if self.sent is None:
            return self.message.whole
        return json_text(self.sent)
