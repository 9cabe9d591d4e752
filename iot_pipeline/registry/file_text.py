"""The text of a file that a person wrote, with the place of what cannot be text."""

import re
from pathlib import Path

from iot_pipeline.registry.errors import RegistryError

_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
# YAML takes them for characters and PostgreSQL does not; a CSV file has no use for them.
_CONTROLS = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BREAK = re.compile(r"\r\n|\r|\n")


def read_text(path: Path) -> str:
    """A UTF-8 file's text, without its byte order mark; line ends as they are.

    Raises RegistryError naming the line and column of a byte that is not UTF-8 or of a control character, and OSError
    for a file that cannot be read.
    """
    content = path.read_bytes()
    if content.startswith(_MARKS):
        raise RegistryError(f"{path} is UTF-16 or UTF-32; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
        byte = f"byte 0x{content[error.start]:02X}"
        raise RegistryError(f"{place(path, before)}: {byte} is not UTF-8; save the file as UTF-8") from None
    if found := _CONTROLS.search(text):
        character = f"control character {found[0]!r}"
        raise RegistryError(f"{place(path, text[: found.start()])}: {character}, expected text; remove it")
    return text


def place(path: Path, before: str) -> str:
    """`file, line 3, column 7`: where the text after `before` is."""
    lines = _BREAK.split(before)
    return f"{path}, line {len(lines)}, column {len(lines[-1]) + 1}"
