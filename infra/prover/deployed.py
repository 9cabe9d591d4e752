"""An environment as it would stand after its deployment: all resources of all stacks, their references resolved."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.prover.physical_names import attribute, reference
from infra.stacks.config import PlatformConfig

_SSM_VALUE = "AWS::SSM::Parameter::Value<String>"


@dataclass(frozen=True)
class Resource:
    """One resource; in `properties` nothing is left of CloudFormation's functions."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any] = field(hash=False, compare=False)

    @property
    def name(self) -> str:
        """What people find it by."""
        return f"{self.stack}/{self.logical_id}"


@dataclass(frozen=True)
class Environment:
    """The templates of an environment by the stacks' names.

    `before` is the environment that comes before it on the way of a release: the delivery's stack reads what that one
    has published as well.
    """

    config: PlatformConfig
    templates: Mapping[str, Mapping[str, Any]] = field(hash=False)
    before: "Environment | None" = None
    deployers: tuple[str, ...] = ()
    """The ARNs of the roles that the CDK's command line takes on to deploy it, as its cloud assembly names them."""

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """All resources."""
        return tuple(
            Resource(stack, logical_id, made["Type"], self.resolve(stack, made.get("Properties", {})))
            for stack, template in self.templates.items()
            for logical_id, made in template["Resources"].items()
        )

    def of_type(self, resource_type: str) -> Iterator[Resource]:
        """The resources of one type."""
        return (resource for resource in self.resources if resource.type == resource_type)

    def arn(self, resource: Resource) -> str:
        """A resource's ARN."""
        return attribute(
            self.config, _generated(resource.stack, resource.logical_id), resource.type, resource.properties, "Arn"
        )

    @cached_property
    def by_arn(self) -> Mapping[str, Resource]:
        """Resources by their ARN; of those that have one."""
        found: dict[str, Resource] = {}
        for resource in self.resources:
            arn = self.arn(resource)
            if arn.startswith("arn:"):
                found[arn] = resource
        return found

    def resolve(self, stack: str, value: Any) -> Any:
        """A value without CloudFormation's functions. Raises ValueError for a function that is not known here."""
        if isinstance(value, list):
            kept = (self.resolve(stack, one) for one in value)
            return [one for one in kept if one is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(stack, name, argument)
        made = {key: self.resolve(stack, one) for key, one in value.items()}
        return {key: one for key, one in made.items() if one is not None}

    def _call(self, stack: str, name: str, argument: Any) -> Any:
        if name == "Ref":
            return self._ref(stack, argument)
        if name == "Fn::GetAtt":
            logical_id, wanted = argument if isinstance(argument, list) else argument.split(".", 1)
            return self._attribute(stack, logical_id, wanted)
        if name == "Fn::Sub":
            return self._sub(stack, argument)
        given = self.resolve(stack, argument)
        if name == "Fn::Join":
            return given[0].join(map(str, given[1]))
        if name == "Fn::Split":
            return given[1].split(given[0])
        if name == "Fn::Select":
            place, among = int(given[0]), given[1]
            # A part of what AWS makes is no more known than the whole.
            return among[place] if place < len(among) else among[-1]
        if name == "Fn::Base64":
            return given
        raise ValueError(f"{stack}: {name} is not known to the prover; teach infra/prover/deployed.py")

    def _ref(self, stack: str, name: str) -> Any:
        pseudo = {
            "AWS::Partition": "aws",
            "AWS::Region": self.config.region,
            "AWS::AccountId": self.config.account,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack,
            "AWS::StackId": f"arn:aws:cloudformation:{self.config.region}:{self.config.account}:stack/{stack}/id",
        }
        if name == "AWS::NoValue":
            return None
        if name in pseudo:
            return pseudo[name]
        template = self.templates[stack]
        if parameter := template.get("Parameters", {}).get(name):
            default = parameter.get("Default", "")
            return self._published(default) if parameter["Type"] == _SSM_VALUE else default
        made = template["Resources"][name]
        return reference(self.config, _generated(stack, name), made["Type"], self._named(stack, made))

    def _attribute(self, stack: str, logical_id: str, wanted: str) -> str:
        made = self.templates[stack]["Resources"][logical_id]
        return attribute(self.config, _generated(stack, logical_id), made["Type"], self._named(stack, made), wanted)

    def _named(self, stack: str, made: Mapping[str, Any]) -> Mapping[str, Any]:
        """The properties that a name can be read from; a resource's others may refer back to who asks."""
        properties: Mapping[str, Any] = made.get("Properties", {})
        return {
            key: self.resolve(stack, value)
            if isinstance(value, dict) and key.endswith(("Name", "StreamARN", "DatabaseInput"))
            else value
            for key, value in properties.items()
            if key.endswith(("Name", "StreamARN", "Family", "DatabaseInput"))
        }

    def _published(self, parameter: str) -> str:
        """What another stack has written to an SSM parameter. Raises ValueError where no stack of ours writes it."""
        for environment in filter(None, (self, self.before)):
            for stack, template in environment.templates.items():
                for made in template["Resources"].values():
                    if made["Type"] == "AWS::SSM::Parameter" and made["Properties"].get("Name") == parameter:
                        return str(environment.resolve(stack, made["Properties"]["Value"]))
        raise ValueError(f"{parameter} is read and no stack of {self.config.name} publishes it: its deployment fails")

    def _sub(self, stack: str, argument: Any) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else (argument[0], self.resolve(stack, argument[1]))
        out, rest = "", text
        while "${" in rest:
            before, _, rest = rest.partition("${")
            inside, _, rest = rest.partition("}")
            out += before + str(self._substitute(stack, inside, own))
        return out + rest

    def _substitute(self, stack: str, inside: str, own: Mapping[str, Any]) -> Any:
        if inside.startswith("!"):
            return "${" + inside[1:] + "}"
        if inside in own:
            return own[inside]
        logical_id, dot, wanted = inside.partition(".")
        return self._attribute(stack, logical_id, wanted) if dot else self._ref(stack, inside)


def _generated(stack: str, logical_id: str) -> str:
    """What a name that CloudFormation makes begins with (its guide, "Name type")."""
    return f"{stack}-{logical_id}"


def read_environment(config: PlatformConfig, assembly: Path, before: Environment | None = None) -> Environment:
    """The environment of a synthesised cloud assembly, and the one before it where its delivery reads from that."""
    texts = sorted(assembly.glob("*.template.json"))
    if not texts:
        raise ValueError(f"{assembly} holds no template: it is no cloud assembly")
    templates = {path.name.removesuffix(".template.json"): json.loads(path.read_text()) for path in texts}
    return Environment(config, templates, before, tuple(sorted(set(_deployers(assembly)))))


def _deployers(assembly: Path) -> Iterator[str]:
    """Of the stacks the roles that deploy and look up, of their files the one that uploads (CDK guide, "Customize CDK
    bootstrapping"; the rest is CloudFormation's own).
    """
    for path in (assembly / "manifest.json", *sorted(assembly.glob("*.assets.json"))):
        if not path.is_file():
            continue
        read = json.loads(path.read_text(encoding="utf-8"))
        for artifact in read.get("artifacts", {}).values():
            properties = artifact.get("properties", {})
            found = (properties.get("assumeRoleArn"), properties.get("lookupRole", {}).get("arn"))
            yield from (arn.replace("${AWS::Partition}", "aws") for arn in found if arn)
        for asset in read.get("files", {}).values():
            for each in asset["destinations"].values():
                if "assumeRoleArn" in each:
                    yield each["assumeRoleArn"].replace("${AWS::Partition}", "aws")
