"""What a check finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.stacks.checks.synthesised import Resource, Synthesised

Problems = Iterator[tuple[Resource, str]]
Check = Callable[[Synthesised], Problems]


@dataclass(frozen=True)
class Finding:
    """One resource that breaks one check."""

    check: str
    stack: str
    resource: str
    problem: str
