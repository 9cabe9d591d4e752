"""The environments of environments.toml as the prover sees them, each synthesised once and kept by content."""

import re
from dataclasses import dataclass
from functools import cache

from infra.local.servers.checkout import CHECKOUT
from infra.prover.__main__ import PAGE
from infra.prover.granted import Role
from infra.prover.proving import Proved, prove, synthesised
from infra.prover.table import shown
from infra.stacks.config import DEFAULT_NAME
from infra.stacks.environments import environment, environments

NAMES = tuple(environments())


@dataclass(frozen=True)
class Stated:
    """A statement as docs/permissions.md has it, in one environment."""

    environment: str
    role: str
    statement: str
    actions: tuple[str, ...]
    on: tuple[str, ...]


@cache
def proved(name: str) -> Proved:
    """The proof of an environment."""
    return prove(synthesised(CHECKOUT / ".local", name))


def role_of(stated: Stated) -> tuple[Role, int]:
    """The role and the place of the statement, in the synthesised templates."""
    role = _by_shown_name(stated.environment)[stated.role]
    (place,) = (n for n in range(len(role.statements)) if role.title(n) == stated.statement)
    return role, place


@cache
def _by_shown_name(environment: str) -> dict[str, Role]:
    made = proved(environment)
    return {shown(role.name, made.environment): role for role in made.roles}


def stated() -> list[Stated]:
    """The allowing statements of the page, in one environment of each size: read without a synthesis."""
    by_size = {environment(name).size.value: name for name in NAMES if name != DEFAULT_NAME}
    found, role = [], ""
    for line in PAGE.read_text().partition("## Services of AWS")[0].splitlines():
        if line.startswith("## "):
            role = line.removeprefix("## ")
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) != 5 or not cells[1].startswith("`") or cells[0].endswith("(denied)"):
            continue
        actions, on = (tuple(re.findall("`([^`]+)`", cell)) for cell in cells[1:3])
        if ":" in actions[0]:
            found += [Stated(by_size[size], role, cells[0], actions, on) for size in cells[4].split(", ")]
    return found
