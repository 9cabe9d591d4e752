"""A vendor as its file describes it: how to sign in, what to ask for, and what its answers mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Pointer = tuple[str, ...]


class TimeFormat(StrEnum):
    """How a vendor writes a time."""

    ISO = "iso8601"
    """With a zone, as the contract has it."""
    ISO_UTC = "iso8601-utc"
    """Without a zone, and meant in UTC."""
    EPOCH_S = "epoch-s"
    """Seconds since 1970, with or without a fraction."""
    EPOCH_MS = "epoch-ms"
    """Whole milliseconds since 1970."""


class PagingKind(StrEnum):
    """How a vendor says where the next page is."""

    CURSOR = "cursor"
    """By a text in the body, which goes into a parameter of the next request; none on the last page."""
    PAGE = "page"
    """By numbers."""
    LINK = "link"
    """By the header `Link` with rel="next" (RFC 8288); none on the last page."""


@dataclass(frozen=True)
class OAuth:
    """OAuth 2 client credentials (RFC 6749, section 4.4). The secret holds `client_id` and `client_secret`."""

    token_url: str
    scope: str


@dataclass(frozen=True)
class ApiKey:
    """A key in a header, behind a prefix such as "Bearer ". The secret holds `key`."""

    header: str
    prefix: str


@dataclass(frozen=True)
class Window:
    """The times that one sequence of pages is about: whole cells of so many minutes since 1970, UTC.

    A cell is asked for `settle_minutes` after its end. `start_ms` (epoch milliseconds) is the end of what is left out.
    """

    from_parameter: str
    to_parameter: str
    format: TimeFormat
    minutes: int
    settle_minutes: int
    start_ms: int

    @property
    def length_ms(self) -> int:
        """The length of a cell in milliseconds."""
        return self.minutes * 60_000


@dataclass(frozen=True)
class Paging:
    """`parameter` takes the cursor or the number of the page, from `first` on; `next` is where a cursor stands.

    `size` goes into `size_parameter` with each request. `total` is where the vendor says how many items the whole
    window has, None if it does not say so.
    """

    kind: PagingKind
    parameter: str
    next: Pointer
    first: int
    size_parameter: str
    size: int
    total: Pointer | None


@dataclass(frozen=True)
class MappedMetric:
    """A metric of the contract, where an item has it, and its unit if that is not the contract's own."""

    name: str
    at: Pointer
    unit: str | None


@dataclass(frozen=True)
class ReadingMap:
    """Where an answer has its items, and an item its parts. `seq` is None where the vendor has no such number."""

    items: Pointer
    device: Pointer
    ts: Pointer
    ts_format: TimeFormat
    seq: Pointer | None
    metrics: tuple[MappedMetric, ...]


@dataclass(frozen=True)
class Resource:
    """One collection of the vendor's; `constants` are parameters of every request."""

    name: str
    path: str
    constants: Mapping[str, str]
    window: Window
    paging: Paging
    mapping: ReadingMap


@dataclass(frozen=True)
class Placed:
    """A device by the platform's names."""

    device: str
    site: str


@dataclass(frozen=True)
class Vendor:
    """A vendor. `devices` are those it may speak for, by the vendor's own ids."""

    name: str
    base_url: str
    tenant: str
    auth: OAuth | ApiKey
    every_minutes: int
    requests_per_minute: float
    devices: Mapping[str, Placed]
    resources: tuple[Resource, ...]

    def resource(self, name: str) -> Resource:
        """The resource of a name. Raises ValueError naming those there are."""
        for each in self.resources:
            if each.name == name:
                return each
        raise ValueError(f"{self.name} has no resource {name!r}; it has {', '.join(r.name for r in self.resources)}")
