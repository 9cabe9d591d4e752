"""CSV files as nobody should write them, by a seed; and what Python's own csv module reads of them."""

import codecs
import csv
import io
import random
from dataclasses import dataclass

COLUMNS = ("device", "t", "temp", "note")
_BEGIN_MS = 1_700_000_000_000
_CELLS = (
    "",
    " ",
    '"',
    "''",
    "a,b",
    "a;b",
    "line\nline",
    "cr\rcr",
    "crlf\r\ncrlf",
    "\x00",
    "NaN",
    "1e5",
    "=1+1",
    "\ufeff",
)
_NUMBERS = ("1.5", "-0", "+7", "1e3", "1e400", "0x10", "1_000", "1,5", " 1", ".5", "5.", "", "NaN", "inf", "٣", "--1")


@dataclass(frozen=True)
class HostileFile:
    """The bytes of a CSV file with a header of COLUMNS, written with this delimiter and encoding."""

    body: bytes
    delimiter: str
    encoding: str

    def rows(self) -> list[list[str]]:
        """Its rows as the csv module reads them: without header and blank lines."""
        text = self.body.decode(self.encoding).removeprefix("\ufeff")
        # The module's own, for the whole process: other tests count on what it was.
        limit = csv.field_size_limit(2**31 - 1)
        try:
            return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter) if row][1:]
        finally:
            csv.field_size_limit(limit)


def hostile_file(seed: int, size: int = 60) -> HostileFile:
    """A file of so many lines: quotes, NULs, byte order marks, mixed ends of lines, blank, ragged and long lines."""
    rng = random.Random(seed)
    delimiter, encoding = rng.choice(",;\t|"), rng.choice(["utf-8", "utf-8", "latin-1", "utf-16-le", "cp1252"])
    ends = rng.choice([["\n"], ["\r\n"], ["\n", "\r\n"], ["\n", "\r\n", "\r"]])
    rows = (
        _line(_cells(at, rng), delimiter, rng) if rng.random() > 0.1 else rng.choice(["", "", "x"])
        for at in range(size)
    )
    lines = [_line(COLUMNS, delimiter, rng), *rows]
    text = "".join(line + rng.choice(ends) for line in lines)
    if rng.random() < 0.3:
        text = text.rstrip("\r\n")
    mark = codecs.BOM_UTF8 if encoding == "utf-8" and rng.random() < 0.3 else b""
    return HostileFile(mark + text.encode(encoding, "replace"), delimiter, encoding)


def _cells(at: int, rng: random.Random) -> list[str]:
    long = "y" * rng.choice([0, 0, 0, 5_000])
    note = rng.choice([*_CELLS, long])
    device = f"meter-{at}" if rng.random() > 0.1 else rng.choice(_CELLS)
    time = str(_BEGIN_MS + at) if rng.random() > 0.1 else rng.choice(_NUMBERS)
    cells = [device, time, rng.choice(_NUMBERS), note]
    ragged = rng.random()
    return cells[:-1] if ragged < 0.05 else [*cells, "more"] if ragged < 0.1 else cells


def _line(cells: tuple[str, ...] | list[str], delimiter: str, rng: random.Random) -> str:
    written = []
    for cell in cells:
        needs = any(each in cell for each in (delimiter, '"', "\n", "\r"))
        written.append('"' + cell.replace('"', '""') + '"' if needs or rng.random() < 0.2 else cell)
    return delimiter.join(written)
