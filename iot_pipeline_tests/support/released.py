"""The templates of an earlier version, made from git's history by that version's own code."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

from infra.local.servers.checkout import CHECKOUT

# The last commit of main before the platform got its sizes' stacks: what an upgrade starts from.
RELEASED = "48be218f24efabeee894e5a6b6f4c5732e6cb370"


class NoHistoryError(LookupError):
    """This checkout does not know the released revision: a shallow clone, or no clone."""


def released_assembly(folder: Path, revision: str = RELEASED) -> Path:
    """The cloud assembly of a revision, made below `folder`. Raises NoHistoryError."""
    archive = subprocess.run(
        ["git", "-C", str(CHECKOUT), "archive", revision, "infra", "iot_pipeline"],
        capture_output=True,
        check=False,
    )
    if archive.returncode != 0:
        raise NoHistoryError(f"{revision} is not in this checkout's history: {archive.stderr.decode().strip()}")
    sources, assembly = folder / "released", folder / "assembly"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
        packed.extractall(sources, filter="data")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IOT_"))}
    subprocess.run(
        [sys.executable, "-m", "infra.app", str(assembly)],
        cwd=sources,
        env={**environment, "PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        capture_output=True,
    )
    return assembly
