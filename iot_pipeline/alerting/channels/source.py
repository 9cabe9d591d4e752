"""The document of the channels, from AWS Secrets Manager: looked at again each minute, and never lost by a bad edit."""

import logging
import time
from typing import Any

from botocore.exceptions import ClientError

from iot_pipeline.alerting.channels.document import ChannelsError, Document, parsed

LOOKED_SECONDS = 60.0
_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
log = logging.getLogger(__name__)


class ChannelsSource:
    """Reads the secret of a name; an empty name is none."""

    def __init__(self, secrets: Any, name: str) -> None:
        self._secrets, self._name = secrets, name
        self._document: Document | None = None
        self._looked = -float("inf")
        self.is_broken = False

    def current(self) -> Document | None:
        """The document in force; None where nobody has written one, or it is blank.

        One that cannot be taken changes nothing: the version before it stays in force, and `is_broken` says so. Raises
        ChannelsError if that cannot be taken either, and botocore's errors.
        """
        if not self._name:
            return None
        if time.monotonic() - self._looked >= LOOKED_SECONDS:
            self._document = self._read()
            self._looked = time.monotonic()
        return self._document

    def _read(self) -> Document | None:
        text = self._version(_CURRENT)
        self.is_broken = False
        try:
            return parsed(text) if text else None
        except ChannelsError as error:
            self.is_broken = True
            log.error("The channels in %s cannot be taken, the version before stays: %s", self._name, error)  # noqa: TRY400  the trace would tell nothing more
        if self._document is not None:
            return self._document
        before = self._version(_PREVIOUS)
        return parsed(before) if before else None

    def _version(self, stage: str) -> str:
        """The text of a version; empty where there is none, or nothing in it."""
        try:
            answer = self._secrets.get_secret_value(SecretId=self._name, VersionStage=stage)
        except ClientError as error:
            # A secret without any version yet, and a version that there is not, are answered alike.
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return ""
            raise
        return str(answer.get("SecretString", "")).strip()
