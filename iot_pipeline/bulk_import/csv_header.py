"""How many columns the header of a CSV file names, before a reader makes something for each of them.

A file whose ends of lines are lost is one header of all its cells: Arrow's reader takes some 8 KiB a column, so that
4 MiB of commas, as many as a row may have, would be 34 GB.
"""

import csv
import io
from typing import IO

from iot_pipeline.bulk_import.mapping import Csv

# As many as a sheet of Excel has (Microsoft, "Excel specifications and limits").
MOST_COLUMNS = 16_384


def is_too_wide(plain: IO[bytes], how: Csv, most_bytes: int) -> bool:
    """Whether the header, behind the lines that are skipped, has more than MOST_COLUMNS columns.

    Reads `most_bytes` at most. Raises what reading raises.
    """
    body = plain.read(most_bytes).decode(how.encoding, "replace")
    text = io.StringIO(body, newline="")
    for _ in range(how.skip_lines):
        text.readline()
    try:
        header = next(filter(None, csv.reader(text, delimiter=how.delimiter, quotechar=how.quote)), [])
    except csv.Error:
        # A cell of more characters than the module takes: no name of a column, but there may be others beside it.
        return body.count(how.delimiter) >= MOST_COLUMNS
    return len(header) > MOST_COLUMNS
