"""Mistakes that no resource has by itself: in a stack, in a package, between two resources."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from infra.stacks.checks import Synthesised
from infra.verdict.planted.mistake import Mistake, Place, with_resources

_ALLOWS_ALL = "def handler(event, context):\n    return {'allowProvisioning': True}\n"


def _unprotected(environment: Synthesised) -> Iterator[Place]:
    """Each protected stack in turn is not."""
    for stack in sorted(environment.protected or ()):
        yield stack, stack, replace(environment, protected=(environment.protected or frozenset()) - {stack})


def _untagged(environment: Synthesised) -> Iterator[Place]:
    """Each stack in turn does not say of which environment it is."""
    tags = environment.tags or {}
    for stack, own in tags.items():
        left = {tag: value for tag, value in own.items() if tag != "environment"}
        yield stack, stack, replace(environment, tags={**tags, stack: left})


def _allowing_hook(environment: Synthesised) -> Iterator[Place]:
    """The hook's package holds a handler that allows whatever it is asked."""
    for template in environment.of_type("AWS::IoT::ProvisioningTemplate"):
        hook = environment.target(template.stack, template.properties["PreProvisioningHook"]["TargetArn"])
        if hook is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder) / f"asset.{str(hook.properties['Code']['S3Key']).removesuffix('.zip')}"
            package.mkdir()
            module = str(hook.properties["Handler"]).partition(".")[0]
            (package / f"{module}.py").write_text(_ALLOWS_ALL)
            yield hook.stack, hook.name, replace(environment, folder=Path(folder))


def _refused_trail(environment: Synthesised) -> Iterator[Place]:
    """A trail whose key, made as `Trail(encryption_key=)` makes it, says nothing of CloudTrail."""
    root = {"AWS": f"arn:aws:iam::{environment.config.account}:root"}
    own = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    stack = next(iter(environment.templates))
    added = {
        "PlantedKey": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [own]}}},
        "Planted": {
            "Type": "AWS::CloudTrail::Trail",
            "Properties": {"KMSKeyId": {"Ref": "PlantedKey"}, "S3BucketName": "elsewhere"},
        },
    }
    yield stack, "Planted", with_resources(environment, stack, added)


MISTAKES = (
    Mistake("a stack without tags", "everything_is_tagged", places=_untagged),
    Mistake("a stack with data that can be deleted", "stacks_with_data_are_protected", places=_unprotected),
    Mistake("a provisioning hook that always allows", "the_hook_refuses", places=_allowing_hook),
    Mistake("a trail whose key does not let CloudTrail in", "trails_can_be_written", places=_refused_trail),
)
