"""Provisioning by claim: who holds a claim certificate registers new devices, and becomes no existing one."""

import json
import types
from pathlib import Path
from typing import Any

from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Resource, Synthesised, text

_SENT = {"DeviceModel": "m1", "SerialNumber": "0001", "Tenant": "acme", "Site": "plant"}
# (what a device sends, why it must be refused); the stand-in for AWS IoT knows every thing.
_REFUSED = (
    (_SENT, "a thing of that name exists"),
    ({**_SENT, "Tenant": "acme/plant"}, "a tenant that is more than one level of a topic"),
    ({**_SENT, "Site": "+"}, "a site that is a wildcard"),
)


def provisioning_asks_first(environment: Synthesised) -> Problems:
    """A template has a hook, and gives the devices' policy to an active certificate of the devices' type of thing."""
    config = environment.config
    for template in environment.of_type("AWS::IoT::ProvisioningTemplate"):
        hook = template.properties.get("PreProvisioningHook", {})
        if not hook.get("TargetArn"):
            yield template, "has no hook: a claim certificate can take any device's name"
        body = json.loads(text(template.properties["TemplateBody"]))["Resources"]
        policies = {r["Properties"].get("PolicyName") for r in body.values() if r["Type"] == "AWS::IoT::Policy"}
        if policies != {config.device_policy}:
            yield template, f"gives the policies {policies}: expected {config.device_policy} alone"
        things = [r for r in body.values() if r["Type"] == "AWS::IoT::Thing"]
        for thing in things:
            if thing["Properties"].get("ThingTypeName") != config.thing_type:
                yield template, f"makes things that are no {config.thing_type}"
            if set(thing.get("OverrideSettings", {}).values()) != {"FAIL"}:
                yield template, "changes a thing that exists (OverrideSettings must be FAIL)"


def the_hook_refuses(environment: Synthesised) -> Problems:
    """The hook's own code, run against an AWS IoT in which every thing exists, allows nothing."""
    if environment.folder is None:
        return
    for template in environment.of_type("AWS::IoT::ProvisioningTemplate"):
        target = template.properties.get("PreProvisioningHook", {}).get("TargetArn")
        function = environment.target(template.stack, target) if target else None
        if function is None:
            continue
        handler = _handler(function, environment.folder)
        for sent, why in _REFUSED:
            if handler({"parameters": sent, "claimCertificateId": "c"}, None).get("allowProvisioning") is not False:
                yield function, f"allows provisioning although {why}"


def _handler(function: Resource, folder: Path) -> Any:
    """The function's handler, from its package, with a stand-in for boto3."""
    module, _, name = str(function.properties["Handler"]).rpartition(".")
    package = folder / f"asset.{str(function.properties['Code']['S3Key']).removesuffix('.zip')}"
    space: dict[str, Any] = {"__name__": module, "print": lambda *_: None, "__builtins__": _builtins()}
    exec(compile((package / f"{module}.py").read_text(), module, "exec"), space)  # noqa: S102  our own package
    return space[name]


def _builtins() -> dict[str, Any]:
    import builtins

    def importing(name: str, *rest: Any) -> Any:
        return _EVERY_THING_EXISTS if name == "boto3" else builtins.__import__(name, *rest)

    return {**vars(builtins), "__import__": importing}


class _NotFoundError(Exception):
    """What the stand-in never raises."""


class _Iot:
    exceptions = types.SimpleNamespace(ResourceNotFoundException=_NotFoundError)

    def __getattr__(self, _call: str) -> Any:
        return lambda **asked: {"thingName": asked.get("thingName", ""), "attributes": {}}


_EVERY_THING_EXISTS = types.SimpleNamespace(client=lambda _service, **_options: _Iot())
