"""Where the other version comes from."""

import json
import shutil
from pathlib import Path

import pytest

from infra.changes import __main__ as command
from infra.changes.revisions import assembly_of
from iot_pipeline_tests.support.templates import assembly


def test_a_folder_of_an_assembly_is_taken_as_it_is_and_stays(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with assembly_of(str(tmp_path), "telemetry") as folder:
        assert folder == tmp_path
    assert (tmp_path / "manifest.json").is_file()


def test_what_is_neither_revision_nor_folder_is_refused() -> None:
    with (
        pytest.raises(ValueError, match="'no-such-revision' is neither a revision of git nor the folder"),
        assembly_of("no-such-revision", "telemetry"),
    ):
        pass


def test_the_exit_code_says_whether_data_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "synthesise", lambda _state, _name: assembly())
    base = tmp_path / "base"
    shutil.copytree(assembly(), base)
    assert command.main([str(base)]) == 0
    assert "no template differs" in capsys.readouterr().out
    path = base / "TelemetryLake.template.json"
    before = json.loads(path.read_text())
    for resource in before["Resources"].values():
        if resource["Type"] == "AWS::S3::Bucket" and "BucketName" in resource["Properties"]:
            resource["Properties"]["BucketName"] += "-old"
    path.write_text(json.dumps(before))
    assert command.main([str(base)]) == 1
    assert "2 with data: replaced or removed" in capsys.readouterr().out
    assert command.main(["no-such-revision"]) == 2
