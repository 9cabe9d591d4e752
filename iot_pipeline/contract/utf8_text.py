"""Bytes as text, as the transformation's engine reads them."""

_CONTINUATION = 0b10
# The bits that a first byte begins with, by the length of its sequence; five and six are none of UTF-8's any more.
_FIRST = {2: 0b110, 3: 0b1110, 4: 0b11110, 5: 0b111110, 6: 0b1111110}


def from_utf8(value: bytes) -> str:
    """What from_utf8 of Trino gives: each sequence that is no character becomes one U+FFFD.

    A sequence reaches as far as its first byte says and its bytes go on: of `C0 80`, an overlong zero, there is one
    U+FFFD, where Python has two (Trino docs, "Unicode functions"; held against a Trino 476).
    """
    try:
        return value.decode()
    except UnicodeDecodeError:
        pass
    found, at = [], 0
    while at < len(value):
        length = _length(value, at)
        taken = value[at : at + length]
        found.append(taken.decode() if _is_character(taken) else "\ufffd")
        at += length
    return "".join(found)


def _length(value: bytes, at: int) -> int:
    """How many bytes belong together from here on."""
    first = value[at]
    wanted = next((length for length, bits in _FIRST.items() if first >> (7 - length) == bits), 1)
    taken = 1
    while taken < wanted and at + taken < len(value) and value[at + taken] >> 6 == _CONTINUATION:
        taken += 1
    return taken


def _is_character(taken: bytes) -> bool:
    try:
        taken.decode()
    except UnicodeDecodeError:
        return False
    return True
