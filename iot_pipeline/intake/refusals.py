"""The bucket of what producers sent and the platform refused: every refused record, whole, with its reason."""

import base64
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from iot_pipeline.intake.sent import Sent

PREFIX = "refused/"
CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Refusal:
    """A user record and why it was refused."""

    sent: Sent
    reason: str

    @property
    def line(self) -> str:
        """As JSON: reason, device, received_at (epoch ms UTC), sequence, part, payload (base64)."""
        return json.dumps(
            {
                "reason": self.reason,
                "device": self.sent.record.partition_key,
                "received_at": self.sent.received_ms,
                "sequence": self.sent.sequence,
                "part": self.sent.part,
                "payload": base64.b64encode(self.sent.record.data).decode(),
            }
        )


class Refusals:
    """Writes `refused/<producer>/YYYY/MM/DD/<sequence>.jsonl`, an object for each record of the stream.

    A record that is handed over again is written again to the same object, so that nothing is counted twice.
    """

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket
        self._writers = ThreadPoolExecutor(CONNECTIONS)

    def keep(self, producer: str, refused: Sequence[Refusal]) -> None:
        """Write refusals. Raises botocore's errors: what is not kept is not refused, and the batch is given again."""
        of_record: dict[str, list[Refusal]] = {}
        for each in refused:
            of_record.setdefault(each.sent.sequence, []).append(each)
        list(self._writers.map(lambda parts: self._write(producer, parts), of_record.values()))

    def _write(self, producer: str, parts: Sequence[Refusal]) -> None:
        first = parts[0].sent
        day = datetime.fromtimestamp(first.received_ms / 1000, UTC).strftime("%Y/%m/%d")
        key = f"{PREFIX}{producer}/{day}/{first.sequence}.jsonl"
        body = "".join(f"{each.line}\n" for each in parts).encode()
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)
