"""What a Lambda function's package holds, built without Docker and always the same for the same sources.

`python -m infra.stacks.bundles` prints the size of each bundle.
"""

import hashlib
import io
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).resolve().parents[2]

# Functions with requirements run on Python 3.14. Lambda's names of its two architectures, and those of their wheels.
_RUNTIME = ("--implementation", "cp", "--python-version", "3.14")
PLATFORMS = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}
ARM64 = "arm64"
# The earliest time that a ZIP file knows.
_MTIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Bundle:
    """A package: modules and folders of `root`, under the names they are imported by.

    `without` are parts of those that no function needs. `extra` is the extra of pyproject.toml whose requirements go
    with them, in the versions of requirements.txt.
    """

    name: str
    root: Path
    paths: tuple[str, ...]
    extra: str | None = None
    without: tuple[str, ...] = ()


CLAIM_HOOK = Bundle("claim-hook", CHECKOUT / "infra/stacks/ingest/lambdas", ("new_things_only.py",))
CANARY = Bundle("canary", CHECKOUT / "infra/stacks/observability/lambdas", ("canary_device.py",))
EDGE = Bundle(
    "edge",
    CHECKOUT,
    ("iot_pipeline/__init__.py", "iot_pipeline/contract", "iot_pipeline/alerting", "iot_pipeline/edge"),
    # What is for people: the scorer of the detector, the reference of rules, the command lines.
    without=(
        "iot_pipeline/alerting/nab",
        "iot_pipeline/alerting/__main__.py",
        "iot_pipeline/alerting/rule_docs.py",
        "iot_pipeline/contract/__main__.py",
        "iot_pipeline/edge/__main__.py",
    ),
)
ARRIVAL = Bundle(
    "arrival",
    CHECKOUT,
    ("iot_pipeline/__init__.py", "iot_pipeline/contract", "iot_pipeline/arrival"),
    without=("iot_pipeline/contract/__main__.py",),
)
# How functions tell of themselves.
_TELEMETRY = ("iot_pipeline/edge/__init__.py", "iot_pipeline/edge/telemetry.py", "iot_pipeline/edge/tracing.py")
INTAKE = Bundle(
    "intake",
    CHECKOUT,
    (
        "iot_pipeline/__init__.py",
        "iot_pipeline/contract",
        *_TELEMETRY,
        "iot_pipeline/intake",
        "iot_pipeline/producer/__init__.py",
        "iot_pipeline/producer/packing.py",
        "iot_pipeline/producer/put.py",
        "iot_pipeline/producer/zstandard.py",
    ),
    without=("iot_pipeline/contract/__main__.py",),
)
PULL = Bundle(
    "pull",
    CHECKOUT,
    ("iot_pipeline/__init__.py", "iot_pipeline/contract", "iot_pipeline/pull", *_TELEMETRY),
    without=("iot_pipeline/contract/__main__.py", "iot_pipeline/pull/__main__.py"),
)
# For Glue, which has Spark, PyArrow and boto3.
STREAMING = Bundle(
    "streaming",
    CHECKOUT,
    (
        "iot_pipeline/__init__.py",
        "iot_pipeline/contract",
        "iot_pipeline/lake/__init__.py",
        "iot_pipeline/lake/hours.py",
        "iot_pipeline/streaming",
    ),
    # What Dagster runs.
    without=(
        "iot_pipeline/contract/__main__.py",
        "iot_pipeline/streaming/reconciling.py",
        "iot_pipeline/streaming/statements.py",
    ),
)
# The package of the Glue job, whose libraries Glue installs itself.
SPARK = Bundle(
    "spark",
    CHECKOUT,
    (
        "iot_pipeline/__init__.py",
        "iot_pipeline/contract",
        "iot_pipeline/lake",
        "iot_pipeline/processes.py",
        "iot_pipeline/spark",
    ),
    without=("iot_pipeline/contract/__main__.py", "iot_pipeline/lake/__main__.py"),
)
BUNDLES = (CLAIM_HOOK, CANARY, EDGE, ARRIVAL, INTAKE, PULL, STREAMING, SPARK)


@contextmanager
def built(bundle: Bundle, architecture: str = ARM64) -> Iterator[Path]:
    """The bundle as a folder, which is gone afterwards. Raises CalledProcessError where pip fails.

    `architecture` is one of PLATFORMS, whichever this machine has.
    """
    with TemporaryDirectory(prefix="bundle-") as scratch:
        folder = Path(scratch)
        if bundle.extra is not None:
            _install(requirements(bundle.extra), folder, PLATFORMS[architecture])
        for path in bundle.paths:
            _copy(bundle.root / path, folder / path)
        for path in bundle.without:
            _remove(folder / path)
        yield folder


def zipped(folder: Path) -> bytes:
    """A folder as the ZIP file that Lambda takes: order, times and modes depend on nothing but the files' contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _MTIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def requirements(extra: str, checkout: Path = CHECKOUT) -> list[str]:
    """The names that an extra of pyproject.toml asks for. Raises KeyError for an extra that it does not have."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    names: list[str] = project["optional-dependencies"][extra]
    return names


def pinned(names: Iterable[str], checkout: Path = CHECKOUT) -> list[str]:
    """These packages with their versions of requirements.txt. Raises KeyError for one that is not in it."""
    lines = (line.split(" ;")[0].strip() for line in (checkout / "requirements.txt").read_text().splitlines())
    found = {line.split("==")[0]: line for line in lines if "==" in line}
    return [found[name] for name in names]


def _install(names: list[str], folder: Path, platform: str) -> None:
    if not names:
        return
    versions = ("--constraint", str(CHECKOUT / "requirements.txt"))
    options = ("--quiet", "--no-compile", "--only-binary", ":all:", "--target", str(folder))
    wheels = ("--platform", platform, *_RUNTIME)
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *versions, *wheels, *names], check=True)
    # Scripts name the interpreter of this machine, and no function calls one.
    shutil.rmtree(folder / "bin", ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _report(bundle: Bundle) -> str:
    with built(bundle) as folder:
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        package = zipped(folder)
    digest = hashlib.sha256(package).hexdigest()[:12]
    unpacked, packed = (f"{size / 1024:.1f} KiB" for size in (sum(sizes), len(package)))
    return f"{bundle.name}: {len(sizes)} files, {unpacked}, {packed} zipped (sha256 {digest}...)"


if __name__ == "__main__":
    for each in BUNDLES:
        print(_report(each))
