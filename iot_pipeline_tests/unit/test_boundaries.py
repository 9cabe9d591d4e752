"""Nothing in the product knows where it runs, imports point one way, and each layer needs no more than its extra."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.servers.local_spark import MISSING, is_installed
from iot_pipeline_tests.support.layers import CHECKOUT, LAYERS, PRODUCT, import_seconds, layer_of, modules_of

# Two files have no layer: packages without code of their own.
SOURCES = sorted(path for path in PRODUCT.rglob("*.py") if path.read_text(encoding="utf-8").strip())
LAYERED = [path for path in SOURCES if path not in {PRODUCT / "__init__.py", PRODUCT / "connections" / "__init__.py"}]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            # `from iot_pipeline import settings` names the sibling after `import`.
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "iot_pipeline" else [module]


def _name(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_the_product_does_not_know_of_the_local_aws(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"localhost|127\.0\.0\.1|ministack|duckdb|endpoint_url|is_local", text, re.IGNORECASE)
    assert not {name.split(".")[0] for name in _imports(path)} & {"infra", "simulator", "iot_pipeline_tests"}


@pytest.mark.parametrize("path", LAYERED, ids=_name)
def test_imports_point_one_way(path: Path) -> None:
    layer = layer_of(path)
    siblings = {name.split(".")[1] for name in _imports(path) if name.startswith("iot_pipeline.")}
    assert siblings - {layer.split("/")[0]} <= LAYERS[layer].siblings


@pytest.mark.parametrize("path", LAYERED, ids=_name)
def test_a_layer_imports_its_libraries_alone(path: Path) -> None:
    roots = {name.split(".")[0] for name in _imports(path)} - sys.stdlib_module_names - {"iot_pipeline"}
    assert {root for root in roots if not root.startswith("mypy_boto3_")} <= LAYERS[layer_of(path)].libraries


def test_what_stands_below_the_command_lines_does_not_import_them() -> None:
    """They are in packages of layers below, which the test above does not tell apart."""
    for path in LAYERED:
        if layer_of(path) in {"registry", "warehouse"}:
            assert not [name for name in _imports(path) if re.search(r"\.(commands|__main__)\b", name)], path


@pytest.mark.parametrize("path", [path for path in LAYERED if layer_of(path) in {"registry", "warehouse"}], ids=_name)
def test_registry_and_warehouse_are_handed_what_they_work_on(path: Path) -> None:
    assert not [
        name for name in _imports(path) if name.startswith(("iot_pipeline.settings", "iot_pipeline.connections"))
    ]


def test_only_the_clean_up_job_of_the_definitions_makes_an_aws_client() -> None:
    users = {path.name for path in LAYERED if layer_of(path) == "defs" and "boto3" in set(_imports(path))}
    assert users <= {"schedules.py"}


@pytest.mark.parametrize("extra", dict.fromkeys(layer.extra for layer in LAYERS.values()))
def test_layers_import_with_what_their_extra_installs(extra: str | None) -> None:
    """In an interpreter of their own, in which every other requirement is as if it were not installed."""
    if extra == "spark" and not is_installed():
        pytest.skip(MISSING)
    names = [name for name, layer in LAYERS.items() if layer.extra == extra]
    modules = {name: modules_of(name) for name in names}
    assert all(modules.values())
    seconds = import_seconds([module for name in names for module in modules[name]], extra)
    print(f"\n{', '.join(names)}: {seconds:.2f} s")


def test_the_simulator_imports_with_what_its_extra_installs() -> None:
    assert import_seconds(["simulator.cli", "simulator.manifest"], "simulator") > 0
