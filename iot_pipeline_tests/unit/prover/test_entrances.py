"""Trusts and the policies of resources and keys: each service that has to come in does, for this account alone."""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.prover.entrances import entrance_findings, resource_statements
from infra.prover.let_in import Entry, entries, trusts
from iot_pipeline_tests.support.proved import NAMES, proved

Statements = list[Mapping[str, Any]]


def _places(name: str) -> list[tuple[str, Statements, list[Entry]]]:
    """Every policy that lets a service in, with what has to come in there."""
    made = proved(name)
    found = [(role.name, list(role.trust["Statement"]), list(trusts(made.environment, role))) for role in made.roles]
    needed = entries(made.environment)
    statements = resource_statements(made.environment)
    found += [
        (at, list(statements[at]), [entry for entry in needed if entry.at == at])
        for at in sorted({entry.at for entry in needed})
    ]
    # A producer's role is taken on by people and programs of the account, by none of AWS's services.
    return [place for place in found if place[2]]


def _is_of_a_service(statement: Mapping[str, Any]) -> bool:
    return statement["Effect"] == "Allow" and "Service" in (statement.get("Principal") or {})


@pytest.mark.parametrize("name", NAMES)
def test_without_its_statement_a_service_is_shut_out(name: str) -> None:
    for at, statements, needed in _places(name):
        left = [statement for statement in statements if not _is_of_a_service(statement)]
        problems = [finding.problem for finding in entrance_findings(at, left, needed)]
        services = {entry.service for entry in needed}
        assert {
            service for service in services if any(f"does not let {service} " in p for p in problems)
        } == services, at


@pytest.mark.parametrize("name", NAMES)
def test_without_the_condition_other_accounts_come_in(name: str) -> None:
    tried = 0
    for at, statements, needed in _places(name):
        open_to_all = [
            {key: value for key, value in statement.items() if key != "Condition" or not _is_of_a_service(statement)}
            for statement in statements
        ]
        problems = [finding.problem for finding in entrance_findings(at, open_to_all, needed)]
        if any(entry.tells_account for entry in needed):
            tried += 1
            assert any("for other accounts too" in problem for problem in problems), at
    assert tried > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_service_that_has_nothing_to_do_there_is_found(name: str) -> None:
    for at, statements, needed in _places(name):
        stranger = {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}, "Action": needed[0].action}
        about = {} if needed[0].action == "sts:AssumeRole" else {"Resource": needed[0].resource}
        problems = [f.problem for f in entrance_findings(at, [*statements, {**stranger, **about}], needed)]
        assert "lets in ses.amazonaws.com (no Sid), which has nothing to do here" in problems, at
