"""How many columns the header of a CSV file names, before a reader makes something for each of them.

A file whose ends of lines are lost is one header of all its cells: Arrow's reader takes some 8 KiB a column, so that
4 MiB of commas, as many as a row may have, would be 34 GB.
"""

import codecs
import re
from collections.abc import Iterator
from typing import IO

from iot_pipeline.bulk_import.mapping import Csv

# As many as a sheet of Excel has (Microsoft, "Excel specifications and limits").
MOST_COLUMNS = 16_384
_PIECE = 65_536


def is_too_wide(plain: IO[bytes], csv: Csv, most_bytes: int) -> bool:
    """Whether the header, behind the lines that are skipped, has more than MOST_COLUMNS columns.

    Reads no more than it needs to know, and `most_bytes` at most. Raises what reading raises.
    """
    left, columns, is_quoted = csv.skip_lines, 1, False
    for is_blank, mark in _marks(plain, csv, most_bytes):
        if mark == csv.delimiter:
            columns += not (left or is_quoted)
            if columns > MOST_COLUMNS:
                return True
        elif mark == csv.quote:
            is_quoted = not (left or is_quoted)
        elif left:
            left -= 1
        elif not (is_quoted or is_blank):
            return False
    return False


def _marks(plain: IO[bytes], csv: Csv, most_bytes: int) -> Iterator[tuple[bool, str]]:
    """Each delimiter, quote and end of a line, and whether its line is blank before it."""
    marks = re.compile("|".join(re.escape(each) for each in (csv.delimiter, csv.quote, "\r\n", "\n", "\r")))
    decoder = codecs.getincrementaldecoder(csv.encoding)("replace")
    is_blank, is_half = True, False
    for _ in range(0, most_bytes, _PIECE):
        body = plain.read(_PIECE)
        piece = decoder.decode(body, final=not body)
        if is_half:
            piece = piece.removeprefix("\n")
        done, is_half = 0, piece.endswith("\r")
        for found in marks.finditer(piece):
            is_blank = is_blank and found.start() == done
            yield is_blank, found[0]
            done, is_blank = found.end(), found[0] in ("\r\n", "\n", "\r")
        is_blank = is_blank and done == len(piece)
        if not body:
            return
