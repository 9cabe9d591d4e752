"""A double as Java writes it, and so the transformation's engine."""

import math
from decimal import Decimal


def double_text(value: float) -> str:
    """Double.toString of Java: an exponent below 0.001 and from ten million on (Java SE API, "Double.toString")."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    text = repr(value)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return text if "e" not in text else f"{value:f}"
    # Java's shortest form has two digits at least.
    return scientific(text if len(text.strip("-0.").partition("e")[0]) > 1 else f"{value:.1e}")


def scientific(text: str) -> str:
    """The text of a number as one digit, a point, the other digits and its exponent: `1.5E7`."""
    sign, digits, exponent = Decimal(text).as_tuple()
    shown = "".join(map(str, digits)).lstrip("0")
    power = len(shown) - 1 + int(exponent)
    mantissa = shown.rstrip("0") or "0"
    return f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}E{power}"
