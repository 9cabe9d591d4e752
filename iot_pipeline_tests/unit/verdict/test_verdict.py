"""`python -m infra.verdict`: over an assembly's folder, with its exit code."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.stacks.config import PlatformConfig
from infra.stacks.sizes import Size
from infra.verdict.__main__ import main
from infra.verdict.assemblies import from_folder
from infra.verdict.judging import NAG_NOTE
from iot_pipeline_tests.support.templates import assembly


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the default environment's assembly, one stack of it for cfn-lint's sake."""
    copied = tmp_path / "assembly"
    shutil.copytree(assembly(), copied)
    (copied / NAG_NOTE).write_text("{}")
    manifest = json.loads((copied / "manifest.json").read_text())
    kept = {k: a for k, a in manifest["artifacts"].items() if not k.startswith("Telemetry") or k == "TelemetryQueries"}
    (copied / "manifest.json").write_text(json.dumps({**manifest, "artifacts": kept}))
    for path in copied.glob("*.metadata.json"):
        if path.name != "TelemetryQueries.metadata.json":
            path.unlink()
    return copied


def change(folder: Path, plant: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "TelemetryQueries.template.json"
    template = json.loads(path.read_text())
    plant(template)
    path.write_text(json.dumps(template))


def test_a_clean_assembly_is_told_as_one(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--state", str(tmp_path / "state")]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[1].split() == ["telemetry", "team", "1", "7", "0", "6"]
    assert "AwsSolutions-GL1: A crawler's log names folders and columns" in said
    assert "nothing found" in said


def test_a_mistake_is_told_with_check_place_and_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def into_the_contract_s_database(template: dict[str, Any]) -> None:
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Glue::Crawler":
                resource["Properties"]["DatabaseName"] = "telemetry"

    change(folder, into_the_contract_s_database)
    assert main([str(folder), "--state", str(tmp_path / "state")]) == 1
    said = capsys.readouterr().out
    assert said.count("crawlers_have_a_database_of_their_own: TelemetryQueries ") == 2
    assert "writes into telemetry: expected telemetry_crawled" in said


def test_what_cfn_lint_finds_is_a_finding(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def misspell(template: dict[str, Any]) -> None:
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Glue::Crawler":
                resource["Properties"]["Descripton"] = resource["Properties"].pop("Description")

    change(folder, misspell)
    assert main([str(folder), "--state", str(tmp_path / "state")]) == 1
    assert "cfn-lint E3002" in capsys.readouterr().out


def test_an_assembly_that_cdk_nag_has_not_seen_is_not_called_clean(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / NAG_NOTE).unlink()
    assert main([str(folder), "--state", str(tmp_path / "state")]) == 1
    assert "cdk-nag" in capsys.readouterr().out


def test_the_environment_is_read_from_the_tags(folder: Path) -> None:
    config = from_folder(folder).config
    assert (config.name, config.size, config.account) == ("telemetry", Size.TEAM, PlatformConfig().account)


def test_a_folder_that_is_no_assembly_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "manifest.json"
    for nothing in (tmp_path, file):
        assert main([str(nothing)]) == 2
        assert "has no manifest.json: expected the folder of a cloud assembly" in capsys.readouterr().err
        file.write_text('{"artifacts": {}}')
    assert main([str(tmp_path)]) == 2
    assert "holds no stack" in capsys.readouterr().err
