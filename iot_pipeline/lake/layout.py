"""Where things lie in the lake's bucket."""

import re

from iot_pipeline.contract.layout import RAW
from iot_pipeline.lake.hours import Hour

_RAW_KEY = re.compile(re.escape(RAW) + r"year=(\d{4})/month=(\d{2})/day=(\d{2})/hour=(\d{2})/(?:[^/]+/)*[^/]+")


def arrival_hour_of_key(key: str) -> Hour:
    """The arrival hour of a raw object's key. Raises ValueError, naming what was expected, for any other key."""
    expected = f"{key!r} is no raw object: expected {RAW}year=YYYY/month=MM/day=DD/hour=HH/<name>"
    match = _RAW_KEY.fullmatch(key)
    if not match:
        raise ValueError(expected)
    try:
        return Hour.from_values(match.groups())
    except ValueError as error:
        raise ValueError(f"{expected}; {error}") from error
