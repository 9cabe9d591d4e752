"""The catalog file: tenants, customers, sites and device models, as YAML or JSON."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from iot_pipeline.contract import CONTRACT
from iot_pipeline.registry.devices import check_label
from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.registry.plain_yaml import Document, read_yaml


def _fits(text: str) -> str:
    check_label("the text", text)
    return text


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is no IANA time zone; write it as Europe/Berlin")
    return name


def _country(code: object) -> object:
    if code is False:
        raise ValueError('YAML reads NO as false; write it as "NO"')
    return code


def _moment(since: object) -> object:
    """Pydantic would take a number, or a text of digits, for seconds since 1970."""
    if isinstance(since, str):
        return datetime.fromisoformat(since)
    if since is not None and not isinstance(since, datetime):
        raise ValueError("expected a time with its timezone, such as 2026-01-01T00:00:00Z")
    return since


def _metric(name: str) -> str:
    if name not in (known := [metric.name for metric in CONTRACT.metrics]):
        raise ValueError(f"is no metric of the contract: {', '.join(known)}")
    return name


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a metric is there twice")
    return names


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]
# Not a text or a boolean that could be made one.
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Label = Annotated[str, StringConstraints(min_length=1), AfterValidator(_fits)]


# What a field should have been, where pydantic's words are those of Python.
_EXPECTED = {
    "missing": "the field is missing",
    "string_type": "expected text",
    "float_type": "expected a number",
    "tuple_type": "expected a list",
    "model_type": "expected a mapping of fields",
    "model_attributes_type": "expected a mapping of fields",
}
_KEYS = {
    "tenants": ("tenant_id",),
    "customers": ("customer_id",),
    "sites": ("tenant_id", "site_id"),
    "models": ("model_id",),
}


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tenant(_Entry):
    """Who rents the platform."""

    tenant_id: Id
    name: Label
    plan: Label = "standard"


class Customer(_Entry):
    """A customer of a tenant."""

    customer_id: Id
    tenant_id: Id
    name: Label


class Site(_Entry):
    """A place where devices stand; `country` is its ISO 3166 code.

    `since` counts for a new site only: when its history begins (default: now).
    """

    tenant_id: Id
    site_id: Id
    customer_id: Id | None = None
    name: Label
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), BeforeValidator(_country)]
    timezone: Annotated[Label, AfterValidator(_zone)]
    lat: Number = Field(ge=-90, le=90)
    lon: Number = Field(ge=-180, le=180)
    since: Annotated[AwareDatetime | None, BeforeValidator(_moment)] = None


class Model(_Entry):
    """A type of device: what it measures and how often it should send a reading, in seconds."""

    model_id: Id
    manufacturer: Label
    name: Label
    metrics: Annotated[tuple[Annotated[str, AfterValidator(_metric)], ...], Field(min_length=1), AfterValidator(_once)]
    expected_interval_s: Number = Field(gt=0)


class Catalog(_Entry):
    """All there is to know before a device can be onboarded; each part may be left out."""

    tenants: tuple[Tenant, ...] = ()
    customers: tuple[Customer, ...] = ()
    sites: tuple[Site, ...] = ()
    models: tuple[Model, ...] = ()


def read_catalog(path: Path) -> Catalog:
    """Read a catalog file.

    Raises RegistryError naming line and column, entry and field of each thing that is wrong, what was expected and what
    to do, as `read_yaml` does; also for an entry that is there twice. OSError for a file that cannot be read.
    """
    document = read_yaml(path)
    try:
        catalog = Catalog.model_validate(document.content)
    except ValidationError as error:
        raise RegistryError("; ".join(_told(document, wrong) for wrong in error.errors())) from None
    _refuse_repeated(document, catalog)
    return catalog


def _told(document: Document, wrong: Mapping[str, Any]) -> str:
    location = wrong["loc"]
    name = ".".join(map(str, location)) or "the file"
    expected = _EXPECTED.get(wrong["type"], wrong["msg"].removeprefix("Value error, "))
    text = f"{document.place(location)}: {name}: {expected}"
    if wrong["type"] == "missing":
        return f"{text}; add it"
    given = wrong["input"]
    got = f"{type(given).__name__}" if isinstance(given, dict | list) else f"{given!r}"
    written = document.written(location)
    if wrong["type"] == "string_type" and written:
        return f'{text} (got {got}, which YAML makes of {written}); write it as "{written}"'
    return f"{text} (got {got}); correct it"


def _refuse_repeated(document: Document, catalog: Catalog) -> None:
    """The last of two entries with one key would win."""
    for part, key in _KEYS.items():
        first: dict[tuple[str, ...], int] = {}
        for index, entry in enumerate(getattr(catalog, part)):
            name = tuple(getattr(entry, column) for column in key)
            if name in first:
                here, there = document.place((part, index)), document.place((part, first[name]))
                what = " ".join(f"{column} {value}" for column, value in zip(key, name, strict=True))
                raise RegistryError(f"{here}: {part}.{index}: {what} is there already, at {there}; keep one of them")
            first[name] = index
