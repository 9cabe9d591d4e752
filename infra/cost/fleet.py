"""The fleet that a bill is for."""

from dataclasses import dataclass

from infra.cost.volumes import largest_payload
from iot_pipeline.contract import MAX_MESSAGE_BYTES

# The AWS Pricing Calculator's month.
HOURS_A_MONTH = 730
MINUTES_A_MONTH = HOURS_A_MONTH * 60
SECONDS_A_MONTH = HOURS_A_MONTH * 3600
DAYS_A_MONTH = HOURS_A_MONTH / 24
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Fleet:
    """Devices that take a reading every `interval_seconds` each and send `pack` readings a message.

    Raises ValueError that names the field, says what was expected and what to do.
    """

    devices: int
    interval_seconds: float = 60
    pack: int = 25

    def __post_init__(self) -> None:
        """Refuse what cannot be a fleet, or what AWS IoT Core would not take."""
        if not 1 <= self.devices <= 100_000_000:
            raise ValueError(f"devices = {self.devices}: expected 1 to 100,000,000")
        if not 0.01 <= self.interval_seconds <= _SECONDS_A_DAY:
            raise ValueError(
                f"interval = {self.interval_seconds:g}: expected 0.01 to 86,400 seconds from a reading to the next"
            )
        if self.pack < 1:
            raise ValueError(f"pack = {self.pack}: expected at least 1 reading a message")
        if (size := largest_payload(self.pack)) >= MAX_MESSAGE_BYTES:
            raise ValueError(
                f"pack = {self.pack}: a message would have {size:,.0f} bytes, and AWS IoT Core takes less than "
                f"{MAX_MESSAGE_BYTES:,}; choose fewer readings a message"
            )

    @property
    def readings(self) -> float:
        """Readings of a month."""
        return self.devices * SECONDS_A_MONTH / self.interval_seconds

    @property
    def messages(self) -> float:
        """Messages of a month."""
        return self.readings / self.pack

    @property
    def messages_a_second(self) -> float:
        """Of the whole fleet."""
        return self.messages / SECONDS_A_MONTH

    @property
    def age_seconds(self) -> float:
        """How old a message's first reading is when it is sent."""
        return self.interval_seconds * (self.pack - 1)
