"""The cached synthesis: by content."""

import shutil
from pathlib import Path

import pytest

from infra.local.deploy.synth import REPOSITORY, _sources, source_digest, synthesise
from infra.prover.source.code import module
from infra.stacks.bundles import BUNDLES

_PROJECT = ("pyproject.toml", "requirements.txt")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    copy = tmp_path / "repository"
    packages = (
        *("contract", "alerting", "arrival", "edge", "intake", "lake", "producer", "pull", "registry", "spark"),
        *("streaming", "warehouse"),
    )
    for folder in ("infra/stacks", "infra/vendors", *(f"iot_pipeline/{package}" for package in packages)):
        shutil.copytree(REPOSITORY / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    modules = ("iot_pipeline/__init__.py", "iot_pipeline/processes.py")
    for file in ("infra/app.py", "infra/environments.toml", *modules, *_PROJECT):
        shutil.copy(REPOSITORY / file, copy / file)
    return copy


def test_digest_is_that_of_the_sources(repository: Path) -> None:
    assert source_digest(repository) == source_digest()


@pytest.mark.parametrize(
    "source",
    [
        "infra/app.py",
        "infra/stacks/ingest/stack.py",
        "iot_pipeline/contract/metrics.py",
        "iot_pipeline/edge/__init__.py",
        "iot_pipeline/alerting/__init__.py",
        *(f"iot_pipeline/{package}/__init__.py" for package in ("arrival", "intake", "lake", "producer", "pull")),
        *("iot_pipeline/spark/__init__.py", "iot_pipeline/streaming/__init__.py"),
        *("iot_pipeline/registry/users.py", "iot_pipeline/warehouse/users.py", *_PROJECT),
    ],
)
def test_digest_follows_every_source(repository: Path, source: str) -> None:
    before = source_digest(repository)
    path = repository / source
    path.write_text(path.read_text() + "\n# changed\n")
    assert source_digest(repository) != before


def _imported(name: str, found: set[Path]) -> set[Path]:
    """The files of a module and of all that it imports of ours, those for types alone left out."""
    read = module(name)
    path = REPOSITORY / name.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if read is not None and file not in found:
        found.add(file)
        for target, inside in read.imported.values():
            _imported(target, found)
            _imported(f"{target}.{inside}", found)
    return found


def test_digest_follows_all_that_the_app_imports() -> None:
    imported = _imported("infra.app", set())
    assert REPOSITORY / "infra/stacks/assembly.py" in imported
    assert imported - set(_sources(REPOSITORY)) == set()


def test_every_packages_sources_are_followed() -> None:
    copied = {REPOSITORY / path for bundle in BUNDLES if bundle.root == REPOSITORY for path in bundle.paths}
    files = {file for path in copied for file in (path.rglob("*.py") if path.is_dir() else (path,))}
    assert files
    assert files - set(_sources(REPOSITORY)) == set()


def test_digest_follows_a_new_file_and_ignores_others(repository: Path) -> None:
    before = source_digest(repository)
    (repository / "infra/stacks/README.md").write_text("not a source")
    assert source_digest(repository) == before
    (repository / "infra/stacks/new.py").write_text("")
    assert source_digest(repository) != before


def test_what_is_there_is_used_again(tmp_path: Path) -> None:
    kept = tmp_path / "cdk" / f"{source_digest()}-telemetry"
    kept.mkdir(parents=True)
    assert synthesise(tmp_path) == kept
    assert list(kept.iterdir()) == []


@pytest.mark.parametrize("option", ["IOT_EDGE_FAN_OUT=true", "IOT_LATENESS_DAYS=90", "IOT_FUTURE_HOURS=2"])
def test_each_option_is_another_assembly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    monkeypatch.setenv(*option.split("="))
    kept = tmp_path / "cdk" / f"{source_digest()}-telemetry-{option}"
    kept.mkdir(parents=True)
    assert synthesise(tmp_path) == kept
