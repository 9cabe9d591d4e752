"""YAML as people mean it: what two readers may take for two things is refused, and each value knows its place.

YAML 1.1 makes false of `no`, 83 of `0123`, 90 of `1:30` and a date of `2026-11-28`; of a key that is given twice the
last one counts. None of this is told by PyYAML's loaders, so that the document is built here, from its nodes.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml
from yaml.error import Mark
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.registry.file_text import place, read_text

Location = tuple[str | int, ...]
# Our documents need five. Python's own limit would differ with who else is in the process.
_DEEPEST = 100
_TAG = "tag:yaml.org,2002:"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


@dataclass(frozen=True)
class Document:
    """A file's content as dictionaries, lists, texts, numbers, booleans, times and None.

    `places` has the mark (line and column, from 0) and the text as written of each value, by its keys and indices.
    """

    path: Path
    content: Any
    places: dict[Location, tuple[Mark, str]] = field(default_factory=dict)

    def place(self, location: Location) -> str:
        """`file, line 3, column 7`: where a value is, or the nearest around it."""
        while location not in self.places:
            location = location[:-1]
        return _place(self.path, self.places[location][0])

    def written(self, location: Location) -> str:
        """A single value as the file has it; empty for a list, a mapping and a value that is not there."""
        return self.places[location][1] if location in self.places else ""


def read_yaml(path: Path) -> Document:
    """Read a file with one YAML or JSON document.

    Raises RegistryError naming line and column, what was expected and what to do: for what is no YAML, a key given
    twice, a key that is no text, a number in a form that YAML reads as another, an alias, a merge key or a tag, and
    for an empty file or a second document. OSError for a file that cannot be read.
    """
    text = read_text(path)
    try:
        nodes = list(yaml.compose_all(_without_aliases(path, text), Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise RegistryError(_syntax(path, text, error)) from None
    except yaml.reader.ReaderError as error:
        where = place(path, text[: error.position])
        raise RegistryError(f"{where}: {error.reason}; expected text, remove the character") from None
    if not nodes:
        raise RegistryError(
            f"{path} is empty, expected a mapping such as tenants: [...]; write {{}} for nothing at all"
        )
    if len(nodes) > 1:
        where = _place(path, nodes[1].start_mark)
        raise RegistryError(f"{where}: a second document begins here; expected one, remove the line ---")
    document = Document(path, None, {})
    return Document(path, _built(document, nodes[0], ()), document.places)


def _without_aliases(path: Path, text: str) -> str:
    """The text itself, in which no alias stands for another part of it, or for the part it is in."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise RegistryError(f"{path} has lists or mappings too deep within each other; write it flat")
        if isinstance(event, yaml.AliasEvent):
            where = _place(path, cast("Mark", event.start_mark))
            raise RegistryError(f"{where}: the alias *{event.anchor}; expected the value itself, write it out here")
    return text


def _syntax(path: Path, text: str, error: yaml.MarkedYAMLError) -> str:
    mark: Mark | None = error.problem_mark or error.context_mark
    where = _place(path, mark) if mark else str(path)
    problem = " ".join(part for part in (error.context, error.problem) if part)
    remedy = "correct it"
    if mark and "\t" in text[mark.index : mark.index + 1]:
        remedy = "indent by spaces, not by tabs"
    elif "quoted scalar" in problem:
        remedy = "close the quote"
    return f"{where}: this is neither YAML nor JSON ({problem}); {remedy}"


def _place(path: Path, mark: Mark) -> str:
    return f"{path}, line {mark.line + 1}, column {mark.column + 1}"


def _built(document: Document, node: Node, location: Location) -> Any:
    written = node.value if isinstance(node, ScalarNode) else ""
    document.places[location] = (node.start_mark, written)
    where = _place(document.path, node.start_mark)
    if isinstance(node, MappingNode) and node.tag == f"{_TAG}map":
        return _mapping(document, node, location)
    if isinstance(node, SequenceNode) and node.tag == f"{_TAG}seq":
        return [_built(document, item, (*location, index)) for index, item in enumerate(node.value)]
    if isinstance(node, ScalarNode):
        return _scalar(where, node)
    raise RegistryError(f"{where}: the tag {node.tag}; expected a plain list or mapping, leave the tag out")


def _mapping(document: Document, node: MappingNode, location: Location) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in node.value:
        where = _place(document.path, key.start_mark)
        if key.tag != f"{_TAG}str":
            written = f"{key.value!r}, which YAML reads as {key.tag.removeprefix(_TAG)}"
            raise RegistryError(
                f"{where}: the key {written if isinstance(key, ScalarNode) else 'is a list or mapping'}"
                "; expected text, a field's name"
            )
        if key.value in content:
            first = document.places[(*location, key.value)][0]
            raise RegistryError(
                f"{where}: {key.value!r} is given twice, first in line {first.line + 1}; expected once, join the two"
            )
        content[key.value] = _built(document, value, (*location, key.value))
    return content


def _scalar(where: str, node: ScalarNode) -> Any:
    kind, text = node.tag.removeprefix(_TAG), node.value
    # For YAML 1.1, 1e3 is text; for JSON and for YAML 1.2 it is a number.
    if kind == "str" and node.style is None and _NUMBER.fullmatch(text):
        kind = "float"
    if kind == "str":
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise RegistryError(f"{where}: {text!r} has half a character; write the character itself")
        return text
    if kind in ("int", "float") and (match := _NUMBER.fullmatch(text)):
        return float(text) if match[1] or "e" in text.lower() else int(text)
    if kind == "bool" and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if kind == "null":
        return None
    if kind == "timestamp":
        try:
            return yaml.SafeLoader("").construct_yaml_timestamp(node)
        except ValueError as error:
            raise RegistryError(f"{where}: {text} is no date ({error}); correct it, or put it in quotes") from None
    as_yaml = f"YAML takes {text} for {kind}" if node.tag.startswith(_TAG) else f"the tag {node.tag}"
    raise RegistryError(
        f'{where}: {as_yaml}; expected text in quotes, or a number such as 12 or 12.5: write "{text}" for text'
    )
