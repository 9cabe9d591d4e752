"""The rules as the functions of the edge see them: the published document, looked at again after REFRESH_SECONDS."""

import logging
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from iot_pipeline.alerting.device_rules import RuleError, RuleSet, parsed
from iot_pipeline.contract.layout import EDGE_RULES

REFRESH_SECONDS = 20.0
DOCUMENT = EDGE_RULES + "current.json"
log = logging.getLogger(__name__)


class RulesSource:
    """Rules from S3. A document that is wrong changes nothing: those before it stay in force, and the log says so."""

    def __init__(self, s3: Any, bucket: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._s3, self._bucket, self._clock = s3, bucket, clock
        self._rules = RuleSet()
        self._etag: str | None = None
        self._due = 0.0

    def current(self) -> RuleSet:
        """The rules in force; the contract's own where nobody has published any. Raises botocore's errors."""
        if self._clock() >= self._due:
            self._refresh()
            self._due = self._clock() + REFRESH_SECONDS
        return self._rules

    def _refresh(self) -> None:
        known = {} if self._etag is None else {"IfNoneMatch": self._etag}
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=DOCUMENT, **known)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("304", "NotModified", "NoSuchKey", "404"):
                return
            raise
        try:
            self._rules = parsed(answer["Body"].read().decode())
        except RuleError:
            log.exception("The rules of s3://%s/%s stay unread", self._bucket, DOCUMENT)
        self._etag = answer["ETag"]
