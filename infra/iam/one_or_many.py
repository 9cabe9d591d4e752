"""How a policy document writes its values."""

from typing import Any


def listed(value: Any) -> list[Any]:
    """A value that a policy takes alone or as a list, as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]
