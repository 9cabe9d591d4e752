"""`python -m infra.local.demo.imported_history`: six hours of history in CSV, imported into the running local AWS.

It writes two files and a mapping, imports them by `python -m iot_pipeline.bulk_import run ... --build`, and counts what
the lake holds of them. The local AWS (`make up`) has to run, and its environment to be read (`set -a; . ./.env`).
"""

import csv
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from infra.local.demo.way_books import on_local_aws, run_module, wait_for_books
from iot_pipeline.lake.hours import Hour, hours_between

_HOURS, _MINUTES_APART = 6, 1
_MAPPING = """\
import = "{name}"
tenant = "acme"
site = {{ column = "plant" }}
device = {{ column = "sensor" }}
ignore = ["comment"]

[ts]
column = "measured"
format = "%d.%m.%Y %H:%M"
zone = "UTC"

[metrics]
temperature = {{ column = "temp_f", unit = "F" }}
humidity = {{ column = "rh", unit = "%" }}

[csv]
delimiter = ";"
decimal = ","
"""


def main() -> int:
    """0 if every row is on the books as it should be, 1 if not, 2 where the local AWS does not run."""
    console = Console(highlight=False, width=200)
    with on_local_aws(), TemporaryDirectory(prefix="imported-") as folder:
        return 0 if _import(Path(folder), console) else 1


def _import(folder: Path, console: Console) -> bool:
    now = datetime.now(UTC)
    # An import of this run alone, so that its books are.
    name = f"demo-{now:%m%d%H%M%S}"
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=20)
    devices = [f"{name}-{number}" for number in (1, 2)]
    (folder / "history").mkdir()
    for device in devices:
        _write(folder / "history" / f"{device}.csv", device, first)
    (folder / "mapping.toml").write_text(_MAPPING.format(name=name))
    minutes = _HOURS * 60 // _MINUTES_APART
    console.print(
        f"{len(devices)} files of {minutes + 1} rows, of {_HOURS} hours of {first:%F}; in each a row comes twice, one "
        "has a temperature that there is not, and one a time that cannot be read"
    )
    command = ["run", str(folder / "mapping.toml"), f"{folder / 'history'}/", "--build"]
    console.print(f"python -m iot_pipeline.bulk_import {' '.join(command)}", soft_wrap=True)
    run_module("iot_pipeline.bulk_import", *command, "--work", str(folder / "work"))
    hours = hours_between(Hour.of(first), Hour.of(first) + (_HOURS - 1))
    # Of each file one row is rejected, and one is there twice.
    return wait_for_books(devices, len(devices) * minutes, lambda: hours, first, console)


def _write(file: Path, device: str, first: datetime) -> None:
    minutes = range(0, _HOURS * 60, _MINUTES_APART)
    times = [f"{first + timedelta(minutes=minute):%d.%m.%Y %H:%M}" for minute in minutes]
    rows = [[time, "hamburg", device, f"{68 + n % 3},{n % 10}", "41,5", ""] for n, time in enumerate(times)]
    rows[1][3], rows[2][0] = "9999", "yesterday"
    rows.append(rows[3])
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened, delimiter=";")
        writer.writerow(("measured", "plant", "sensor", "temp_f", "rh", "comment"))
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
