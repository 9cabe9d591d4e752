"""What the local AWS does not take stands in the documentation, by name, for every size."""

from pathlib import Path

import pytest
from ministack.services.cloudformation import provisioners

from infra.local.deploy import coverage
from infra.local.deploy.deployment import SERVED, part_of
from infra.local.deploy.stacks import templates
from infra.local.servers.checkout import CHECKOUT
from infra.stacks.sizes import Size
from iot_pipeline_tests.support.templates import assembly


@pytest.fixture(scope="module")
def assemblies() -> dict[str, Path]:
    return {size: assembly(name=name) for size, name in coverage.ENVIRONMENTS.items()}


def test_the_page_is_that_of_the_templates(assemblies: dict[str, Path]) -> None:
    written = (CHECKOUT / "docs" / "local-aws-stacks.md").read_text(encoding="utf-8")
    assert written == coverage.page(assemblies), "run make docs"


def test_every_size_is_on_it() -> None:
    assert set(coverage.ENVIRONMENTS) == set(Size)


def test_a_stack_that_is_never_deployed_here_is_listed_with_all_its_types(
    assemblies: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "SERVED", tuple(part for part in SERVED if part != "Queries"))
    page = coverage.page(assemblies)
    (row,) = (line for line in page.splitlines() if line.startswith("| Queries |"))
    named = {name: made for name, made in templates(assemblies["team"]).items() if part_of(name) == "Queries"}
    (template,) = named.values()
    assert all(resource["Type"] in row for resource in template["Resources"].values())
    assert "for AWS alone" in row


def test_types_that_the_emulator_has_not_are_listed(
    assemblies: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {kind: made for kind, made in provisioners._RESOURCE_HANDLERS.items() if kind != "AWS::Glue::Crawler"}
    monkeypatch.setattr(provisioners, "_RESOURCE_HANDLERS", known)
    rows = [line for line in coverage.page(assemblies).splitlines() if "AWS::Glue::Crawler" in line]
    assert [row.split(" | ")[0] for row in rows] == ["| Queries"]
    assert "type not supported" in rows[0]
