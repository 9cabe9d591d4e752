"""Raise the pinned requirements, and say what that breaks.

    make raise-pins                    # all of them
    make raise-pins PACKAGES="duckdb"  # these, and what they need

Resolves anew within pyproject.toml, prints what changes, and has `.ci/run` judge a clone of the last commit with the
pins. The pins of this checkout are replaced only if it passes; exit code 1 if it does not, and the checks that failed
are printed. Where several pins were raised, raising them one by one tells which of them it was.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

PINS = "requirements.txt"
_PINNED = re.compile(r"^([^=\s]+)==", re.MULTILINE)
# What pytest, mypy, ruff and our own `.ci/run` print of a failure.
_BROKEN = re.compile(
    r"^(?:FAILED |ERROR )(?P<test>\S+)|^(?P<typed>\S+:\d+: error: .*)|^(?P<linted>\S+:\d+:\d+: \S+ .*)"
    r"|^(?P<said>(?:lint, format or types failed|the tests failed) with \d+)"
)


@dataclass(frozen=True)
class Raised:
    """A pin that changes: from one version to another, "" where the package is new or no longer needed."""

    package: str
    before: str
    after: str


def versions(pins: str) -> dict[str, str]:
    """Version by package. A package may be pinned to several, under conditions of their own; they are read as one."""
    found: dict[str, str] = {}
    for line in pins.splitlines():
        if line and not line.startswith("#"):
            package, _, version = line.partition("==")
            found[package] = f"{found[package]}, {version}" if package in found else version
    return found


def differences(before: str, after: str) -> list[Raised]:
    """What changes from one text of pins to another, by package."""
    old, new = versions(before), versions(after)
    return [
        Raised(package, old.get(package, ""), new.get(package, ""))
        for package in sorted(old | new)
        if old.get(package) != new.get(package)
    ]


def resolved(checkout: Path, packages: Sequence[str]) -> str:
    """The pins with these packages raised as far as pyproject.toml allows; all of them if none is named.

    None is lowered: a resolver takes an older version of one package for a newer one of another.

    Raises RuntimeError with uv's own words where that cannot be.
    """
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / PINS
        shutil.copy(checkout / PINS, pins)
        (at_least := Path(folder) / "at-least.txt").write_text(_PINNED.sub(r"\1>=", pins.read_text()))
        raising = [word for package in packages for word in ("--upgrade-package", package)] or ["--upgrade"]
        command = [shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv", "pip", "compile", "--quiet"]
        command += ["--universal", "--python-version", "3.11", "--extra", "dev", "--no-header", "--no-annotate"]
        command += [*raising, "--constraint", str(at_least), "--output-file", str(pins), "pyproject.toml"]
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        comment = (checkout / PINS).read_text().splitlines()[0]
        return f"{comment}\n{pins.read_text()}"


def broken(output: str) -> list[str]:
    """What the checks' output names as failed, each once."""
    found = (_BROKEN.match(line) for line in output.splitlines())
    return list(dict.fromkeys(next(filter(None, match.groups())) for match in found if match))


def judged(checkout: Path, pins: str, console: Console) -> list[str]:
    """Run `.ci/run` in a clone of the last commit with these pins; what is broken, nothing if it passes."""
    with tempfile.TemporaryDirectory(prefix="raise-pins-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(checkout), str(clone)], check=True)
        (clone / PINS).write_text(pins)
        lines = []
        command = [str(clone / ".ci" / "run")]
        with subprocess.Popen(command, cwd=clone, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
            assert run.stdout is not None
            for line in run.stdout:
                lines.append(line)
                console.out(line.rstrip(), highlight=False)
        if run.returncode == 0:
            return []
        return broken("".join(lines)) or [f".ci/run ended with exit code {run.returncode}"]


def raise_pins(checkout: Path, packages: Sequence[str], console: Console) -> bool:
    """Raise, judge, and keep what passes. False if something broke; the checkout's pins are then as they were.

    Raises RuntimeError as `resolved`, and for a package that is not pinned.
    """
    before = (checkout / PINS).read_text()
    if unknown := set(packages) - set(versions(before)):
        raise RuntimeError(f"not in {PINS}: {', '.join(sorted(unknown))}")
    pins = resolved(checkout, packages)
    changes = differences(before, pins)
    if not changes:
        console.print("every pin is as high as pyproject.toml and the others allow")
        return True
    table = Table("package", "from", "to", box=None)
    for change in changes:
        table.add_row(change.package, change.before or "(new)", change.after or "(no longer needed)")
    console.print(table)
    if failures := judged(checkout, pins, console):
        console.print(f"[red]{len(failures)} broke with these pins[/], and {PINS} is as it was:")
        for failure in failures:
            console.out(f"  {failure}", highlight=False)
        return False
    (checkout / PINS).write_text(pins)
    console.print(f"{len(changes)} pins raised in {PINS}, with which .ci/run passes")
    return True


if __name__ == "__main__":
    os.environ.setdefault("UV_SYSTEM_CERTS", "1")
    try:
        sys.exit(0 if raise_pins(Path(__file__).parents[1], sys.argv[1:], Console()) else 1)
    except RuntimeError as error:
        sys.exit(f"the pins could not be resolved: {error}")
