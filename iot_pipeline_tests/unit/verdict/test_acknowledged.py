"""What was accepted leaves the findings, where it was accepted and nowhere else."""

import json
from pathlib import Path

from infra.stacks.checks import Finding
from infra.verdict.acknowledged import acknowledgements, unexplained, without_accepted

RULE = "Platform::keys_rotate"
REASON = "An imported key has its own rotation"


def assembly(folder: Path, rule: str = RULE, reason: str = REASON) -> Path:
    entries = {
        "/Lake/Key": [{"type": "aws:cdk:acknowledged-rules", "data": {rule: reason}}],
        "/Lake/Key/Resource": [{"type": "aws:cdk:logicalId", "data": "Key1"}],
        "/Lake/KeyOfAnother/Resource": [{"type": "aws:cdk:logicalId", "data": "Key2"}],
    }
    (folder / "Lake.metadata.json").write_text(json.dumps(entries))
    return folder


def finding(resource: str, check: str = "keys_rotate") -> Finding:
    return Finding(check, "Lake", resource, "does not rotate")


def test_a_finding_below_the_construct_is_accepted_and_its_neighbour_is_not(tmp_path: Path) -> None:
    accepted = acknowledgements(assembly(tmp_path))
    left, idle = without_accepted([finding("Key1"), finding("Key2")], accepted, tmp_path)
    assert (left, idle) == ([finding("Key2")], [])


def test_another_check_s_finding_is_not_accepted_and_the_acknowledgement_is_idle(tmp_path: Path) -> None:
    accepted = acknowledgements(assembly(tmp_path))
    left, idle = without_accepted([finding("Key1", "data_is_encrypted")], accepted, tmp_path)
    assert left == [finding("Key1", "data_is_encrypted")]
    assert [found.check for found in idle] == ["acknowledgements_are_needed"]


def test_one_problem_is_accepted_and_another_of_the_same_check_is_not(tmp_path: Path) -> None:
    accepted = acknowledgements(assembly(tmp_path, f"{RULE}[does-not-rotate]"))
    other = Finding("keys_rotate", "Lake", "Key1", "is disabled")
    assert without_accepted([finding("Key1"), other], accepted, tmp_path) == ([other], [])


def test_acknowledgements_of_other_tools_are_read_and_not_used(tmp_path: Path) -> None:
    (accepted,) = acknowledgements(assembly(tmp_path, "Annotation::AwsSolutions-IAM5[Resource::*]"))
    assert (accepted.rule, accepted.family) == ("AwsSolutions-IAM5[Resource::*]", "AwsSolutions-IAM5")
    assert without_accepted([finding("Key1")], [accepted], tmp_path) == ([finding("Key1")], [])


def test_a_reason_is_a_sentence(tmp_path: Path) -> None:
    assert unexplained(acknowledgements(assembly(tmp_path))) == []
    (found,) = unexplained(acknowledgements(assembly(tmp_path, reason="later")))
    assert found.check == "acknowledgements_have_reasons"
