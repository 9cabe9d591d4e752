"""A mistake, planted at every resource that it could sit on, one at a time."""

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from infra.stacks.checks import CHECKS, Check, Synthesised

Body = dict[str, Any]
# Stack, resource, and the environment with the mistake there.
Place = tuple[str, str, Synthesised]
_BY_NAME = {check.__name__: check for check in CHECKS}
# What a resource is called that a mistake adds.
ADDED = "Planted"


@dataclass(frozen=True)
class Mistake:
    """What is wrong, the check that has to find it, and how it is made.

    `plant` changes a resource of one of `types`, and answers whether the resource could have the mistake. `adds` is a
    resource that is wrong by itself, put into one stack. `places` makes what is neither.
    """

    says: str
    check: str
    types: tuple[str, ...] = ()
    plant: Callable[[Body], bool] = lambda _body: False
    adds: Mapping[str, Any] = field(default_factory=dict)
    places: Callable[[Synthesised], Iterator[Place]] = lambda _environment: iter(())


@dataclass(frozen=True)
class Outcome:
    """A mistake at one place, and whether its check has found it."""

    mistake: Mistake
    stack: str
    resource: str
    caught: bool


def outcomes(mistake: Mistake, environment: Synthesised) -> Iterator[Outcome]:
    """The mistake at every place of an environment; none if the environment has nothing that it could sit on."""
    check = _BY_NAME[mistake.check]
    before = _told(check, environment)
    for stack, name, wrong in _places(mistake, environment):
        yield Outcome(mistake, stack, name, bool(_told(check, wrong) - before))


def _told(check: Check, environment: Synthesised) -> Counter[tuple[str, str, str]]:
    """What a check finds: with what it has found before, and somebody has accepted, a mistake is not caught."""
    return Counter((resource.stack, resource.name, problem) for resource, problem in check(environment))


def first_places(mistake: Mistake, environments: Iterable[Synthesised]) -> list[Outcome]:
    """The mistake at every place of the first environment that has any: sizes have different parts."""
    return next((found for environment in environments if (found := list(outcomes(mistake, environment)))), [])


def _places(mistake: Mistake, environment: Synthesised) -> Iterator[Place]:
    yield from mistake.places(environment)
    if mistake.adds:
        stack = next(iter(environment.templates))
        yield stack, ADDED, with_resources(environment, stack, {ADDED: mistake.adds})
    for resource in environment.of_type(*mistake.types):
        body: Body = copy.deepcopy(dict(resource.body))
        body.setdefault("Properties", {})
        if mistake.plant(body):
            yield resource.stack, resource.name, with_resources(environment, resource.stack, {resource.name: body})


def with_resources(environment: Synthesised, stack: str, resources: Mapping[str, Any]) -> Synthesised:
    """The environment with these resources in a stack, in place of those that have the same logical ids."""
    template = environment.templates[stack]
    changed = {**template, "Resources": {**template["Resources"], **resources}}
    return replace(environment, templates={**environment.templates, stack: changed})


def without(*path: str) -> Callable[[Body], bool]:
    """A property, by its path, is left out."""

    def plant(body: Body) -> bool:
        holder = _holder(body, path)
        return holder is not None and holder.pop(path[-1], None) is not None

    return plant


def setting(value: Any, *path: str) -> Callable[[Body], bool]:
    """A property, by its path, has another value."""

    def plant(body: Body) -> bool:
        holder = _holder(body, path)
        if holder is None or holder.get(path[-1]) == value:
            return False
        holder[path[-1]] = value
        return True

    return plant


def stating(*path: str, **statement: Any) -> Callable[[Body], bool]:
    """A policy document, by its path, has one more statement, which allows."""

    def plant(body: Body) -> bool:
        holder = _holder(body, path)
        if holder is None or path[-1] not in holder:
            return False
        holder[path[-1]]["Statement"].append({"Effect": "Allow", **statement})
        return True

    return plant


def each_statement(*path: str, change: Callable[[Body], bool]) -> Callable[[Body], bool]:
    """Every statement of a policy document, by its path, that can be, is changed."""

    def plant(body: Body) -> bool:
        holder = _holder(body, path)
        if holder is None or path[-1] not in holder:
            return False
        changed = [change(statement) for statement in holder[path[-1]]["Statement"]]
        return any(changed)

    return plant


def bucket_named(part: str, plant: Callable[[Body], bool]) -> Callable[[Body], bool]:
    """The change, in buckets whose name holds the part."""

    def only(body: Body) -> bool:
        return part in str(body["Properties"].get("BucketName")) and plant(body)

    return only


def _holder(body: Body, path: tuple[str, ...]) -> Body | None:
    """The mapping that the last name of a path is a key of; the path begins at the resource's properties."""
    at: Any = body["Properties"]
    for name in path[:-1]:
        if isinstance(at, list):
            at = at[int(name)] if int(name) < len(at) else None
        elif isinstance(at, dict):
            at = at.get(name)
    return at if isinstance(at, dict) else None
