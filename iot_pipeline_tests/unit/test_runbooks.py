"""The runbooks as texts: every step says what is to come of it, every page is listed, and the counts are right."""

import re

import pytest

from iot_pipeline_tests.support.runbooks import FOLDER, NAMES, steps


def test_every_runbook_is_run_and_listed() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == {*NAMES, "README"}
    listed = dict(re.findall(r"^\| \[[^\]]+\]\(([a-z-]+)\.md\) \|.*\| (\d+ of \d+) \|$", _readme(), re.MULTILINE))
    counted = {
        name: f"{sum(s.aws_only is None for s in found)} of {len(found)}" for name in NAMES for found in [steps(name)]
    }
    assert listed == counted


@pytest.mark.parametrize("name", NAMES)
def test_every_block_is_a_step(name: str) -> None:
    """No block of commands is hidden from the runner behind another name or an indent."""
    text = (FOLDER / f"{name}.md").read_text()
    assert text.count("```") == 2 * len(steps(name))
    assert not re.search(r"^ {4,}\S", re.sub(r"```console.*?```", "", text, flags=re.DOTALL), re.MULTILINE)


def test_a_block_that_says_nothing_is_refused(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathlib.Path.read_text", lambda _self: "```console\ntrue\n```\n")
    with pytest.raises(ValueError, match="block 1: say either"):
        steps("any")


def _readme() -> str:
    return (FOLDER / "README.md").read_text()
