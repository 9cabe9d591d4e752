"""What a month uses of a service: the quantities that prices are multiplied with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """Units of one price.

    `what` says of whom or of what, `basis` how the units come about, where that is not plain from what they are.
    """

    price: str
    units: float
    what: str
    basis: str = ""
