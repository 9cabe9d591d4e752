"""Files and folders with secrets in them, which only their owner may read."""

import os
from pathlib import Path


def private_folder(path: Path) -> Path:
    """Make a folder (0700), or close one that is there already; the folder with links resolved."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path.resolve()


def write_private(path: Path, text: str) -> None:
    """Write a file (0600) whole or not at all; what was there is replaced in one step."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
