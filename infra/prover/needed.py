"""A call that is made under a role, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

VIA_SERVICE = "kms:ViaService"
PREFIX = "s3:prefix"


@dataclass(frozen=True, order=True)
class Need:
    """An action on a resource (`*` in it stands for anything), with the condition keys that come with the call.

    `why` is a page of AWS's documentation, or what of our code makes the call.
    """

    action: str
    resource: str
    why: str
    context: tuple[tuple[str, str], ...] = ()

    @property
    def keys(self) -> Mapping[str, str]:
        """The context as a map."""
        return dict(self.context)

    def sample(self) -> tuple[str, Mapping[str, str]]:
        """One resource and context of those it stands for."""
        return (
            self.resource if self.resource == "*" else _one(self.resource),
            {key: _one(value) for key, value in self.context},
        )


def need(action: str, resource: str, why: str, **context: str) -> Need:
    """A need; condition keys with two underscores for their colon."""
    return Need(action, resource, why, tuple(sorted((key.replace("__", ":"), value) for key, value in context.items())))


def listing(bucket: str, prefix: str, why: str) -> Need:
    """Listing a bucket's objects below a prefix."""
    return Need("s3:ListBucket", bucket, why, ((PREFIX, f"{prefix}*"),))


def _one(pattern: str) -> str:
    return pattern.replace("*", "any").replace("?", "x")


class UnprovedError(ValueError):
    """A role of which it is known that it is not proved, and why."""
