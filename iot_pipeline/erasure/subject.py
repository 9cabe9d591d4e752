"""Who is erased, and what is theirs."""

import json
import re
from dataclasses import dataclass
from functools import cached_property

from iot_pipeline.contract.envelope import DEVICE, TENANT
from iot_pipeline.erasure.packed import unpacked
from iot_pipeline.registry.erasures import Kind


@dataclass(frozen=True)
class Subject:
    """A device, or a tenant with its devices. `devices` are the ids of all of them."""

    kind: Kind
    name: str
    devices: frozenset[str]

    def mentions(self, data: bytes) -> bool:
        """Whether one of the names stands in a text, as a whole word, also where it is packed."""
        return any(self._pattern.search(text) for text in unpacked(data))

    def mentioned_in(self, text: str) -> bool:
        """The same of a text."""
        return self.mentions(text.encode())

    def redacted(self, text: str) -> str:
        """A text with another word in place of each name."""
        return self._pattern.sub(b"[erased]", text.encode()).decode()

    def owns(self, line: bytes) -> bool:
        """Whether a line of the raw zone is theirs.

        The envelope says whose a line is. A line without one, cut off or written by hand, is nobody's that could be
        told: it is theirs if it mentions them.
        """
        named = envelope_of(line)
        return self.owns_names(*named) if named else self.mentions(line)

    def owns_names(self, device: object, tenant: object) -> bool:
        """Whether what stands under this device and tenant is theirs."""
        return device in self.devices or (self.kind == "tenant" and tenant == self.name)

    @property
    def names(self) -> list[str]:
        """All names that are searched for."""
        return sorted({self.name, *self.devices})

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        names = b"|".join(re.escape(name.encode()) for name in self.names)
        return re.compile(rb"(?<![A-Za-z0-9_-])(?:" + names + rb")(?![A-Za-z0-9_-])")


def envelope_of(line: bytes) -> tuple[object, object] | None:
    """Device and tenant of a line of the raw zone, as the rules added them; None if it has none of both."""
    try:
        message = json.loads(line)
        return message[DEVICE.name], message[TENANT.name]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
