"""What the checks look at: the templates of one environment, as they were synthesised."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.stacks.config import PlatformConfig

Template = Mapping[str, Any]
_PARAMETER = "AWS::SSM::Parameter"


@dataclass(frozen=True)
class Resource:
    """One resource: where it stands, its properties, and all that its template says of it."""

    stack: str
    name: str
    type: str
    properties: Mapping[str, Any]
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Synthesised:
    """The templates by stack, and the environment they were made for.

    `protected`: the stacks with termination protection; None where that is not known, as of a template alone.
    `tags`: those of each stack; None as before.
    `folder`: that of the cloud assembly, for the packages of functions; None without one.
    """

    templates: Mapping[str, Template]
    config: PlatformConfig = field(default_factory=PlatformConfig)
    protected: frozenset[str] | None = None
    tags: Mapping[str, Mapping[str, str]] | None = None
    folder: Path | None = None

    @property
    def resources(self) -> Iterator[Resource]:
        """Every resource of every stack."""
        for stack, template in self.templates.items():
            for name, body in template["Resources"].items():
                yield Resource(stack, name, body["Type"], body.get("Properties", {}), body)

    def of_type(self, *types: str) -> Iterator[Resource]:
        """The resources of these CloudFormation types."""
        return (resource for resource in self.resources if resource.type in types)

    def target(self, stack: str, value: Any) -> Resource | None:
        """The resource that a value refers to, also by an SSM parameter that another stack publishes."""
        name = reference(value)
        here = self.templates[stack]["Resources"].get(name)
        if here is not None:
            return Resource(stack, name, here["Type"], here.get("Properties", {}), here)
        path = self.templates[stack].get("Parameters", {}).get(name, {}).get("Default")
        for parameter in self.of_type(_PARAMETER):
            if path is not None and parameter.properties["Name"] == path:
                return self.target(parameter.stack, parameter.properties["Value"])
        return None


def read_assembly(folder: Path, config: PlatformConfig) -> Synthesised:
    """An environment's cloud assembly. Raises FileNotFoundError if the folder is none."""
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    stacks = {name: a["properties"] for name, a in artifacts.items() if a["type"] == "aws:cloudformation:stack"}
    return Synthesised(
        {name: json.loads((folder / says["templateFile"]).read_text()) for name, says in stacks.items()},
        config,
        frozenset(name for name, says in stacks.items() if says.get("terminationProtection")),
        {name: says.get("tags", {}) for name, says in stacks.items()},
        folder,
    )


def listed(value: Any) -> list[Any]:
    """A value that CloudFormation takes alone or as a list, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def reference(value: Any) -> str:
    """The logical id that a Ref or Fn::GetAtt names; other values as text."""
    if isinstance(value, Mapping):
        if "Ref" in value:
            return str(value["Ref"])
        if "Fn::GetAtt" in value:
            return str(listed(value["Fn::GetAtt"])[0]).split(".", maxsplit=1)[0]
    return text(value)


def text(value: Any) -> str:
    """A value as one text, with `${...}` for what only CloudFormation knows."""
    if isinstance(value, Mapping):
        if "Fn::Join" in value:
            separator, parts = value["Fn::Join"]
            return str(separator).join(map(text, listed(parts)))
        if "Ref" in value:
            return f"${{{value['Ref']}}}"
        if "Fn::GetAtt" in value:
            return "${" + ".".join(map(str, listed(value["Fn::GetAtt"]))) + "}"
        if "Fn::Sub" in value:
            return str(listed(value["Fn::Sub"])[0])
        return json.dumps(value, sort_keys=True)
    return str(value)


def walk(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value within a value, itself first, with the keys that lead there."""
    yield path, value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from walk(inner, (*path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, (*path, str(index)))
