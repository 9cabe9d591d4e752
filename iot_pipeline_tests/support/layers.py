"""The product's layers: what each may import, and the extra of pyproject.toml that installs it.

`python -m iot_pipeline_tests.support.layers` prints how long each takes to import.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[2]
PRODUCT = CHECKOUT / "iot_pipeline"
_NAME = "iot-pipeline"


@dataclass(frozen=True)
class Layer:
    """A part of the product: its siblings below it, the libraries it may import, and what it is installed by.

    `extra` is of pyproject.toml; None stands for an installation without any extra.
    """

    siblings: frozenset[str]
    libraries: frozenset[str]
    extra: str | None


def _layer(siblings: str, libraries: str, extra: str | None) -> Layer:
    return Layer(frozenset(siblings.split()), frozenset(libraries.split()), extra)


# The command lines stand above the connections, so that they are layers apart from the packages they are in. Type
# stubs (`mypy_boto3_...`) are imported by type checkers alone, and free to all.
LAYERS = {
    "contract": _layer("", "", None),
    "contract/__main__": _layer("contract_commands", "", "dagster"),
    "contract_commands": _layer(
        "command_line connections contract lake settings", "botocore pyathena pydantic typer", "dagster"
    ),
    "arrival": _layer("contract", "boto3", "edge"),
    "alerting": _layer("contract", "boto3 botocore", "edge"),
    "edge": _layer("alerting contract", "boto3 botocore", "edge"),
    "pull": _layer("contract edge", "boto3 botocore", "edge"),
    "pull/__main__": _layer("pull_commands", "", "registry"),
    "pull_commands": _layer("command_line contract pull settings", "boto3 botocore typer", "registry"),
    "edge_commands": _layer(
        "alerting command_line connections contract defs edge lake raw_parquet registry settings",
        "boto3 botocore psycopg pyarrow pydantic rich typer",
        "dagster",
    ),
    "edge/__main__": _layer("edge_commands", "", "dagster"),
    "alerting/__main__": _layer("alerting", "typer", "alerting"),
    "producer": _layer("contract", "backports boto3 botocore compression", "producer"),
    "intake": _layer("contract edge producer", "boto3 botocore", "producer"),
    "lake": _layer("contract processes", "botocore pyathena", "lake"),
    "lake/__main__": _layer("connections lake settings", "typer", "lake"),
    "processes": _layer("", "", None),
    "settings": _layer("contract", "pydantic pydantic_settings", "lake"),
    "registry": _layer(
        "alerting contract", "alembic botocore cryptography psycopg pydantic sqlalchemy yaml", "registry"
    ),
    "warehouse": _layer("contract lake", "psycopg pyarrow redshift_connector", "warehouse"),
    "backfill": _layer("contract lake warehouse", "botocore redshift_connector", "warehouse"),
    "backfill/__main__": _layer("backfill_commands", "", "dagster"),
    "backfill_commands": _layer(
        "backfill command_line connections definitions defs lake processes settings",
        "botocore dagster pyathena pydantic redshift_connector typer",
        "dagster",
    ),
    "bulk_import": _layer("contract lake", "botocore numpy pyarrow", "dagster"),
    "bulk_import/__main__": _layer("bulk_import_commands", "", "dagster"),
    "bulk_import_commands": _layer(
        "backfill backfill_commands bulk_import command_line connections lake registry settings",
        "botocore psycopg pyathena redshift_connector rich typer",
        "dagster",
    ),
    "streaming": _layer("contract lake", "boto3 pyarrow pyspark", "warehouse"),
    "alert_history": _layer("alerting contract lake", "botocore pyarrow", "warehouse"),
    "erasure": _layer(
        "alert_history contract intake lake raw_parquet registry streaming warehouse",
        "boto3 botocore psycopg pyarrow redshift_connector",
        "dagster",
    ),
    "erasure/__main__": _layer("erasure_commands", "", "dagster"),
    "raw_parquet": _layer("contract", "pyarrow", "warehouse"),
    "upkeep": _layer("connections contract erasure lake registry settings", "boto3 botocore", "dagster"),
    "erasure_commands": _layer(
        "alert_history command_line connections defs erasure registry settings upkeep",
        "botocore dagster psycopg pyathena pydantic redshift_connector rich typer",
        "dagster",
    ),
    "command_line": _layer("settings", "pydantic rich typer", "registry"),
    "connections/backfill": _layer("backfill", "boto3", "warehouse"),
    "connections/bulk_import": _layer("bulk_import settings", "boto3", "dagster"),
    "connections/credentials": _layer("settings", "boto3", "registry"),
    "connections/edge": _layer("alert_history alerting edge lake settings", "boto3", "warehouse"),
    "connections/lake": _layer("lake settings", "boto3", "lake"),
    "connections/registry": _layer("settings", "psycopg", "registry"),
    "connections/rotation": _layer("connections", "boto3", "registry"),
    "connections/streaming": _layer("connections settings streaming", "boto3", "warehouse"),
    "connections/warehouse": _layer("lake settings warehouse", "boto3 redshift_connector", "warehouse"),
    "registry/commands": _layer(
        "command_line connections registry settings", "boto3 botocore psycopg pydantic rich typer", "registry"
    ),
    "registry/__main__": _layer("registry", "", "registry"),
    "warehouse/__main__": _layer(
        "connections settings warehouse", "botocore pydantic redshift_connector typer", "warehouse"
    ),
    # What Dagster knows of the Spark job: what it sends and hears.
    "spark/order": _layer("contract lake", "", "lake"),
    "spark/building": _layer("contract lake", "", "lake"),
    "spark": _layer("contract lake", "boto3 dagster_pipes py4j pyarrow pyathena pyspark sqlglot", "spark"),
    "partitions": _layer("lake settings", "dagster", "dagster"),
    "resources": _layer(
        "alert_history alerting backfill connections contract edge erasure lake registry settings spark streaming "
        "upkeep warehouse",
        "boto3 botocore dagster dagster_aws dagster_dbt psycopg redshift_connector",
        "dagster",
    ),
    "defs": _layer(
        "alert_history alerting backfill contract edge erasure lake partitions registry resources settings spark "
        "streaming warehouse",
        "boto3 dagster dagster_dbt pydantic redshift_connector sqlalchemy",
        "dagster",
    ),
    "definitions": _layer("defs resources settings", "dagster", "dagster"),
    "run_tasks": _layer("", "dagster dagster_aws", "dagster"),
    "unattended": _layer("backfill defs lake watcher", "dagster", "dagster"),
    "console": _layer(
        "alerting connections contract edge lake registry settings warehouse",
        "boto3 botocore fastapi h11 httpx jinja2 jwt psycopg psycopg_pool pyarrow pydantic pyathena sqlglot starlette "
        "uvicorn",
        "console",
    ),
    "webserver": _layer("settings", "dagster_webserver", "dagster"),
    "watcher": _layer("alerting command_line connections defs settings", "botocore dagster pydantic typer", "dagster"),
}


def layer_of(path: Path) -> str:
    """The layer of a source file of the product: the longest that it is below. Raises KeyError if there is none."""
    parts = path.relative_to(PRODUCT).with_suffix("").parts
    for length in range(len(parts), 0, -1):
        if (name := "/".join(parts[:length])) in LAYERS:
            return name
    raise KeyError(f"{path} is in no layer")


def modules_of(layer: str) -> list[str]:
    """The modules of a layer."""
    found = [path for path in PRODUCT.rglob("*.py") if path.parent != PRODUCT or path.name != "__init__.py"]
    # `connections/__init__` is nobody's: it has no code. Alembic alone can import the environment of its migrations.
    own = [path for path in found if path.parts[-2:] not in {("connections", "__init__.py"), ("migrations", "env.py")}]
    named = [path.relative_to(CHECKOUT).with_suffix("").parts for path in own if layer_of(path) == layer]
    return sorted(".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in named)


@cache
def installed_by(extra: str | None) -> frozenset[str]:
    """The distributions that `pip install iot-pipeline[extra]` installs, their own requirements included."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(text) for text in project["dependencies"]]
    if extra is not None:
        wanted.append(Requirement(f"{_NAME}[{extra}]"))
    seen: set[tuple[str, str]] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        for asked in ("", *requirement.extras):
            if (name, asked) not in seen:
                seen.add((name, asked))
                wanted += _requirements(project, name, asked)
    return frozenset(name for name, _ in seen)


def _requirements(project: dict[str, dict[str, list[str]]], name: str, extra: str) -> list[Requirement]:
    if name == _NAME:
        return [Requirement(text) for text in project["optional-dependencies"].get(extra, [])]
    try:
        listed = [Requirement(text) for text in requires(name) or []]
    except PackageNotFoundError:  # for another platform or Python
        return []
    return [found for found in listed if found.marker is None or found.marker.evaluate({"extra": extra})]


def hidden_by(extra: str | None) -> frozenset[str]:
    """The top-level modules that are installed here, and would not be where only this extra is."""
    present = installed_by(extra)
    return frozenset(
        module
        for module, owners in packages_distributions().items()
        if not {canonicalize_name(owner) for owner in owners} & {*present, _NAME}
    )


# Run in an interpreter of its own: the product's other requirements are as if they were not installed.
_PROGRAM = """
import importlib, json, sys, time
hidden, modules = json.load(sys.stdin)

class Hiding:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"{name} is not installed by this layer's extra", name=name)

sys.meta_path.insert(0, Hiding())
started = time.perf_counter()
for module in modules:
    importlib.import_module(module)
print(json.dumps(time.perf_counter() - started))
"""


def import_seconds(modules: Sequence[str], extra: str | None) -> float:
    """How long modules take to import, with nothing but what an extra installs.

    Raises RuntimeError with the traceback if that does not suffice.
    """
    given = json.dumps((sorted(hidden_by(extra)), modules))
    command = [sys.executable, "-W", "ignore", "-c", _PROGRAM]
    done = subprocess.run(command, input=given, capture_output=True, text=True, cwd=CHECKOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"the extra {extra!r} does not suffice:\n{done.stderr[-3000:]}")
    return float(done.stdout.splitlines()[-1])


def table(seconds: Iterable[tuple[str, float]]) -> str:
    """Layers and how long they take, for people."""
    rows = [f"{layer:<24} {LAYERS[layer].extra or '-':<10} {taken:6.2f} s" for layer, taken in seconds]
    return "\n".join((f"{'layer':<24} {'extra':<10} import", *rows))


if __name__ == "__main__":
    print(table((layer, import_seconds(modules_of(layer), LAYERS[layer].extra)) for layer in LAYERS))
