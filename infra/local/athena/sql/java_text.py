"""Numbers as Java writes them, and so Trino."""

import math
from decimal import ROUND_HALF_UP, Decimal, localcontext

from infra.local.athena.errors import QueryError


def java_double(value: float) -> str:
    """Double.toString of Java, which is how Trino writes a double as text."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return _plain(value)
    return double_text(value)


def _plain(value: float) -> str:
    text = repr(value)
    return text if "e" not in text else f"{value:f}"


def double_text(value: float) -> str:
    """CAST(double AS varchar) of Trino, which always writes an exponent."""
    if math.isnan(value) or math.isinf(value):
        return java_double(value)
    if value == 0:
        return "0E0"
    return (
        _scientific(repr(value)) if len(repr(value).strip("-0.").partition("e")[0]) > 1 else _scientific(f"{value:.1e}")
    )


def real_cast_text(value: float) -> str:
    """CAST(real AS varchar) of Trino: seven digits and an exponent."""
    return double_text(value) if math.isnan(value) or math.isinf(value) or value == 0 else _scientific(f"{value:.6e}")


def _scientific(text: str) -> str:
    sign, digits, exponent = Decimal(text).as_tuple()
    shown = "".join(map(str, digits)).lstrip("0")
    power = len(shown) - 1 + int(exponent)
    mantissa = shown.rstrip("0") or "0"
    return f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}E{power}"


def day_time_text(milliseconds: int) -> str:
    """An INTERVAL DAY TO SECOND as Trino prints it: 2 00:00:00.000."""
    seconds, rest = divmod(abs(milliseconds), 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{'-' if milliseconds < 0 else ''}{days} {hour:02}:{minute:02}:{second:02}.{rest:03}"


def decimal_quotient(dividend: str, divisor: str, scale: int) -> str:
    """Dividend / divisor, rounded half up to the scale; QueryError for a division by zero."""
    if Decimal(divisor) == 0:
        raise QueryError("DIVISION_BY_ZERO: Division by zero")
    with localcontext(prec=160):
        return str((Decimal(dividend) / Decimal(divisor)).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP))


def cube_root(value: float) -> float:
    """Math.cbrt of Java, which is exact for cubes of whole numbers."""
    root = math.cbrt(value)
    whole = round(root) if math.isfinite(root) else 0
    return float(whole) if whole**3 == value else root
