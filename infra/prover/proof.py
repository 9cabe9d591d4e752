"""The proof for one role: nothing that is needed is missing, and nothing is allowed beyond what is needed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infra.iam.one_or_many import listed
from infra.iam.patterns import matches_action, matches_arn, matches_text
from infra.iam.policy import Policy, Principal, Request, evaluate, parse
from infra.prover.granted import Role
from infra.prover.needed import Need


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong with a role."""

    role: str
    problem: str

    def __str__(self) -> str:
        return f"{self.role}: {self.problem}"


@dataclass(frozen=True)
class Line:
    """One line of the table: an action on a resource that a statement allows, and the needs that it is for."""

    role: str
    statement: str
    action: str
    resource: str
    needs: tuple[Need, ...]


def findings(role: Role, needs: Sequence[Need]) -> list[Finding]:
    """Everything that is missing, unneeded, or wider than it is needed; nothing for a role that is right."""
    unneeded = [it for number in range(len(role.statements)) for it in too_much(role, number, needs)]
    return [*missing(role, needs), *unneeded]


def missing(role: Role, needs: Sequence[Need]) -> list[Finding]:
    """What is needed and not allowed."""
    return [Finding(role.name, problem) for problem in _missing(role, needs)]


def too_much(role: Role, number: int, needs: Sequence[Need]) -> list[Finding]:
    """What one of its statements says that is unneeded, or wider than it is needed."""
    return [Finding(role.name, problem) for problem in _too_much(role, number, needs)]


def lines(role: Role, needs: Sequence[Need]) -> Iterator[Line]:
    """The role's lines of the table: every action of every statement that allows, on each of its resources."""
    for number, statement in enumerate(role.statements):
        if statement["Effect"] != "Allow":
            continue
        by_action = _applying(statement, needs)
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                served = tuple(need for need in by_action if _serves(action, resource, need))
                yield Line(role.name, role.title(number), action, resource, served)


def _missing(role: Role, needs: Sequence[Need]) -> Iterator[str]:
    policies, caller = role.policies, Principal.of_role(role.arn)
    for need in needs:
        resource, context = need.sample()
        if not evaluate(policies, Request(caller, need.action, resource, context)).allowed:
            yield f"may not {need.action} on {need.resource}{_said(need.keys)}, which is needed: {need.why}"


def _too_much(role: Role, number: int, needs: Sequence[Need]) -> Iterator[str]:
    statement, where = role.statements[number], role.title(number)
    if statement["Effect"] == "Deny":
        yield from _idle_denial(role, number, where)
        return
    if "NotAction" in statement or "NotResource" in statement:
        yield f"{where} allows all but some: name what is allowed"
        return
    actions, resources = listed(statement["Action"]), listed(statement["Resource"])
    yield from (f"{where} allows {action}: name the actions" for action in actions if "*" in action)
    applying = _applying(statement, needs)
    used = {(a, r) for a in actions for r in resources if any(_serves(a, r, need) for need in applying)}
    yield from (f"{where} allows {a}, which nothing calls" for a in actions if a not in {a for a, _ in used})
    yield from (
        f"{where} allows something on {r}, where nothing is" for r in resources if r not in {r for _, r in used}
    )
    yield from (f"{where} allows {problem}" for problem in _wider(statement, applying))
    yield from (f"{where}: {problem}" for problem in _twice(role, number, needs))


def _wider(statement: Mapping[str, Any], applying: Sequence[Need]) -> Iterator[str]:
    for resource in listed(statement["Resource"]):
        mine = [need for need in applying if matches_arn(resource, need.sample()[0], {}) or resource == "*"]
        if mine and not any(_within(resource, need.resource) for need in mine):
            yield f"{resource}, which is wider than any call: {', '.join(sorted({need.resource for need in mine}))}"
    told = {
        key.lower(): listed(value) for block in statement.get("Condition", {}).values() for key, value in block.items()
    }
    # What a statement has to say if all calls that it is for come with it.
    for key in sorted({key for need in applying for key in need.keys}):
        with_key = [need for need in applying if key in need.keys]
        if applying and len(with_key) == len(applying) and key.lower() not in told:
            yield f"it whatever {key} is; its calls have {', '.join(sorted({need.keys[key] for need in with_key}))}"
        for value in told.get(key.lower(), ()):
            if not any(_within_text(str(value), need.keys[key]) for need in with_key):
                yield f"{key} {value}, which no call has"


def _twice(role: Role, number: int, needs: Sequence[Need]) -> Iterator[str]:
    """Actions that the role would have without this statement."""
    statement = role.statements[number]
    others = replace(role, statements=(*role.statements[:number], *role.statements[number + 1 :]))
    policies, caller = others.policies, Principal.of_role(role.arn)
    applying = _applying(statement, needs)
    for action in listed(statement["Action"]):
        mine = [need for need in applying if matches_action(action, need.action)]
        asked = [Request(caller, need.action, *need.sample()) for need in mine]
        if mine and all(evaluate(policies, request).allowed for request in asked):
            yield f"{action} is allowed by another statement too"


def _idle_denial(role: Role, number: int, where: str) -> Iterator[str]:
    """What a statement denies that no other allows."""
    statement = role.statements[number]
    others = replace(role, statements=tuple(one for one in role.statements if one["Effect"] == "Allow"))
    allowed = [pattern for policy in others.policies for one in policy.statements for pattern in one.actions]
    for action in listed(statement["Action"]):
        if not any(matches_action(pattern, action) for pattern in allowed):
            yield f"{where} denies {action}, which nothing allows"


def _applying(statement: Mapping[str, Any], needs: Sequence[Need]) -> list[Need]:
    """The needs that a statement by itself allows."""
    alone: list[Policy] = [parse({"Version": "2012-10-17", "Statement": [statement]})]
    nobody = Principal()
    return [need for need in needs if evaluate(alone, Request(nobody, need.action, *need.sample())).allowed]


def _serves(action: str, resource: str, need: Need) -> bool:
    sample = need.sample()[0]
    return matches_action(action, need.action) and (resource == "*" or matches_arn(resource, sample, {}))


def _within(pattern: str, wider: str) -> bool:
    """Whether all that fits a pattern fits another: its wildcards stand for themselves."""
    return pattern == wider or (pattern != "*" and _within_text(pattern, wider))


def _within_text(pattern: str, wider: str) -> bool:
    # What an asterisk may stand for: several characters, which a `?` does not fit, a colon among them.
    return matches_text(wider, pattern.replace("*", "\x00:\x00"), {}, variables=False) or pattern == wider


def _said(keys: Mapping[str, str]) -> str:
    return "".join(f" with {key} {value}" for key, value in keys.items())
