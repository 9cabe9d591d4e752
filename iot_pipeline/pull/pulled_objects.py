"""Where pulled pages land: the raw zone of the lake, and what could not be read beside it."""

import gzip
import hashlib
from datetime import UTC, datetime
from typing import Any

from iot_pipeline.contract.layout import FAILED_DELIVERY, RAW
from iot_pipeline.pull.reading_lines import Lines

UNREADABLE = f"{FAILED_DELIVERY}pull/"


class PulledObjects:
    """Writes objects whose names follow from what they hold, so that who writes one again changes nothing."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def land(self, resource: str, from_ms: int, arrival_ms: int, page: Lines) -> str:
        """Write a page under the hour of its arrival, as Firehose does; the key. Nothing for a page without items.

        The name has the resource (`vendor/resource`), the window and the page's digest, which its position and its
        lines make: a page that comes again as it was is the same object, and one that has changed another, so that
        nothing that once arrived goes.
        """
        if not page.lines:
            return ""
        arrival, window = _moment(arrival_ms), _moment(from_ms)
        hour = f"year={arrival:%Y}/month={arrival:%m}/day={arrival:%d}/hour={arrival:%H}/"
        name = f"pull-{resource.replace('/', '-')}-{window:%Y-%m-%d-%H-%M}-{page.digest}.gz"
        body = gzip.compress(b"\n".join(page.lines) + b"\n", mtime=0)
        self._s3.put_object(Bucket=self._bucket, Key=RAW + hour + name, Body=body)
        return RAW + hour + name

    def keep_unreadable(self, resource: str, from_ms: int, body: bytes) -> str:
        """Keep an answer that could not be read, for people; the key. The same answer is kept once."""
        digest = hashlib.sha256(body).hexdigest()[:16]
        key = f"{UNREADABLE}{resource}/{_moment(from_ms):%Y-%m-%d-%H-%M}-{digest}.gz"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=gzip.compress(body, mtime=0))
        return key


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
