"""The times that a reading may carry: one grammar, for the judge and for the transformation's SQL.

    time     = "YYYY-MM-DDThh:mm" [":ss" [("." | ",") 1 to 9 digits]] zone
    zone     = "Z" | ("+" | "-") hh [":"] mm
    or a whole number of epoch milliseconds, from 0, of at most 14 digits

Hours are 00 to 23, or 24 where the rest is zero, which is the next day's 00; minutes and seconds are 00 to 59, an
offset is at most 23:59. Fractions are rounded to milliseconds, half up. Years are 0001 to 9999, in UTC: no client of
the lake reads others.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# A whole number of more digits is no time in milliseconds.
LONGEST_MS = 10**14 - 1
ISO_FORM = (
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2})(:[0-9]{2})(?:(:[0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))"
)
_ISO = re.compile(ISO_FORM)
# What may follow "YYYY-MM-DDThh:mm:" in the form that nearly all devices send: a second, and thousandths of it in UTC.
_SECOND_Z = {f"{second:02d}Z": second * 1000 for second in range(60)}
_SECOND = {f"{second:02d}.": second * 1000 for second in range(60)}
_THOUSANDTH_Z = {f"{thousandth:03d}Z": thousandth for thousandth in range(1000)}


def epoch_ms(ts: Any) -> int | None:
    """Epoch milliseconds UTC of a `ts` as parsed from JSON; None where it is no time."""
    if type(ts) is int:
        return ts if 0 <= ts <= LONGEST_MS else None
    if type(ts) is not str:
        return None
    try:
        if len(ts) == 24:
            return _minute_ms(ts[:17]) + _SECOND[ts[17:20]] + _THOUSANDTH_Z[ts[20:]]
        if len(ts) == 20:
            return _minute_ms(ts[:17]) + _SECOND_Z[ts[17:]]
    except (LookupError, ValueError):
        pass
    return _any_form(ts)


# Devices' times are close to each other: of a batch nearly all are in the same few minutes.
@lru_cache(maxsize=4096)
def _minute_ms(text: str) -> int:
    """The minute that "YYYY-MM-DDThh:mm:" begins, in UTC. Raises ValueError for any other text of this length."""
    # Of hour 24, which later releases of Python take, there is midnight alone.
    if text[7] != "-" or text[10] != "T" or text[11:13] == "24" or not text[13] == text[16] == ":":
        raise ValueError(text)
    since = datetime.fromisoformat(text + "00Z") - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000


def moment(ms: int) -> datetime:
    """The moment of epoch milliseconds, UTC. Raises OverflowError beyond the year 9999."""
    return _EPOCH + ms * _MILLISECOND


def _any_form(ts: str) -> int | None:
    match = _ISO.fullmatch(ts)
    if match is None:
        return None
    date, hour, minute, second, fraction, sign, hours, minutes = match.groups()
    rest = minute + (second or "")
    day_later = hour == "24"
    if day_later and (rest.strip(":0") or (fraction or "").strip("0")):
        return None
    try:
        at = datetime.fromisoformat(f"{date}T{'00' if day_later else hour}{rest}+00:00")
    except ValueError:
        return None
    offset = timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
    since = (at - _EPOCH) + timedelta(days=day_later) - (offset if sign == "+" else -offset)
    microseconds = int((fraction or "0").ljust(6, "0")[:6])
    ms = since // _MILLISECOND + (microseconds + 500) // 1000
    return ms if _FIRST <= ms <= _LAST else None


_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
