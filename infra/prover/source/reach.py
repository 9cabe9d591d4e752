"""Which code an entry point can reach.

A name is followed to what the module has imported or defines by it. An attribute is followed to the method of the
class that it is called on, where annotations tell that (`receivers`), and of those derived from it; else to each of its
name in the classes that are reached. So too much may be reached, and nothing too little, unless a method is found by a
text (`getattr`).
"""

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import TypeGuard

from infra.prover.source.code import PRODUCT, Module, Piece, module
from infra.prover.source.receivers import FOREIGN, Kind, Scope, ancestors

# Called by the language, whoever makes an instance or uses it.
_ALWAYS = ("__init__", "__post_init__", "__enter__", "__exit__", "__call__", "__iter__", "__next__", "__getitem__")


class Reach:
    """What can run once some pieces do, in the code below `roots`: the product, and what else is named."""

    def __init__(self, roots: Collection[str] = (PRODUCT,)) -> None:
        self._roots = roots
        self._closed: frozenset[str] = frozenset()
        self._made_at_import = True
        self.pieces: dict[Piece, None] = {}
        self._waiting: list[Piece] = []
        self._home: dict[str, Module] = {}
        self._methods: dict[str, list[Piece]] = defaultdict(list)
        self._attributes: set[str] = set()
        self._asked: dict[str, set[Kind]] = defaultdict(set)

    def enter(self, start: Module, function: str) -> "Reach":
        """Begin at a function of a module. Raises ValueError if there is none."""
        self._load(start)
        found = [piece for piece in start.pieces if piece.qualified == function and piece.name]
        if not found:
            raise ValueError(f"{start.name} has no function {function}")
        self._add(found[0])
        self._follow()
        return self

    def enter_registered(
        self,
        start: Module,
        decorators: Collection[str],
        closed: Collection[str] = (),
        wanted: Callable[[Piece], bool] = lambda _: True,
        *,
        made_at_import: bool = True,
    ) -> "Reach":
        """Begin at a module and at all functions that a framework calls: those of its and of what it loads that have
        one of these decorators, as they are written (`router.get`), and are `wanted`.

        To name a function with a decorator of `closed` is not to call it: the framework does, perhaps elsewhere. It is
        entered where a function calls it, as a job does its steps. `made_at_import`: whether what modules of such
        functions make when they are imported is entered, be it of functions that they name or within a factory.
        """
        self._closed, self._made_at_import = frozenset(closed), made_at_import
        self._load(start)
        before = -1
        while before != len(self.pieces):
            before = len(self.pieces)
            self._follow()
            for home in tuple(self._home.values()):
                for piece in home.pieces:
                    if _has(piece, decorators) and wanted(piece):
                        self._add(piece)
        return self

    def _follow(self) -> None:
        while self._waiting:
            piece = self._waiting.pop()
            home = self._home[piece.module]
            for node in self._walked(piece):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    self._name(home, node.func.id, called=bool(piece.name))
                elif isinstance(node, ast.Name):
                    if piece.name or self._made_at_import:
                        self._name(home, node.id)
                elif _is_followed(node, home, piece):
                    self._attribute(home, piece, node)
                elif isinstance(node, ast.Import | ast.ImportFrom):
                    self._imported(node)

    def _walked(self, piece: Piece) -> Iterator[ast.AST]:
        """A piece's nodes, without those of functions in it that a framework is given and that are not entered."""
        if self._made_at_import:
            yield from piece.walk()
            return
        waiting: list[ast.AST] = list(piece.nodes)
        while waiting:
            node = waiting.pop()
            if node not in piece.nodes and _decorated(node, self._closed):
                continue
            yield node
            waiting += [] if not piece.name and _is_scope(node) else list(ast.iter_child_nodes(node))

    def _is_ours(self, name: str) -> bool:
        return any(name == root or name.startswith(f"{root}.") for root in self._roots)

    def _load(self, made: Module) -> None:
        """A module's own body runs when it is imported."""
        if made.name in self._home:
            return
        self._home[made.name] = made
        for piece in made.pieces:
            if not piece.name and not piece.owner:
                self._add(piece)
        for target, _ in made.imported.values():
            self._load_named(target)

    def _load_named(self, name: str) -> None:
        parts = name.split(".")
        if not self._is_ours(name):
            return
        for length in range(1, len(parts) + 1):
            if found := module(".".join(parts[:length])):
                self._load(found)

    def _imported(self, node: ast.Import | ast.ImportFrom) -> None:
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.Import):
            for name in names:
                self._load_named(name)
        elif node.module:
            for name in names:
                self._load_named(f"{node.module}.{name}")

    def _name(self, home: Module, name: str, *, called: bool = False) -> None:
        where, inside = home.imported.get(name, (home.name, name))
        self._symbol(where, inside, called=called)

    def _symbol(self, where: str, name: str, depth: int = 0, *, called: bool = False) -> None:
        found = module(where) if self._is_ours(where) else self._home.get(where)
        if found is None or not name or depth > 8:
            return
        self._load(found)
        for piece in found.pieces:
            if piece.qualified == name and piece.name:
                if called or not _has(piece, self._closed):
                    self._add(piece)
            elif piece.owner == name:
                self._reach_class(found, name)
                return
        # A package hands on what its modules define.
        if name in found.imported and found.imported[name] != (where, name):
            self._symbol(*found.imported[name], depth + 1, called=called)

    def _reach_class(self, home: Module, name: str) -> None:
        for piece in home.pieces:
            if piece.owner != name:
                continue
            asked = piece.name in self._attributes or self._asked[piece.name].intersection(ancestors((home.name, name)))
            if not piece.name or piece.name in _ALWAYS or asked:
                self._add(piece)
            if piece.name and piece not in self._methods[piece.name]:
                self._methods[piece.name].append(piece)
        for base in home.bases.get(name, ()):
            self._name_if_new(home, base.partition("[")[0].partition(".")[0], name)

    def _name_if_new(self, home: Module, base: str, derived: str) -> None:
        if base != derived:
            self._name(home, base)

    def _attribute(self, home: Module, piece: Piece, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.value.id in home.imported:
            target, inside = home.imported[node.value.id]
            # `module.function`; of a class it is a method, as below.
            self._symbol(f"{target}.{inside}" if inside else target, node.attr)
        owners = Scope(home, piece).kinds(node.value)
        if owners is not None:
            for owner in owners - {FOREIGN}:
                self._ask(owner, node.attr)
            return
        if node.attr not in self._attributes:
            self._attributes.add(node.attr)
            for method in self._methods[node.attr]:
                self._add(method)

    def _ask(self, owner: Kind, name: str) -> None:
        """A method of a class, of its bases, and of the classes derived from it as far as they are reached."""
        if owner in self._asked[name]:
            return
        self._asked[name].update(ancestors(owner))
        for kind in ancestors(owner):
            self._symbol(*kind)
        for method in self._methods[name]:
            if owner in ancestors((method.module, method.owner)) or (method.module, method.owner) in ancestors(owner):
                self._add(method)

    def _add(self, piece: Piece) -> None:
        if piece not in self.pieces:
            self.pieces[piece] = None
            self._waiting.append(piece)


def _is_followed(node: ast.AST, home: Module, piece: Piece) -> TypeGuard[ast.Attribute]:
    """Whether an attribute may be a method: not where it is set, nor `self.x` of a class that sets its `x`."""
    if not isinstance(node, ast.Attribute) or isinstance(node.ctx, ast.Store):
        return False
    own = isinstance(node.value, ast.Name) and node.value.id == "self"
    return not (own and node.attr in home.fields.get(piece.owner, ()))


def _has(piece: Piece, decorators: Collection[str]) -> bool:
    """Whether a function or method has one of these decorators, called or not."""
    return bool(piece.name) and _decorated(piece.nodes[0], decorators)


def _decorated(node: ast.AST, decorators: Collection[str]) -> bool:
    found = (getattr(each, "func", each) for each in getattr(node, "decorator_list", ()))
    return any(ast.unparse(each) in decorators for each in found)


def _is_scope(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


@cache
def reached(start: Module, function: str, roots: tuple[str, ...] = (PRODUCT,)) -> tuple[Piece, ...]:
    """All pieces below `roots` that can run when a function of a module is called.

    Raises ValueError for a function that the module does not have.
    """
    return tuple(Reach(roots).enter(start, function).pieces)
