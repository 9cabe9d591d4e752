"""What is different between two versions of an environment's templates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from infra.changes.replacing import Path, replaced_by
from infra.changes.security_first import Statements, security_lines, statements_of
from infra.stacks.checks.protection import STATEFUL
from infra.stacks.checks.synthesised import Resource, Synthesised, reference, text, walk

# Where the package of a function is; a new one is one line, whatever its hash.
_CODE = ("Code", "S3Key")


class Kind(StrEnum):
    """What an update does to a resource."""

    ADDED = "added"
    REMOVED = "removed"
    REPLACED = "replaced"
    PERHAPS_REPLACED = "perhaps replaced"
    CHANGED = "changed"

    @property
    def replaces(self) -> bool:
        """Whether there is, or may be, another resource afterwards."""
        return self in (Kind.REPLACED, Kind.PERHAPS_REPLACED)


@dataclass(frozen=True)
class Change:
    """One resource that differs: what happens to it, by which properties, and what it means for security."""

    kind: Kind
    resource: Resource
    properties: tuple[str, ...]
    security: tuple[str, ...]

    @property
    def loses_data(self) -> bool:
        """Whether the resource holds data and is, or may be, no longer the same one."""
        return self.resource.type in STATEFUL and (self.kind is Kind.REMOVED or self.kind.replaces)

    @property
    def stays_behind(self) -> bool:
        """Whether what is removed or replaced stays in the account, where no stack holds it any more."""
        policy = "DeletionPolicy" if self.kind is Kind.REMOVED else "UpdateReplacePolicy"
        return str(self.resource.body.get(policy, "Delete")) != "Delete"


def compare(before: Synthesised, after: Synthesised) -> list[Change]:
    """Every resource that differs, in the order of the stacks and of their templates.

    Raises ValueError for a type of resource of which it is not known what replaces it.
    """
    old, new = _by_place(before), _by_place(after)
    allowed = statements_of(before), statements_of(after)
    changes = {place: _added(new[place], allowed) for place in new.keys() - old.keys()}
    changes |= {place: _removed(old[place], allowed) for place in old.keys() - new.keys()}
    for place in old.keys() & new.keys():
        if change := _changed(old[place], new[place], after.config.region, allowed):
            changes[place] = change
    _carry_replacements(old, new, after.config.region, changes)
    order = [*new, *(place for place in old if place not in new)]
    return [changes[place] for place in order if place in changes]


Places = dict[tuple[str, str], Resource]
Both = tuple[Statements, Statements]


def _by_place(environment: Synthesised) -> Places:
    return {(resource.stack, resource.name): resource for resource in environment.resources}


def _added(resource: Resource, allowed: Both) -> Change:
    return Change(Kind.ADDED, resource, (), tuple(security_lines(None, resource, allowed)))


def _removed(resource: Resource, allowed: Both) -> Change:
    return Change(Kind.REMOVED, resource, (), tuple(security_lines(resource, None, allowed)))


def _changed(old: Resource, new: Resource, region: str, allowed: Both) -> Change | None:
    paths = list(_differences(old.properties, new.properties))
    attributes = [a for a in ("DeletionPolicy", "UpdateReplacePolicy") if old.body.get(a) != new.body.get(a)]
    if old.type == new.type and not paths and not attributes:
        return None
    lines = [_told(path, old.properties, new.properties) for path in paths]
    lines += [f"{a}: {old.body.get(a)} -> {new.body.get(a)}" for a in attributes]
    security = tuple(security_lines(old, new, allowed))
    if old.type != new.type:
        return Change(Kind.REPLACED, old, (f"type: {old.type} -> {new.type}",), security)
    replacing = list(replaced_by(new.type, region, paths))
    kind = Kind.CHANGED
    if replacing:
        kind = Kind.REPLACED if any(always for _, always in replacing) else Kind.PERHAPS_REPLACED
        lines = [_mark(line, {".".join(path) for path, _ in replacing}) for line in lines]
    return Change(kind, old if replacing else new, tuple(dict.fromkeys(lines)), security)


def _mark(line: str, replacing: set[str]) -> str:
    return f"{line}  (replaces)" if line.partition(":")[0] in replacing else line


def _carry_replacements(old: Places, new: Places, region: str, changes: dict[tuple[str, str], Change]) -> None:
    """What refers to a replaced resource by a property that replaces is replaced as well; perhaps, if either may be."""
    while True:
        replaced = {place: change.kind for place, change in changes.items() if change.kind.replaces}
        carried = {}
        for place, resource in new.items():
            if place in replaced or place not in old:
                continue
            named = {path: (resource.stack, _named(value)) for path, value in walk(resource.properties)}
            referring = [path for path, target in named.items() if target in replaced]
            if hit := list(replaced_by(resource.type, region, referring)):
                surely = any(always and replaced[named[path]] is Kind.REPLACED for path, always in hit)
                kind = Kind.REPLACED if surely else Kind.PERHAPS_REPLACED
                known = changes.get(place)
                first, _ = hit[0]
                line = f"{'.'.join(first)}: of a resource that is {replaced[named[first]]}"
                lines = (*(known.properties if known else ()), line)
                carried[place] = Change(kind, resource, lines, known.security if known else ())
        if not carried:
            return
        changes |= carried


def _named(value: Any) -> str:
    return reference(value) if isinstance(value, Mapping) and {"Ref", "Fn::GetAtt"} & value.keys() else ""


def _differences(old: Any, new: Any, path: Path = ()) -> Iterator[Path]:
    """The paths at which two values differ, as deep as both are mappings, or lists of the same length."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping) and not _intrinsic(old) and not _intrinsic(new):
        for key in dict.fromkeys([*old, *new]):
            yield from _differences(old.get(key), new.get(key), (*path, str(key)))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and path[-1:] != ("Tags",):
        for index, (one, two) in enumerate(zip(old, new, strict=True)):
            yield from _differences(one, two, (*path, str(index)))
    else:
        yield path


def _intrinsic(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))


def _told(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if path == _CODE:
        return "Code: another package"
    return f"{'.'.join(path)}: {_short(_at(old, path))} -> {_short(_at(new, path))}"


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[int(key)] if isinstance(value, list) else (value or {}).get(key)
    return value


def _short(value: Any) -> str:
    shown = "nothing" if value is None else text(value)
    return shown if len(shown) <= 120 else f"{shown[:117]}..."
