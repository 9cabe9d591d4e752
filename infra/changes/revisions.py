"""The cloud assembly of another version: a revision of git, or a folder that is there already."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.deploy.synth import REPOSITORY, run_app
from infra.stacks.config import NAME_VARIABLE


@contextmanager
def assembly_of(base: str, environment: str) -> Iterator[Path]:
    """The folder of an environment's assembly as of `base`, which is gone afterwards unless it is the caller's.

    A revision is synthesised from its own sources, with the packages that are installed now. Raises ValueError if
    `base` is neither, and DeployError if its app fails.
    """
    if (Path(base) / "manifest.json").is_file():
        yield Path(base)
        return
    with tempfile.TemporaryDirectory(prefix="infra-base-") as scratch:
        checkout = Path(scratch) / "checkout"
        _extract(base, checkout)
        yield run_app(Path(scratch), {NAME_VARIABLE: environment}, checkout=checkout)


def _extract(revision: str, checkout: Path) -> None:
    archive = subprocess.run(["git", "archive", revision], cwd=REPOSITORY, capture_output=True, check=False)
    if archive.returncode != 0:
        said = archive.stderr.decode().strip().splitlines()[-1:]
        raise ValueError(f"{revision!r} is neither a revision of git nor the folder of an assembly: {' '.join(said)}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(checkout, filter="data")
