"""Which change of a property replaces a resource: the resource types' own schemas say it."""

from collections.abc import Iterator
from functools import cache

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

# Keys of a schema that name such properties; the second kind replaces by the value that they are given
# (CloudFormation CLI guide, "Resource type schema").
_ALWAYS, _SOMETIMES = "createOnlyProperties", "conditionalCreateOnlyProperties"
_CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")
Path = tuple[str, ...]


@cache
def replacing_paths(resource_type: str, region: str) -> tuple[tuple[Path, bool], ...]:
    """(path below the properties, whether a change always replaces); `*` stands for any item of a list.

    Empty for custom resources, whose provider decides. Raises ValueError for a type that has no schema.
    """
    if resource_type.startswith(_CUSTOM):
        return ()
    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, resource_type).schema
    except ResourceNotFoundError as error:
        raise ValueError(f"{resource_type} has no schema in {region}: it cannot be told what replaces it") from error
    return tuple(
        (tuple(pointer.removeprefix("/properties/").split("/")), key == _ALWAYS)
        for key in (_ALWAYS, _SOMETIMES)
        for pointer in schema.get(key, [])
    )


def replaced_by(resource_type: str, region: str, changed: list[Path]) -> Iterator[tuple[Path, bool]]:
    """The changed paths that replace a resource of the type, each with whether they always do."""
    for path in changed:
        for replacing, always in replacing_paths(resource_type, region):
            if _begins(path, replacing):
                yield path, always
                break


def _begins(path: Path, replacing: Path) -> bool:
    """Whether one path leads into the other."""
    return all(one in (two, "*") or two == "*" for one, two in zip(path, replacing, strict=False))
