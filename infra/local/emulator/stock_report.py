"""A report to ministack's maintainers: what stock ministack lacks or does otherwise than AWS, and what mends it here.

`python -m infra.local.emulator.stock_report` prints docs/ministack-report.md. It is made of the extensions themselves:
the sentences of their docstrings that name stock ministack, and the functions of ministack that they replace.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.emulator.extensions import MINISTACK_VERSION

FOLDER = Path(__file__).parent
_STOCK = "tock ministack"
_SENTENCE = re.compile(r"(?<=[a-z)\"'\]`][.:]) (?=[A-Z`])|(?<=\.\)) ")

HEAD = f"""\
# A report on ministack {MINISTACK_VERSION}

This page is made by `make docs` from the extensions in `infra/local/emulator/`. It is for ministack's maintainers:
where it differs from AWS as far as this project met it, with the page of AWS's documentation, what it does instead, and
the module here that does what AWS does. What a module imports of this project stands at its head; its tests are in
`iot_pipeline_tests/integration/local/emulator/`. It may be taken as it is, or as a description of what to build.

What a module replaces are private functions of ministack, which is why another version is refused until it has been
tried: `make raise-pins PACKAGES=ministack`.

"""


@dataclass(frozen=True)
class Difference:
    """A module's account of stock ministack: what AWS does and where that is written, what stock does instead."""

    module: str
    subject: str
    aws: str
    stock: str
    replaces: tuple[str, ...]


def differences(folder: Path = FOLDER) -> list[Difference]:
    """What each extension says of stock ministack, in the order of their names."""
    found = (_difference(path, folder) for path in sorted(folder.rglob("*.py")) if path != Path(__file__))
    return [each for each in found if each is not None]


def _difference(path: Path, folder: Path) -> Difference | None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    subject, _, rest = " ".join((ast.get_docstring(tree) or "").split("\n")).partition("  ")
    sentences = _SENTENCE.split(" ".join(rest.split()))
    stock = " ".join(each for each in sentences if _STOCK in each)
    stock = " ".join(filter(None, [subject if _STOCK in subject else "", stock]))
    if not stock:
        return None
    aws = " ".join(each for each in sentences if _STOCK not in each)
    return Difference(str(path.relative_to(folder)), subject, aws, stock, replaced_names(path))


def replaced_names(path: Path) -> tuple[str, ...]:
    """The names within ministack that a module assigns to, each with its module's."""
    return tuple(sorted(set(_assigned(ast.parse(path.read_text(encoding="utf-8"))))))


def _assigned(tree: ast.Module) -> Iterator[str]:
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack"):
            imported |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                match target:
                    case ast.Attribute(value=ast.Name(id=name), attr=replaced) if name in imported:
                        yield f"{imported[name]}.{replaced}"


def page() -> str:
    """The report, as Markdown."""
    parts = [HEAD]
    for each in differences():
        parts.append(f"## {each.subject.rstrip('.')}\n\n")
        if each.aws:
            parts.append(f"{each.aws}\n\n")
        if each.stock != each.subject:
            told = each.stock.removeprefix(each.subject).strip()
            parts.append(f"{told.replace('Stock ministack', '**Stock ministack**', 1)}\n\n")
        parts.append(f"Here: `infra/local/emulator/{each.module}`")
        if each.replaces:
            parts.append(", which replaces " + ", ".join(f"`{name}`" for name in each.replaces))
        parts.append(".\n\n")
    return "".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    print(page(), end="")
