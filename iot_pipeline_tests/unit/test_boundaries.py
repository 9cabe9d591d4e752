"""Nothing in the product knows where it runs, and imports point one way."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCES = sorted((CHECKOUT / "iot_pipeline").rglob("*.py"))

# What each folder of the product may import of its siblings.
ALLOWED = {
    "contract": set[str](),
    "lake": {"contract"},
    "settings": {"contract"},
    "partitions": {"lake", "settings"},
    "registry": {"contract", "settings"},
    "warehouse": {"contract", "lake", "registry"},
    "resources": {"contract", "lake", "settings", "warehouse"},
    "defs": {"contract", "lake", "settings", "partitions", "resources", "warehouse"},
    "definitions": {"defs", "resources"},
}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module or ""


def _name(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def _folder(path: Path) -> str:
    return path.relative_to(CHECKOUT / "iot_pipeline").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_the_product_does_not_know_of_the_local_aws(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"localhost|127\.0\.0\.1|ministack|duckdb|endpoint_url|is_local", text, re.IGNORECASE)
    assert not {name.split(".")[0] for name in _imports(path)} & {"infra", "simulator", "iot_pipeline_tests"}


@pytest.mark.parametrize("path", [path for path in SOURCES if _folder(path) != "__init__"], ids=_name)
def test_imports_point_one_way(path: Path) -> None:
    siblings = {name.split(".")[1] for name in _imports(path) if name.startswith("iot_pipeline.")}
    assert siblings - {_folder(path)} <= ALLOWED[_folder(path)]


@pytest.mark.parametrize("path", [path for path in SOURCES if _folder(path) in {"contract", "lake"}], ids=_name)
def test_the_contract_and_the_lake_are_pure(path: Path) -> None:
    """Type stubs apart: the lake is handed its AWS clients, and PyAthena is its one engine."""
    roots = {name.split(".")[0] for name in _imports(path)}
    assert not roots & {"dagster", "boto3", "botocore"}
    if _folder(path) == "contract":
        assert not roots & {"pyathena", "mypy_boto3_s3", "mypy_boto3_glue"}


@pytest.mark.parametrize("path", [path for path in SOURCES if _folder(path) in {"registry", "warehouse"}], ids=_name)
def test_registry_and_warehouse_work_without_dagster(path: Path) -> None:
    imports = set(_imports(path))
    assert not {name.split(".")[0] for name in imports} & {"dagster", "dagster_dbt"}
    if path.name not in {"cli.py", "console.py", "__main__.py"}:
        assert "iot_pipeline.settings" not in imports, "settings are read by the command line alone"


def test_only_the_clean_up_job_of_the_definitions_makes_an_aws_client() -> None:
    users = {path.name for path in SOURCES if _folder(path) == "defs" and "boto3" in set(_imports(path))}
    assert users <= {"schedules.py"}
