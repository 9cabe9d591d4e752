"""Every role of every environment: nothing is missing, nothing too much, and each line of the page is needed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from infra.prover.__main__ import PAGE, of_each_size
from infra.prover.granted import Role
from infra.prover.proof import missing, too_much
from infra.prover.table import page
from iot_pipeline_tests.support.proved import NAMES, Stated, proved, role_of, stated

STATED = stated()


def _name(value: object) -> str:
    return f"{value.environment}:{value.role}/{value.statement}" if isinstance(value, Stated) else str(value)


def _with(role: Role, place: int, *statements: Any) -> Role:
    return replace(role, statements=(*role.statements[:place], *statements, *role.statements[place + 1 :]))


def _lacks(of: Stated, changed: Role) -> list[str]:
    return [finding.problem for finding in missing(changed, proved(of.environment).roles[role_of(of)[0]])]


def _too_much(of: Stated, changed: Mapping[str, Any]) -> list[str]:
    """Of a role whose statement is changed, what is too much in it."""
    role, place = role_of(of)
    return [it.problem for it in too_much(_with(role, place, changed), place, proved(of.environment).roles[role])]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_missing_and_nothing_too_much(name: str) -> None:
    assert [str(finding) for finding in proved(name).findings] == []


def test_the_page_is_what_the_templates_say() -> None:
    assert PAGE.read_text() == page(of_each_size()), "run make docs"


@pytest.mark.parametrize("of", STATED, ids=_name)
def test_no_statement_can_be_left_out(of: Stated) -> None:
    role, place = role_of(of)
    assert any(problem.startswith("may not ") for problem in _lacks(of, _with(role, place)))


@pytest.mark.parametrize(
    ("of", "action"), [(of, action) for of in STATED if len(of.actions) > 1 for action in of.actions], ids=_name
)
def test_no_action_can_be_left_out(of: Stated, action: str) -> None:
    role, place = role_of(of)
    statement = role.statements[place]
    left = {**statement, "Action": [one for one in statement["Action"] if one != action]}
    assert any(problem.startswith(f"may not {action} ") for problem in _lacks(of, _with(role, place, left)))


@pytest.mark.parametrize(
    ("of", "number"), [(of, n) for of in STATED if len(of.on) > 1 for n in range(len(of.on))], ids=_name
)
def test_no_resource_can_be_left_out(of: Stated, number: int) -> None:
    role, place = role_of(of)
    statement = role.statements[place]
    left = {**statement, "Resource": [one for n, one in enumerate(statement["Resource"]) if n != number]}
    assert any(problem.startswith("may not ") for problem in _lacks(of, _with(role, place, left)))


@pytest.mark.parametrize("of", STATED, ids=_name)
def test_an_action_that_nothing_calls_is_found(of: Stated) -> None:
    role, place = role_of(of)
    statement = role.statements[place]
    for action in ("s3:DeleteBucket", "iam:DeleteRole"):
        more = {**statement, "Action": [*_listed(statement["Action"]), action]}
        assert f"{of.statement} allows {action}, which nothing calls" in _too_much(of, more)


@pytest.mark.parametrize("of", STATED, ids=_name)
def test_a_wildcard_is_found(of: Stated) -> None:
    role, place = role_of(of)
    statement = role.statements[place]
    service = of.actions[0].partition(":")[0]
    wide = {**statement, "Action": [*_listed(statement["Action"]), f"{service}:*"]}
    assert f"{of.statement} allows {service}:*: name the actions" in _too_much(of, wide)
    if statement["Resource"] != "*":
        anywhere = _too_much(of, {**statement, "Resource": "*"})
        assert any(problem.startswith(f"{of.statement} allows *, which is wider") for problem in anywhere)
    if "Condition" in statement:
        always = {key: value for key, value in statement.items() if key != "Condition"}
        assert any("whatever" in problem for problem in _too_much(of, always))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
