"""Numbers as Java writes them, and so Trino."""

import math


def java_double(value: float) -> str:
    """Double.toString of Java, which is how Trino writes a double as text."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return _plain(value)
    digits, _, exponent = f"{value:e}".partition("e")
    digits, _, exponent = repr(value).partition("e") if "e" in repr(value) else (digits, "", exponent)
    if "e" not in repr(value):
        mantissa = repr(value).replace(".", "").lstrip("-0").rstrip("0") or "0"
        digits = ("-" if value < 0 else "") + mantissa[0] + "." + (mantissa[1:] or "0")
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"


def _plain(value: float) -> str:
    text = repr(value)
    return text if "e" not in text else f"{value:f}"
