"""Everything says whose it is, and of which environment, size and part."""

from infra.stacks.base import TAGS
from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Resource, Synthesised


def everything_is_tagged(environment: Synthesised) -> Problems:
    """Each stack has every tag, with the environment's and size's own values.

    CloudFormation gives a stack's tags to whatever it makes that takes any (CloudFormation guide, "Resource tags").
    """
    own = {"environment": environment.config.name, "size": environment.config.size.value}
    for stack, tags in (environment.tags or {}).items():
        at = Resource(stack, "", "AWS::CloudFormation::Stack", {}, {})
        if missing := [tag for tag in TAGS if not tags.get(tag)]:
            yield at, f"has no tag {', '.join(missing)}"
        for tag, value in own.items():
            if tags.get(tag, value) != value:
                yield at, f"is tagged {tag}={tags[tag]}: expected {value}"
