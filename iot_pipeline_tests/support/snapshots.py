"""The statements of a module, rendered for people to read and held to a folder of snapshots."""

import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Snapshots:
    """The functions of `module` that make a statement, called with `arguments` by the names of their parameters.

    A parameter without an argument is a KeyError: a new one is to be given a value.
    """

    folder: Path
    module: ModuleType
    arguments: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        """The names of the statements."""
        functions = inspect.getmembers(self.module, inspect.isfunction)
        return [name for name, it in functions if it.__module__ == self.module.__name__ and not name.startswith("_")]

    def rendered(self, name: str) -> str:
        """A statement, and above it what it is for."""
        function = getattr(self.module, name)
        arguments = {parameter: self.arguments[parameter] for parameter in inspect.signature(function).parameters}
        purpose = " ".join((inspect.getdoc(function) or "").split())
        return f"-- {purpose}\n{function(**arguments)}\n"

    def check(self, name: str) -> None:
        """Hold a statement to its snapshot; write that anew where the environment has UPDATE_SNAPSHOTS."""
        path, rendered = self.folder / f"{name}.sql", self.rendered(name)
        if os.environ.get("UPDATE_SNAPSHOTS"):
            path.write_text(rendered, encoding="utf-8")
        assert path.exists(), f"no snapshot of {name}: run with UPDATE_SNAPSHOTS=1 and read what it wrote"
        assert path.read_text(encoding="utf-8") == rendered, "run with UPDATE_SNAPSHOTS=1 and read the difference"

    def check_complete(self) -> None:
        """Hold the folder to the statements: each has its snapshot, and there is no other."""
        assert {path.stem for path in self.folder.glob("*.sql")} == set(self.names)
