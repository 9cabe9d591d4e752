"""On what a method is called: the class of an expression, by the annotations that mypy holds the code to.

`FOREIGN` is somebody else's class, of which no method is ours; None is what cannot be told, where any class's method of
that name may be meant.
"""

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from infra.prover.source.code import Module, Piece, module, walked

FOREIGN = ("", "")
Kind = tuple[str, str]
Kinds = frozenset[Kind] | None
_NOTHING: frozenset[Kind] = frozenset()
_FOREIGN: frozenset[Kind] = frozenset({FOREIGN})
# What stands for the type in its brackets.
_WRAPPERS = ("Annotated", "Optional", "ResourceParam", "ClassVar", "Final")
_OPEN = ("Any", "object", "Self", "Protocol", "TypeVar")
_DEPTH = 12


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: a function or a method, in a module of ours."""

    home: Module
    piece: Piece
    depth: int = 0

    def kinds(self, node: ast.AST | None) -> Kinds:
        """The classes that an expression may be of."""
        if node is None or self.depth > _DEPTH:
            return None
        if isinstance(node, ast.Name):
            return self._of_name(node.id)
        if isinstance(node, ast.Call):
            return self._of_call(node)
        if isinstance(node, ast.Attribute):
            return self._of_attribute(node)
        if isinstance(node, ast.IfExp):
            return _either([self.kinds(node.body), self.kinds(node.orelse)])
        if isinstance(node, ast.Constant):
            return _NOTHING if node.value is None else _FOREIGN
        literals = (ast.List, ast.Dict, ast.Set, ast.Tuple, ast.JoinedStr, ast.ListComp, ast.SetComp, ast.DictComp)
        return _FOREIGN if isinstance(node, (*literals, ast.GeneratorExp, ast.Compare)) else None

    def _of_name(self, name: str) -> Kinds:
        if name == "self" and self.piece.owner:
            return frozenset({(self.piece.module, self.piece.owner)})
        function = self.piece.nodes[0] if self.piece.name else None
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for argument in _arguments(function):
                if argument.arg == name:
                    return annotated(self.home, argument.annotation)
            return self._of_local(function, name)
        return None

    def _of_local(self, function: ast.AST, name: str) -> Kinds:
        found: list[Kinds] = []
        for node in walked(function):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
                found.append(annotated(self.home, node.annotation))
            elif isinstance(node, ast.Assign | ast.NamedExpr) and any(_is_name(each, name) for each in _targets(node)):
                found.append(self._deeper(node.value))
            elif isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
                # One of several names, of a loop, of `with`: unless it is one of the above.
                found.append(None if not _is_simple(function, node) else _NOTHING)
        return _either(found) if found else None

    def _deeper(self, node: ast.AST | None) -> Kinds:
        return Scope(self.home, self.piece, self.depth + 1).kinds(node)

    def _of_call(self, node: ast.Call) -> Kinds:
        called = node.func
        if isinstance(called, ast.Name):
            if called.id in self.home.imported or any(p.qualified == called.id for p in self.home.pieces):
                return _called(self.home, called.id)
            return _FOREIGN if hasattr(builtins, called.id) else None
        if not isinstance(called, ast.Attribute):
            return None
        if isinstance(called.value, ast.Name) and called.value.id in self.home.imported:
            target, inside = self.home.imported[called.value.id]
            if inside and (owner := _class_of(target, inside)):
                return _returned(owner, called.attr)
            package = module(f"{target}.{inside}" if inside else target)
            return _called(package, called.attr) if package else _FOREIGN
        owners = self._deeper(called.value)
        if owners is None:
            return None
        return _either([None if owner == FOREIGN else _returned(owner, called.attr) for owner in owners])

    def _of_attribute(self, node: ast.Attribute) -> Kinds:
        owners = self._deeper(node.value)
        if owners is None:
            return None
        return _either([None if owner == FOREIGN else _field(owner, node.attr, self.depth) for owner in owners])


def annotated(home: Module, node: ast.AST | None) -> Kinds:
    """The classes that an annotation names."""
    if node is None:
        return None
    if isinstance(node, ast.Constant):
        if node.value is None:
            return _NOTHING
        return annotated(home, ast.parse(node.value, mode="eval").body) if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp):
        return _either([annotated(home, node.left), annotated(home, node.right)])
    if isinstance(node, ast.Subscript):
        name = ast.unparse(node.value).rpartition(".")[2]
        if name in _WRAPPERS:
            inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
            return annotated(home, inner)
        return annotated(home, node.value)
    text = ast.unparse(node)
    if text.rpartition(".")[2] in _OPEN:
        return None
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in home.imported:
        target, inside = home.imported[node.value.id]
        package = module(f"{target}.{inside}" if inside else target)
        return _named(package, node.attr) if package else _FOREIGN
    return _named(home, text) if isinstance(node, ast.Name) else None


def _named(home: Module, name: str) -> Kinds:
    if name in home.imported:
        target, inside = home.imported[name]
        package = module(target)
        if package is None:
            return _FOREIGN
        found = _class_of(target, inside)
    elif _has_class(home, name):
        found = (home.name, name)
    else:
        return _FOREIGN if hasattr(builtins, name) else None
    return None if found is None or _is_open(found) else frozenset({found})


def _called(home: Module, name: str) -> Kinds:
    """What is had by calling a module's name: an instance of a class, or what a function returns."""
    if name in home.imported:
        target, inside = home.imported[name]
        package = module(target)
        if package is None:
            return None
        return _called(package, inside) if inside else None
    if _has_class(home, name):
        return frozenset({(home.name, name)})
    for piece in home.pieces:
        if piece.qualified == name and piece.name:
            return _result(home, piece.nodes[0])
    return None


def _result(home: Module, function: ast.AST) -> Kinds:
    # What a decorator makes of it is not looked at, but where it makes something else of what is returned.
    decorated = {ast.unparse(each).rpartition(".")[2] for each in getattr(function, "decorator_list", ())}
    if decorated - {
        "property",
        "cached_property",
        "cache",
        "classmethod",
        "staticmethod",
        "override",
        "abstractmethod",
    }:
        return None
    if isinstance(function, ast.AsyncFunctionDef):
        return None
    return annotated(home, getattr(function, "returns", None))


def _returned(owner: Kind, method: str) -> Kinds:
    for home, piece in methods_of(owner, method):
        returns = getattr(piece.nodes[0], "returns", None)
        if returns is not None and ast.unparse(returns).strip("'\"") == "Self":
            return frozenset({owner})
        return _result(home, piece.nodes[0])
    return None


def _field(owner: Kind, name: str, depth: int) -> Kinds:
    """What a field or a property holds: as it is annotated, or as methods set it."""
    for home, piece in methods_of(owner, name):
        return _result(home, piece.nodes[0])
    found: list[Kinds] = []
    for home, kind in _line(owner):
        for piece in home.pieces:
            if piece.owner != kind:
                continue
            for node in piece.walk():
                if isinstance(node, ast.AnnAssign) and _sets(node.target, name, in_body=not piece.name):
                    found.append(annotated(home, node.annotation))
                elif isinstance(node, ast.Assign) and any(_sets(each, name, in_body=False) for each in node.targets):
                    found.append(Scope(home, piece, depth + 1).kinds(node.value))
    return _either(found) if found else None


def _sets(target: ast.AST, name: str, *, in_body: bool) -> bool:
    if in_body and isinstance(target, ast.Name):
        return target.id == name
    return isinstance(target, ast.Attribute) and ast.unparse(target) == f"self.{name}"


def methods_of(owner: Kind, name: str) -> Iterator[tuple[Module, Piece]]:
    """A class's own method or property of a name, or its base's."""
    for home, kind in _line(owner):
        found = [piece for piece in home.pieces if piece.owner == kind and piece.name == name]
        if found:
            yield from ((home, piece) for piece in found)
            return


@cache
def _lines(owner: Kind) -> tuple[tuple[str, str], ...]:
    home = module(owner[0])
    if home is None:
        # A script of its own, which no module's name leads to.
        return (owner,)
    found = [owner]
    for base in home.bases.get(owner[1], ()):
        plain = base.partition("[")[0]
        kinds = _named(home, plain) if plain.isidentifier() else None
        found += [each for kind in kinds or () if kind not in (FOREIGN, owner) for each in _lines(kind)]
    return tuple(dict.fromkeys(found))


def _line(owner: Kind) -> Iterator[tuple[Module, str]]:
    for name, kind in _lines(owner):
        home = module(name)
        if home is not None:
            yield home, kind


def ancestors(owner: Kind) -> tuple[Kind, ...]:
    """A class and those of ours that it is derived from."""
    return _lines(owner)


def _class_of(where: str, name: str) -> Kind | None:
    """The class that a name stands for, where a package may hand it on."""
    for _ in range(_DEPTH):
        home = module(where)
        if home is None:
            return None
        if _has_class(home, name):
            return where, name
        if name not in home.imported:
            return None
        where, name = home.imported[name]
    return None


def _has_class(home: Module, name: str) -> bool:
    return name in home.bases


def _is_open(kind: Kind) -> bool:
    """Whether anything may stand for it: a protocol is met by classes that do not say so."""
    home = module(kind[0])
    return home is None or any(base.partition("[")[0].rpartition(".")[2] in _OPEN for base in home.bases[kind[1]])


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.arg]:
    made = function.args
    yield from (*made.posonlyargs, *made.args, *made.kwonlyargs)


def _is_simple(function: ast.AST, name: ast.Name) -> bool:
    """Whether a name is set by itself, by an assignment that is looked at."""
    return any(each is name for node in walked(function) for each in _targets(node))


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.NamedExpr) else []


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _either(found: list[Kinds]) -> Kinds:
    together: set[Kind] = set()
    for kinds in found:
        if kinds is None:
            return None
        together |= kinds
    return frozenset(together)
