"""The file that tells a person's own commands where the local AWS is: `dagster` and `dg` read a folder's `.env`."""

from collections.abc import Mapping
from pathlib import Path

from infra.local.servers.private_files import write_private

_HEADER = "# Generated; gone stale when the local AWS is started on other ports."


def write_env_file(environment: Mapping[str, str], path: Path, otherwise: Path) -> Path:
    """Write the environment to `path` (0600), or to `otherwise` if a person's own file is there; which it was."""
    lines = [_HEADER, *(f"{name}={value}" for name, value in environment.items())]
    target = otherwise if path.exists() and not _is_ours(path) else path
    write_private(target, "\n".join(lines) + "\n")
    return target


def remove_env_file(path: Path) -> None:
    """Remove what `write_env_file` wrote; a person's own file stays."""
    if path.exists() and _is_ours(path):
        path.unlink()


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().rstrip() == _HEADER.encode()
