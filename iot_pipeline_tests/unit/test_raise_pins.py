"""Raising the pins: by the real uv and a real git, from a folder of wheels instead of a package index."""

import subprocess
import zipfile
from pathlib import Path

import pytest
from rich.console import Console

from iot_pipeline_tests.raise_pins import Raised, broken, differences, raise_pins

COMMENT = "# Pinned by hand; it names no registry."
PINS = f"{COMMENT}\nanvil==1.0\nhammer==1.0\n"
PROJECT = """
[project]
name = "smithy"
version = "1"
requires-python = ">=3.11"
[project.optional-dependencies]
dev = ["anvil", "hammer<3"]
"""


def wheel(folder: Path, package: str, version: str, *needs: str) -> None:
    info = f"{package}-{version}.dist-info"
    required = "".join(f"Requires-Dist: {need}\n" for need in needs)
    with zipfile.ZipFile(folder / f"{package}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n{required}")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose checks fail with hammer 2 by the name of a test, and pass otherwise."""
    wheels, project = tmp_path / "wheels", tmp_path / "project"
    wheels.mkdir()
    (project / ".ci").mkdir(parents=True)
    for version in ("1.0", "2.0", "3.0"):
        wheel(wheels, "hammer", version)
    wheel(wheels, "anvil", "1.0")
    wheel(wheels, "anvil", "1.1", "tongs")
    wheel(wheels, "tongs", "5.0")
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "requirements.txt").write_text(PINS)
    checks = project / ".ci" / "run"
    checks.write_text(
        "#!/bin/sh\ngrep -q hammer==1 requirements.txt && exit 0\n"
        "echo 'FAILED tests/test_nail.py::test_it_is_driven - assert 1'\nexit 1\n"
    )
    checks.chmod(0o755)
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@example.com commit -qm first"):
        subprocess.run(["git", *command.split()], cwd=project, check=True)
    # By a file: uv has no variable that keeps it from asking an index as well.
    (tmp_path / "uv.toml").write_text("no-index = true\n")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_CONFIG_FILE", str(tmp_path / "uv.toml"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return project


def test_pins_with_which_the_checks_pass_are_kept(checkout: Path) -> None:
    console = Console(record=True, width=120)
    assert raise_pins(checkout, ["anvil"], console)
    assert (checkout / "requirements.txt").read_text() == f"{COMMENT}\nanvil==1.1\nhammer==1.0\ntongs==5.0\n"
    assert "2 pins raised" in console.export_text()


def test_what_breaks_is_named_and_the_pins_stay(checkout: Path) -> None:
    console = Console(record=True, width=120)
    assert not raise_pins(checkout, [], console)
    assert (checkout / "requirements.txt").read_text() == PINS
    printed = console.export_text()
    assert "1 broke with these pins" in printed
    assert printed.rstrip().endswith("  tests/test_nail.py::test_it_is_driven")
    assert "hammer   1.0" in printed


def test_nothing_is_judged_where_nothing_can_be_raised(checkout: Path) -> None:
    (checkout / ".ci" / "run").unlink()
    (checkout / "requirements.txt").write_text(f"{COMMENT}\nanvil==1.1\nhammer==2.0\ntongs==5.0\n")
    assert raise_pins(checkout, [], Console(record=True))


def test_no_pin_is_lowered_for_another(checkout: Path) -> None:
    wheel(checkout.parent / "wheels", "anvil", "1.2", "hammer<2")
    (checkout / "requirements.txt").write_text(f"{COMMENT}\nanvil==1.0\nhammer==2.0\n")
    console = Console(record=True, width=120)
    raise_pins(checkout, [], console)
    assert "anvil    1.0    1.1" in console.export_text()


def test_a_package_that_is_not_pinned_is_refused_by_name(checkout: Path) -> None:
    with pytest.raises(RuntimeError, match=r"not in requirements\.txt: pliers"):
        raise_pins(checkout, ["anvil", "pliers"], Console(record=True))


def test_pins_that_cannot_be_resolved_are_refused_in_the_resolvers_words(checkout: Path) -> None:
    (checkout / "pyproject.toml").write_text(PROJECT.replace("hammer<3", "hammer>4"))
    with pytest.raises(RuntimeError, match="hammer"):
        raise_pins(checkout, [], Console(record=True))


def test_packages_that_come_and_go_are_told() -> None:
    assert differences("# a\nold==1\nkept==2\n", "kept==2\nnew==3 ; python_version < '3.12'\n") == [
        Raised("new", "", "3 ; python_version < '3.12'"),
        Raised("old", "1", ""),
    ]


def test_each_check_names_what_broke() -> None:
    output = """
FAILED a/test_b.py::test_c[1] - assert
ERROR a/test_d.py - ImportError
iot_pipeline/a.py:3: error: Name "x" is not defined  [name-defined]
iot_pipeline/a.py:3:1: F821 Undefined name `x`
FAILED a/test_b.py::test_c[1] - assert
lint, format or types failed with 2
12 passed
"""
    assert broken(output) == [
        "a/test_b.py::test_c[1]",
        "a/test_d.py",
        'iot_pipeline/a.py:3: error: Name "x" is not defined  [name-defined]',
        "iot_pipeline/a.py:3:1: F821 Undefined name `x`",
        "lint, format or types failed with 2",
    ]
