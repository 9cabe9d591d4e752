"""The dbt project as code sees it: where it is, its variables, its manifest, parsed once for each content of both.

`python -m iot_pipeline.warehouse.dbt_project` prints the variables, for a dbt that a person starts:

    dbt build --vars "$(python -m iot_pipeline.warehouse.dbt_project)"
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from iot_pipeline.contract import CONTRACT
from iot_pipeline.contract.tables import FIRST_YEAR, LAST_YEAR

PROJECT_DIR = Path(__file__).parent / "dbt"
MANIFEST = "manifest.json"
# What dbt parsed, as it writes it for its next run; it takes it only for the same files, variables and connection.
_PARSE = "partial_parse.msgpack"
_PARSES_KEPT = 4
_GENERATED = {"target", "logs", ".user.yml"}


class DbtProjectError(RuntimeError):
    """The dbt project could not be parsed."""


def executable() -> Path:
    """The command dbt beside this Python; a virtual environment need not be activated."""
    return Path(sys.executable).with_name("dbt")


def variables() -> str:
    """What the models take from the contract, as JSON for dbt's option `--vars`: metrics, first and last year."""
    metrics = [{"name": it.name, "minimum": it.minimum, "maximum": it.maximum} for it in CONTRACT.metrics]
    return json.dumps({"metrics": metrics, "first_year": FIRST_YEAR, "last_year": LAST_YEAR})


@cache
def parsed() -> Path:
    """A folder with the project's manifest, outside the source tree; dbt runs only if none fits yet.

    Parsing needs neither a warehouse nor its settings. The folder is the user's own below the machine's folder for
    temporary files, under a checksum of the project's files and variables. Raises DbtProjectError with dbt's
    own words, or if somebody else made the folder.
    """
    folder = _cache() / _checksum()
    if not (folder / MANIFEST).exists():
        _parse_into(folder)
    return folder


def lay_out_parse(target: Path, connection: str) -> None:
    """Put what an earlier run of dbt on this connection has parsed into a run's target folder, if there was one."""
    kept = _kept_parse(connection)
    if kept.exists():
        shutil.copyfile(kept, target / _PARSE)


def keep_parse(target: Path, connection: str) -> None:
    """Keep what a run of dbt has parsed for the next one on this connection; of few connections, the newest."""
    kept = _kept_parse(connection)
    if not (target / _PARSE).exists():
        return
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="keeping-") as folder:
        # In one step: another run may be reading it.
        Path(shutil.copyfile(target / _PARSE, Path(folder, _PARSE))).replace(kept)
    for old in sorted(kept.parent.glob(f"*{_PARSE}"), key=_written)[:-_PARSES_KEPT]:
        old.unlink(missing_ok=True)


def _written(path: Path) -> float:
    with contextlib.suppress(FileNotFoundError):  # another run removed it meanwhile
        return path.stat().st_mtime
    return 0.0


def _kept_parse(connection: str) -> Path:
    return parsed() / f"{hashlib.sha256(connection.encode()).hexdigest()[:16]}-{_PARSE}"


def manifest() -> dict[str, Any]:
    """The project's manifest. Raises DbtProjectError."""
    read: dict[str, Any] = json.loads((parsed() / MANIFEST).read_text(encoding="utf-8"))
    return read


def _cache() -> Path:
    folder = Path(tempfile.gettempdir()) / f"iot-pipeline-dbt-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise DbtProjectError(f"{folder} belongs to another user; remove it, or set TMPDIR to a folder of your own")
    return folder


def _checksum() -> str:
    total = hashlib.sha256(f"{version('dbt-core')} {version('dbt-redshift')} {PROJECT_DIR} {variables()}".encode())
    for path in _files():
        content = path.read_bytes()
        total.update(f"{path.relative_to(PROJECT_DIR)} {len(content)} ".encode())
        total.update(content)
    return total.hexdigest()[:32]


def _files() -> Iterator[Path]:
    for path in sorted(PROJECT_DIR.rglob("*")):
        if path.is_file() and not _GENERATED & set(path.relative_to(PROJECT_DIR).parts):
            yield path


def _parse_into(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="parsing-") as target:
        project = ("--project-dir", PROJECT_DIR, "--profiles-dir", PROJECT_DIR, "--vars", variables())
        done = subprocess.run(
            [executable(), "parse", "--quiet", *project, "--target-path", target, "--log-path", target],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise DbtProjectError(f"dbt cannot parse {PROJECT_DIR}: {done.stdout}{done.stderr}")
        folder.mkdir(exist_ok=True)
        # In one step: another process may be looking, or parsing the same.
        Path(target, MANIFEST).replace(folder / MANIFEST)


if __name__ == "__main__":
    print(variables())
