"""Where a process begins that is started as `python -m`: a module's `main`, or the function of a command of typer's."""

import ast
from collections.abc import Iterator, Sequence

from infra.prover.source.code import REPOSITORY, Module, Piece, module


def entry_of(name: str, arguments: Sequence[str]) -> tuple[Module, str]:
    """The module and the function that run. Raises ValueError for a module or a command that there is none of."""
    start = module(f"{name}.__main__") or module(name)
    if start is None:
        raise ValueError(f"python -m {name}: there is no such module")
    if any(piece.qualified == "main" for piece in start.pieces):
        return start, "main"
    command = next((word for word in arguments if not word.startswith("-")), "")
    for home in (start, *_package(name)):
        for piece in home.pieces:
            if command in _commands(piece):
                return home, piece.qualified
    raise ValueError(f"python -m {name} {command}: no function of {name} is this command's")


def _package(name: str) -> Iterator[Module]:
    """The modules that may hold the commands: of the package, and of the one that is named after it."""
    for package in (name, f"{name}_commands"):
        for file in sorted((REPOSITORY / package.replace(".", "/")).rglob("*.py")):
            path = file.relative_to(REPOSITORY).with_suffix("")
            found = module(".".join(path.parts))
            if found is not None and path.name != "__init__":
                yield found


def _commands(piece: Piece) -> Iterator[str]:
    """The command that a function is registered for: the decorator's first argument, or the function's own name."""
    for decorator in getattr(piece.nodes[0], "decorator_list", ()) if piece.name else ():
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "app.command":
            named = decorator.args[0] if decorator.args else None
            yield str(named.value) if isinstance(named, ast.Constant) else piece.name.replace("_", "-")
