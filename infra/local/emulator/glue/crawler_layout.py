"""Which objects a crawler looks at, and which tables and partitions their keys spell.

AWS Glue developer guide: "How does a crawler determine when to create partitions?".
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from infra.local.emulator.glue.crawler_globs import Glob


@dataclass(frozen=True)
class ObjectRef:
    """An S3 object."""

    bucket: str
    key: str
    size: int


@dataclass
class Folder:
    """The objects of one table: its location, partition keys, and objects by partition values."""

    bucket: str
    prefix: str
    keys: tuple[str, ...] = ()
    partitions: dict[tuple[str, ...], list[ObjectRef]] = field(default_factory=dict)

    @property
    def location(self) -> str:
        """`s3://bucket/prefix/`."""
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def name(self) -> str:
        """The table's name: the last folder's (the bucket's at the root), as Glue spells names."""
        last = self.prefix.rstrip("/").rsplit("/", 1)[-1] or self.bucket
        return re.sub(r"[^a-z0-9_]", "_", last.lower())

    @property
    def objects(self) -> Iterator[ObjectRef]:
        """All objects."""
        return (ref for refs in self.partitions.values() for ref in refs)

    def partition_location(self, values: tuple[str, ...]) -> str:
        """The folder of a partition's first object."""
        return f"s3://{self.bucket}/{self.partitions[values][0].key.rsplit('/', 1)[0]}/"


def split_path(path: str) -> tuple[str, str]:
    """`s3://bucket/a/b` as bucket and prefix (`a/b/`, or empty at the root); raises ValueError."""
    match = re.fullmatch(r"s3://([^/]++)/?(.*)", path)
    if not match:
        msg = f"{path!r} is not an S3 path: expected s3://bucket/folder/"
        raise ValueError(msg)
    prefix = match[2].strip("/")
    return match[1], f"{prefix}/" if prefix else ""


def select(objects: Iterable[ObjectRef], prefix: str, exclusions: list[str]) -> list[ObjectRef]:
    """The objects below a prefix that hold data and are not excluded; exclusions are relative to the prefix."""
    excluded = [Glob(glob) for glob in exclusions]
    found = []
    for ref in objects:
        relative = ref.key.removeprefix(prefix)
        hidden = any(part.startswith(("_", ".")) for part in relative.split("/"))
        if not ref.key.startswith(prefix) or not ref.size or hidden or ref.key.endswith("/"):
            continue
        if not any(glob.fullmatch(relative) for glob in excluded):
            found.append(ref)
    return sorted(found, key=lambda ref: ref.key)


def folders(objects: list[ObjectRef], prefix: str, level: int | None = None) -> list[Folder]:
    """Tables and their partitions.

    With a table level (the bucket is level 1; Glue guide, "Specifying the table location and partitioning level") each
    folder of that level is a table, and what is below it partitions, `partition_<n>` where a folder is not `key=value`.
    Without one, each folder that holds objects or `key=value` folders directly is a table. (AWS also merges sibling
    folders of similar schemas; this does not.) Folders of one table that differ in their partition keys: ValueError.
    """
    found: dict[str, Folder] = {}
    for ref in objects:
        root = _root(ref, prefix, level)
        parts = ref.key.removeprefix(root).split("/")[:-1]
        pairs = [part.split("=", 1) if "=" in part else [f"partition_{n}", part] for n, part in enumerate(parts)]
        keys = tuple(key.lower() for key, _value in pairs)
        folder = found.setdefault(root, Folder(ref.bucket, root, keys))
        if folder.keys != keys:
            msg = f"{folder.location} has partitions by {folder.keys} and by {keys} ({ref.key}): exclude one of them"
            raise ValueError(msg)
        folder.partitions.setdefault(tuple(unquote(value) for _key, value in pairs), []).append(ref)
    return [found[root] for root in sorted(found)]


def _root(ref: ObjectRef, prefix: str, level: int | None) -> str:
    if level is not None:
        return "".join(f"{part}/" for part in ref.key.split("/")[:-1][: level - 1])
    parts = ref.key.removeprefix(prefix).split("/")[:-1]
    plain = next((index for index, part in enumerate(parts) if "=" in part), len(parts))
    return prefix + "".join(f"{part}/" for part in parts[:plain])
