"""Packages with compiled requirements: for either architecture, on whichever machine, the same bytes each time."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from infra.stacks import bundles
from infra.stacks.bundles import CHECKOUT, PLATFORMS, Bundle, built, zipped

# ELF, e_machine: AArch64 and x86-64.
MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}


def package(architecture: str, folder: Path, umask: int) -> tuple[str, set[int]]:
    """The checksum of a package that was built in a folder, and which machines its libraries are for."""
    folder.mkdir()
    before, tempdir = os.umask(umask), tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        with built(Bundle("native", CHECKOUT, ("iot_pipeline/contract",), "native"), architecture) as made:
            machines = {int.from_bytes(it.read_bytes()[18:20], "little") for it in made.rglob("*.so")}
            return hashlib.sha256(zipped(made)).hexdigest(), machines
    except subprocess.CalledProcessError as error:
        pytest.skip(f"pip fetches nothing here: {error}")
    finally:
        os.umask(before)
        tempfile.tempdir = tempdir


@pytest.mark.parametrize("architecture", PLATFORMS)
def test_a_package_with_compiled_requirements_is_reproducible(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "requirements", lambda _: ["orjson", "rpds-py"])
    first, machines = package(architecture, tmp_path / "here", 0o022)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    again, _ = package(architecture, tmp_path / "a-longer-name-elsewhere", 0o077)
    assert machines == {MACHINES[architecture]}
    assert again == first
    print(f"{architecture}: sha256 {first[:12]}...")
