"""The proof of an environment: all its roles, and all policies of its resources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from infra.iam.policy import Outcome, Principal, Request, authorise, parse
from infra.local.deploy.synth import synthesise
from infra.prover.deployed import Environment, read_environment
from infra.prover.entrances import entrance_findings, resource_statements, trust_findings
from infra.prover.granted import Role, roles
from infra.prover.let_in import entries, trusts
from infra.prover.needed import Need, UnprovedError
from infra.prover.needs import needs
from infra.prover.proof import Finding, findings
from infra.stacks.environments import environment


@dataclass(frozen=True)
class Proved:
    """An environment, its roles with what is called under each, and everything that is wrong."""

    environment: Environment
    roles: Mapping[Role, tuple[Need, ...]] = field(hash=False)
    findings: tuple[Finding, ...]
    unproved: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The roles that are left out, by their names, and why."""


@cache
def synthesised(state_dir: Path, name: str) -> Environment:
    """An environment of environments.toml, by its templates, which `state_dir` keeps. Raises DeployError."""
    config = environment(name)
    delivers = config.parts.delivery and config.repository
    before = synthesised(state_dir, config.promotes_from) if delivers else None
    return read_environment(config, synthesise(state_dir, name), before)


def prove(made: Environment) -> Proved:
    """The proof. What nobody has said of a role is a finding as well."""
    found: list[Finding] = []
    called: dict[Role, tuple[Need, ...]] = {}
    unproved: dict[str, str] = {}
    for role in roles(made):
        try:
            called[role] = tuple(needs(made, role))
            found += [*findings(role, called[role]), *trust_findings(role, list(trusts(made, role)))]
            found += key_findings(made, role, called[role])
        except UnprovedError as left_out:
            unproved[role.name] = str(left_out)
        except ValueError as error:
            found.append(Finding(role.name, str(error)))
    return Proved(made, called, (*found, *_resources(made)), unproved)


def key_findings(made: Environment, role: Role, called: Sequence[Need]) -> list[Finding]:
    """The keys that a role's policies let it use and whose own policies do not.

    A key's policy decides, be it by leaving it to the account's policies (KMS guide, "Key policies in AWS KMS").
    """
    before = resource_statements(made.before) if made.before else {}
    statements, caller = {**before, **resource_statements(made)}, Principal.of_role(role.arn)
    found = []
    for need in called:
        if need.action.startswith("kms:"):
            resource, context = need.sample()
            key = parse({"Version": "2012-10-17", "Statement": list(statements.get(resource, ()))})
            asked = Request(caller, need.action, resource, context)
            decision = authorise(asked, identity=role.policies, resource=[key], resource_decides=True)
            if decision.outcome in (Outcome.NO_RESOURCE_POLICY, Outcome.EXPLICIT_DENY):
                found.append(Finding(role.name, f"may not {need.action} on {need.resource}: {decision.outcome}"))
    return found


def _resources(made: Environment) -> list[Finding]:
    statements, needed = resource_statements(made), entries(made)
    places = sorted({*statements, *(entry.at for entry in needed)})
    return [
        finding
        for place in places
        for finding in entrance_findings(
            place, statements.get(place, ()), [entry for entry in needed if entry.at == place]
        )
    ]
