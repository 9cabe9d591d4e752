"""Which characters a file's bytes are."""

import codecs
from pathlib import Path

from simulator.replay.flaws import CsvError

# The longer marks first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FAMILIES = {"utf-8": "utf-8-sig", "utf-16-le": "utf-16", "utf-16-be": "utf-16"}
_FAMILIES |= {"utf-32-le": "utf-32", "utf-32-be": "utf-32"}


def encoding_of(path: Path, given: str | None) -> tuple[str, str]:
    """The codec that a file is read with, and how that is known.

    `given` is what --encoding says. Raises CsvError for a name that is no encoding, for one that the file's byte order
    mark contradicts, and for UTF-16 or UTF-32 without an order of bytes; OSError for a file that cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(4)
    marked = next((codec for mark, codec in _MARKS if start.startswith(mark)), None)
    if given is None:
        return (marked, "byte order mark") if marked else ("utf-8", "no byte order mark")
    name = _codec(given)
    if marked is None:
        if name in ("utf-16", "utf-32"):
            raise CsvError(f"{path} has no byte order mark; give --encoding {name}-le or --encoding {name}-be")
        return name, "--encoding"
    if _FAMILIES.get(name, name) != marked:
        raise CsvError(f"{path} begins with the byte order mark of {marked}, not of {given}; leave --encoding out")
    return marked, "--encoding, and byte order mark"


def _codec(given: str) -> str:
    try:
        b"0".decode(given, "replace")
        return codecs.lookup(given).name
    except (LookupError, ValueError):
        raise CsvError(f"--encoding {given!r} is unknown; write it as utf-8, cp1252 or utf-16-le") from None
