"""The environments that are written down: `infra/environments.toml`, read and validated."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from infra.stacks.config import (
    CONSOLE_VARIABLE,
    CRAWL_VARIABLE,
    DEFAULT_NAME,
    FAN_OUT_VARIABLE,
    FORMAT_VARIABLE,
    FUTURE_VARIABLE,
    LATENESS_VARIABLE,
    NAME_VARIABLE,
    PARTITION_VARIABLE,
    SIZE_VARIABLE,
    PlatformConfig,
)
from infra.stacks.producers.declared import Producer, producers_of
from infra.stacks.sizes import PARTS, QUANTITIES, Size
from infra.stacks.validity import JSON, PARQUET

FILE = Path(__file__).resolve().parents[1] / "environments.toml"
# An environment that stands in no file is named by its variable alone, and has this size.
_UNLISTED = Size.TEAM
_EXAMPLE = Producer("gateway", "acme", ("hamburg", "lyon"))


def environment(name: str, file: Path = FILE) -> PlatformConfig:
    """One environment as it is written down; one that is not has the size `team` and nothing else of its own.

    Raises ValueError that names the file, the environment and the key, and says what was expected.
    """
    return _config(name, environments(file).get(name, {}), file)


def whole(name: str, file: Path = FILE) -> PlatformConfig:
    """An environment with every stack that its size can have: for what is documented and tested of them.

    Without a domain there would be no entrance and no console, without a producer no intake, without vendors nothing
    that pulls, without a window no streaming job; what it lacks of them it gets as examples (RFC 2606).
    """
    config = environment(name, file)
    examples: dict[str, Any] = {}
    if config.parts.stream:
        examples |= {"producers": (_EXAMPLE,), "streaming_window_seconds": 60}
    if config.parts.customer_keys:
        examples["vendors"] = ("example-weather",)
    if config.parts.services and not config.domain:
        examples |= {"domain": f"{name}.example.com", "hosted_zone": "Z0000000EXAMPLE"}
    return replace(config, **{key: value for key, value in examples.items() if not getattr(config, key)})


def environments(file: Path = FILE) -> dict[str, dict[str, Any]]:
    """Every environment's table. Raises ValueError if the file is no TOML, or holds anything but tables."""
    try:
        tables = tomllib.loads(file.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file.name}: {error}") from error
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ValueError(f"{file.name}: {name} = {table!r} stands outside any environment; put it below a [name]")  # noqa: TRY004  a text of the file, not a mistake of the caller
    return tables


def from_process(file: Path = FILE) -> PlatformConfig:
    """The environment that IOT_ENVIRONMENT names, in the account and region that the CDK's command line offers.

    IOT_SIZE, IOT_CONSOLE_URL, IOT_EDGE_FAN_OUT, IOT_FIREHOSE_FORMAT, IOT_FIREHOSE_PARTITION,
    IOT_CRAWL_ON_EVENTS_MINUTES, IOT_LATENESS_DAYS and IOT_FUTURE_HOURS win over what is written down.
    In a size without a stream, which the variable asks for, there are none of the producers that are written down.
    Raises ValueError as `environment`.
    """
    variables = os.environ
    name = variables.get(NAME_VARIABLE) or DEFAULT_NAME
    written = dict(environments(file).get(name, {}))
    offered = {"account": variables.get("CDK_DEFAULT_ACCOUNT"), "region": variables.get("CDK_DEFAULT_REGION")}
    written = {key: value for key, value in offered.items() if value} | written
    size = _chosen(SIZE_VARIABLE, {size.value: size for size in Size})
    said = {
        "size": size,
        "console_url": variables.get(CONSOLE_VARIABLE) or None,
        "edge_fan_out": _chosen(FAN_OUT_VARIABLE, {"true": True, "1": True, "false": False, "0": False}),
        "firehose_format": _chosen(FORMAT_VARIABLE, {each: each for each in (JSON, PARQUET)}),
        "firehose_partition": variables.get(PARTITION_VARIABLE) or None,
        "crawl_on_events_minutes": _whole_number(CRAWL_VARIABLE),
        "lateness_days": _number(LATENESS_VARIABLE),
        "future_hours": _number(FUTURE_VARIABLE),
    }
    if size is not None and not PARTS[size].stream:
        # What is written is of another size, which has a stream for them.
        written.pop("producers", None)
    return _config(name, written | {key: value for key, value in said.items() if value is not None}, file)


def _config(name: str, written: dict[str, Any], file: Path) -> PlatformConfig:
    where = f"{file.name}: [{name}]"
    try:
        size = Size(written.get("size", _UNLISTED))
    except ValueError as error:
        raise ValueError(f"{where} size = {written['size']!r}: expected one of {', '.join(Size)}") from error
    values = {**QUANTITIES[size], **written, "size": size, "name": name}
    types = {field.name: type(field.default) for field in fields(PlatformConfig)}
    for key, value in values.items():
        if key not in types or (key == "name" and "name" in written):
            raise ValueError(f"{where} {key}: there is no such setting; there are {', '.join(sorted(types))}")
        values[key] = (
            producers_of(f"{where} {key}", value) if key == "producers" else _typed(f"{where} {key}", value, types[key])
        )
    try:
        return PlatformConfig(**values)
    except ValueError as error:
        raise ValueError(f"{where} {error}") from error


def _typed(where: str, value: Any, expected: type) -> Any:
    if expected is tuple and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    # True is an int to Python, and a whole number is written for a fraction.
    right = isinstance(value, expected) or (expected is float and isinstance(value, int))
    if not right or (isinstance(value, bool) and expected is not bool):
        raise ValueError(
            f"{where} = {value!r}: expected {'a list of texts' if expected is tuple else expected.__name__}"
        )
    return value


def _chosen(variable: str, known: Mapping[str, Any]) -> Any:
    text = os.environ.get(variable)
    if text and text.lower() not in known:
        raise ValueError(f"{variable}={text!r}: expected one of {', '.join(known)}")
    return known[text.lower()] if text else None


def _whole_number(variable: str) -> int | None:
    text = os.environ.get(variable)
    if text and not text.isdecimal():
        raise ValueError(f"{variable}={text!r}: expected a whole number")
    return int(text) if text else None


def _number(variable: str) -> float | None:
    text = os.environ.get(variable)
    if not text:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"{variable}={text!r}: expected a number") from error
