"""A reading that is valid, as the curated table holds it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CuratedReading:
    """Who took it, when (epoch milliseconds UTC) and what was measured, in canonical units by metric."""

    tenant: str
    site: str
    device: str
    at_ms: int
    seq: int
    values: Mapping[str, float]
