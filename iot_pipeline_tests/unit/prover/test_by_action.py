"""Roles that are not proved line by line: what nothing in their code calls is found all the same."""

from dataclasses import replace

import pytest

from infra.prover.by_action import PROCESSES, uncalled
from infra.prover.granted import Role, roles
from iot_pipeline_tests.support.proved import proved


@pytest.fixture(scope="module")
def unproved() -> dict[str, Role]:
    """The roles of staging by what PROCESSES calls them."""
    found = {role.name.removeprefix("Staging")[:-8]: role for role in roles(proved("staging").environment)}
    return {name: found[name] for name in PROCESSES}


@pytest.mark.parametrize("name", PROCESSES)
def test_what_nothing_calls_is_found(unproved: dict[str, Role], name: str) -> None:
    role = unproved[name]
    assert list(uncalled(role)) == []
    more = {"Sid": "More", "Effect": "Allow", "Action": ["s3:DeleteBucket", "kinesis:DeleteStream"], "Resource": "*"}
    problems = [finding.problem for finding in uncalled(replace(role, statements=(*role.statements, more)))]
    assert [problem.partition(",")[0] for problem in problems] == [
        "More allows s3:DeleteBucket",
        "More allows kinesis:DeleteStream",
    ]


def test_a_route_of_the_console_has_no_other_processs_actions(unproved: dict[str, Role]) -> None:
    more = {"Sid": "More", "Effect": "Allow", "Action": "logs:FilterLogEvents", "Resource": "*"}
    role = unproved["Console/Role"]
    assert [str(each.problem) for each in uncalled(replace(role, statements=(more,)))] == [
        "More allows logs:FilterLogEvents, which nothing in iot_pipeline.console.__main__ calls"
    ]
