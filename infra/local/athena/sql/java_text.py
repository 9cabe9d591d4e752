"""Numbers as Java writes them, and so Trino."""

import math
from decimal import ROUND_HALF_UP, Decimal, localcontext

from infra.local.athena.errors import QueryError
from iot_pipeline.contract import number_text


def double_text(value: float) -> str:
    """CAST(double AS varchar) of Trino, which always writes an exponent."""
    if not math.isfinite(value):
        return number_text.double_text(value)
    if value == 0:
        return "0E0"
    text = repr(value)
    return number_text.scientific(text if len(text.strip("-0.").partition("e")[0]) > 1 else f"{value:.1e}")


def real_cast_text(value: float) -> str:
    """CAST(real AS varchar) of Trino: seven digits and an exponent."""
    return number_text.scientific(f"{value:.6e}") if value and math.isfinite(value) else double_text(value)


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


def decimal_remainder(dividend: str, divisor: str) -> str:
    """What is left of the dividend, with its sign; QueryError for a division by zero."""
    if Decimal(divisor) == 0:
        raise QueryError("DIVISION_BY_ZERO: Division by zero")
    with localcontext(prec=160):
        return format(Decimal(dividend) % Decimal(divisor), "f")


def cube_root(value: float) -> float:
    """Math.cbrt of Java, which is exact for cubes of whole numbers."""
    root = math.cbrt(value)
    whole = round(root) if math.isfinite(root) else 0
    return float(whole) if whole**3 == value else root
