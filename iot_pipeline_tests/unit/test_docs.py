"""What the documentation says, held against the repository: links, commands, settings, names."""

import ast
import re
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import dagster as dg
import pytest
from pydantic_settings import BaseSettings

from infra.local.servers.checkout import CHECKOUT
from iot_pipeline.contract import Reason
from iot_pipeline.definitions import defs
from iot_pipeline.settings import GROUPS, variable

PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
MAX_IMAGE_BYTES = 300_000
_VARIABLE = re.compile("IOT_[A-Z_]*[A-Z]")


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def page(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            assert anchor in _anchors(target), f"{page.name} links to {link}; there is {sorted(_anchors(target))}"


def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named <= targets


def test_modules_exist(page: Path) -> None:
    for module in set(re.findall(r"python -m ([\w.]+)", page.read_text())):
        assert find_spec(module) is not None, f"{page.name} names {module}"


def test_paths_exist(page: Path) -> None:
    for path in set(
        re.findall(r"`((?:iot_pipeline|infra|simulator|iot_pipeline_tests|docs)/[\w./]*)`", page.read_text())
    ):
        assert (CHECKOUT / path).exists(), f"{page.name} names {path}"


def test_images_are_small() -> None:
    images = list((CHECKOUT / "docs" / "images").glob("*.png"))
    assert images
    assert all(image.stat().st_size < MAX_IMAGE_BYTES for image in images)


def test_the_settings_table_is_complete() -> None:
    rows = re.findall(
        r"^\| `(IOT_\w+)` \| (?:`([^`]*)`|-) \|", (CHECKOUT / "docs/operations.md").read_text(), re.MULTILINE
    )
    found = [_defaults(group) for group in GROUPS]
    assert dict(rows) == {name: value for of_class in found for name, value in of_class.items()}


def test_every_variable_has_a_row() -> None:
    """A variable is a text of the source that is one by itself; tests and benches have their own."""
    rows = set(re.findall(r"^\| `(IOT_\w+)` \|", (CHECKOUT / "docs/operations.md").read_text(), re.MULTILINE))
    sources = (
        path for package in ("iot_pipeline", "infra", "simulator") for path in (CHECKOUT / package).rglob("*.py")
    )
    texts = (node for path in sources for node in ast.walk(ast.parse(path.read_text())))
    names = {
        node.value
        for node in texts
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _VARIABLE.fullmatch(node.value)
    }
    assert {"IOT_PRODUCERS", "IOT_REFUSED_BUCKET", "IOT_SIZE"} <= names
    assert names - rows == set()


def test_every_check_sensor_and_schedule_is_explained() -> None:
    operations = (CHECKOUT / "docs/operations.md").read_text() + (CHECKOUT / "docs/architecture.md").read_text()
    graph = defs.resolve_asset_graph()
    models = {key for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition) for key in _models(asset)}
    names = {key.name for key in graph.asset_check_keys if key.asset_key not in models}
    names |= {schedule.name for schedule in defs.schedules or []}
    names |= {sensor.name for sensor in defs.sensors or []} - {"automation", "site_arrival"}
    assert {name for name in names if f"`{name}`" not in operations} == set()


def test_the_contract_page_names_the_reasons_in_order() -> None:
    section = (CHECKOUT / "docs/contract.md").read_text().partition("## Quarantine")[2].partition("\n\nA message")[0]
    named = [name for name in re.findall(r"`(\w+)`", section) if name in set(Reason)]
    assert named == list(Reason)


def _models(asset: dg.AssetsDefinition) -> set[dg.AssetKey]:
    """The keys of dbt's models, whose checks are dbt's tests and described there."""
    return set(asset.keys) if asset.op.name == "warehouse_models" else set()


def _defaults(group: type[BaseSettings]) -> dict[str, str]:
    """Each variable and its default as the environment would say it; empty where it must be set."""
    return {
        variable(group, name): "" if field.is_required() else _text(field.default)
        for name, field in group.model_fields.items()
    }


def _text(default: object) -> str:
    if default is None:
        return "unset"
    return default.isoformat() if isinstance(default, datetime) else str(default)


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
