"""Every regular expression of a package, found in its source, with how it is used."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ANYWHERE = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
_USES = ANYWHERE | {"match", "fullmatch"}


@dataclass(frozen=True)
class Used:
    """An expression, where it stands, and whether it is looked for at any place or must fit the whole text."""

    place: str
    pattern: str | bytes
    flags: int
    uses: frozenset[str]

    @property
    def searched(self) -> bool:
        """Whether it may begin at any place."""
        return bool(self.uses & ANYWHERE)

    @property
    def whole(self) -> bool:
        """Whether something after its end may make it fail."""
        return "fullmatch" in self.uses


@dataclass(frozen=True)
class Unseen:
    """A call whose expression is made as the program runs."""

    place: str


def used_patterns(folder: Path, root: Path) -> Iterator[Used | Unseen]:
    """Each call of `re` below `folder`, and each compiled pattern that its modules hold."""
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))}
    methods: dict[str, set[str]] = {}
    for tree in modules.values():
        for name, use in _method_calls(tree):
            methods.setdefault(name, set()).add(use)
    for path, tree in modules.items():
        if not any(_is_re(node) for node in ast.walk(tree)):
            continue
        place = str(path.relative_to(root))
        module = importlib.import_module(place.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
        own: dict[str, set[str]] = {}
        for name, use in _method_calls(tree):
            own.setdefault(name, set()).add(use)
        yield from _held(module, place, {**methods, **own}, {use for _, use in _method_calls(tree)} - {"split"})
        yield from _called(module, place, tree)


def _method_calls(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(the name, the method) of `_NAME.method(...)`, and of `_NAME.method` that is handed on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in _USES and _named(node.value) != "re":
            yield _named(node.value), node.attr


def _named(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_re(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and _named(node.func.value) == "re"
        and node.func.attr in _USES | {"compile"}
    )


def _held(module: ModuleType, place: str, methods: dict[str, set[str]], local: set[str]) -> Iterator[Used]:
    """The compiled patterns among a module's names. One in a collection is used in any way its module uses one."""
    for name, value in vars(module).items():
        if isinstance(value, re.Pattern):
            yield Used(f"{place}: {name}", value.pattern, value.flags, frozenset(methods.get(name, ())))
        elif isinstance(value, tuple | list | dict):
            for pattern in _within(value):
                yield Used(f"{place}: {name}", pattern.pattern, pattern.flags, frozenset(local))


def _within(value: Any) -> Iterator["re.Pattern[Any]"]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from _within([*value, *value.values()])
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _within(item)


def _called(module: ModuleType, place: str, tree: ast.AST) -> Iterator[Used | Unseen]:
    at_top = {node for top in tree.body for node in ast.walk(top) if isinstance(top, ast.Assign)}  # type: ignore[attr-defined]  # a module has a body
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not _is_re(node):
            continue
        where = f"{place}:{node.lineno}"
        if node in at_top and node.func.attr == "compile":
            continue  # `_held` has it
        flags = next((word.value for word in node.keywords if word.arg == "flags"), None)
        if flags is None and node.func.attr in ("match", "fullmatch", "search", "compile"):
            flags = (
                node.args[1 if node.func.attr == "compile" else 2]
                if len(node.args) > (node.func.attr != "compile") + 1
                else None
            )
        try:
            pattern, given = (
                eval(ast.unparse(part), vars(module)) for part in (node.args[0], flags or ast.Constant(0))
            )
        except NameError:
            yield Unseen(where)
            continue
        uses = {node.func.attr} if node.func.attr != "compile" else {use for _, use in _method_calls(tree)} - {"split"}
        yield Used(where, pattern, int(given), frozenset(uses))
