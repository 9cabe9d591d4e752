"""The source as it can be read without running it: modules, their functions and classes, what each refers to."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PRODUCT = "iot_pipeline"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def walked(node: ast.AST) -> tuple[ast.AST, ...]:
    """All nodes of one that stays: each function is looked through for many names."""
    return tuple(ast.walk(node))


@cache
def _walked_body(node: ast.AST) -> tuple[ast.AST, ...]:
    return tuple(_walk(node))


@dataclass(frozen=True)
class Piece:
    """What runs as one: a function, a method, or a module's or class's own body.

    `name` is its bare name, empty for a body; `owner` the class that it is a method of.
    """

    module: str
    qualified: str
    name: str
    owner: str
    nodes: tuple[ast.AST, ...] = field(hash=False, compare=False, repr=False)

    def walk(self) -> Iterator[ast.AST]:
        """All its nodes; of a body not those of the functions and classes in it."""
        for node in self.nodes:
            yield from _walked_body(node) if not self.name else walked(node)


@dataclass(frozen=True)
class Module:
    """A module's pieces; what its names mean that it has imported: module, or module and name in it."""

    name: str
    pieces: tuple[Piece, ...]
    imported: dict[str, tuple[str, str]] = field(hash=False)
    bases: dict[str, tuple[str, ...]] = field(hash=False)
    """Its classes and those they are derived from."""
    fields: dict[str, frozenset[str]] = field(hash=False)
    """Its classes and what their methods set of `self`, or what is annotated in them."""


@cache
def module(name: str) -> Module | None:
    """A module of the product or of infra by its name, None if it is somebody else's."""
    path = REPOSITORY / Path(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return _read(name, file) if file.is_file() else None


@cache
def script(file: Path) -> Module:
    """A file that is a function's whole package."""
    return _read(file.stem, file)


def _read(name: str, file: Path) -> Module:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imported: dict[str, tuple[str, str]] = {}
    for node in _imports(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                imported[alias.asname or alias.name.partition(".")[0]] = (alias.name, "")
        elif node.module and not node.level:
            for alias in node.names:
                imported[alias.asname or alias.name] = (node.module, alias.name)
    bases = {
        node.name: tuple(ast.unparse(base) for base in node.bases)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    fields = {node.name: frozenset(_fields(node)) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    return Module(name, tuple(_pieces(name, tree, "", "")), imported, bases, fields)


def _fields(made: ast.ClassDef) -> Iterator[str]:
    for node in made.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
    for inner in ast.walk(made):
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and ast.unparse(inner.value) == "self":
            yield inner.attr


def _pieces(module_name: str, scope: ast.Module | ast.ClassDef, prefix: str, owner: str) -> Iterator[Piece]:
    body: tuple[ast.AST, ...] = tuple(node for node in scope.body if not isinstance(node, _Function | ast.ClassDef))
    # Decorators, defaults and bases run with the body.
    for node in scope.body:
        if isinstance(node, _Function | ast.ClassDef):
            body += tuple(node.decorator_list)
    yield Piece(module_name, prefix.rstrip("."), "", owner, body)
    for node in scope.body:
        if isinstance(node, _Function):
            yield Piece(module_name, prefix + node.name, node.name, owner, (node,))
        elif isinstance(node, ast.ClassDef):
            yield from _pieces(module_name, node, f"{prefix}{node.name}.", node.name)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, _Function | ast.ClassDef):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


def _imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """All imports, those within functions as well; not those for types alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        yield from _imports(child)
