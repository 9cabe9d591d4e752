"""A vendor's file, read and validated. docs/api-pull.md describes each field."""

import re
import tomllib
from collections import Counter
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from iot_pipeline.contract.identifiers import DEVICE_NAME, NAME
from iot_pipeline.contract.metrics import METRICS
from iot_pipeline.pull.checked_table import CheckedTable, VendorFileError
from iot_pipeline.pull.vendor import (
    ApiKey,
    MappedMetric,
    OAuth,
    Paging,
    PagingKind,
    Placed,
    ReadingMap,
    Resource,
    TimeFormat,
    Vendor,
    Window,
)

# Names of functions, tables' items and objects are made of these.
_NAME = "[a-z][a-z0-9-]{0,30}"
_NAME_EXPECTED = "lower-case letters, digits and hyphens, a letter first, at most 31"
# The name of a header, or of a parameter.
_PARAMETER = r"[A-Za-z0-9_.\[\]$-]{1,64}"
_DAY_MINUTES = 1440
_FORMATS = [*TimeFormat]


def read_vendor(path: Path) -> Vendor:
    """The vendor that a TOML file describes. Raises VendorFileError; OSError where there is no such file."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise VendorFileError(f"{path.name}: {error}") from error
    return _vendor(CheckedTable(f"{path.name}:", table))


def is_allowed(url: SplitResult) -> bool:
    """Whether a URL may be asked: https alone, but for servers on the machine itself."""
    if url.scheme == "https":
        return bool(url.hostname) and "@" not in url.netloc
    try:
        return url.scheme == "http" and ip_address(url.hostname or "").is_loopback and "@" not in url.netloc
    except ValueError:
        return False


def _vendor(given: CheckedTable) -> Vendor:
    name = given.text("name", _NAME, _NAME_EXPECTED)
    resources = [_resource(each, resource) for each, resource in given.table("resources").tables()]
    if not resources:
        raise given.wrong("resources", "at least one table [resources.<name>]")
    made = Vendor(
        name=name,
        base_url=_url(given, "base_url").rstrip("/"),
        tenant=given.text("tenant", NAME.pattern, "a tenant's name, as in the devices' topics"),
        auth=_auth(given.table("auth")),
        every_minutes=given.whole("every_minutes", 1, _DAY_MINUTES),
        requests_per_minute=given.number("requests_per_minute", 0.1, 6000),
        devices=_devices(given.table("devices")),
        resources=tuple(resources),
    )
    given.done()
    return made


def _url(given: CheckedTable, name: str) -> str:
    expected = "a URL that begins with https:// and has neither user, query nor fragment"
    text = given.text(name, r"[!-~]+", expected)
    parts = urlsplit(text)
    try:
        well = is_allowed(parts) and parts.port != 0
    except ValueError as error:
        raise given.wrong(name, expected) from error
    if not well or parts.query or parts.fragment:
        raise given.wrong(name, expected)
    return text


def _auth(given: CheckedTable) -> OAuth | ApiKey:
    auth: OAuth | ApiKey
    if given.choice("kind", ["oauth2", "key"]) == "oauth2":
        auth = OAuth(_url(given, "token_url"), given.text("scope", r"[ -~]*", "scopes, a blank between two", ""))
    else:
        header = given.text("header", _PARAMETER, "the name of a header", "Authorization")
        auth = ApiKey(header, given.text("prefix", r"[ -~]*", "what stands before the key", ""))
    given.done()
    return auth


def _devices(given: CheckedTable) -> dict[str, Placed]:
    devices = {}
    for name, each in given.tables():
        device = each.text("device", DEVICE_NAME.pattern, "a device's id: letters, digits and : _ -, at most 128")
        devices[name] = Placed(device, each.text("site", NAME.pattern, "a site's name, as in the devices' topics"))
        each.done()
    placed = Counter(each.device for each in devices.values())
    if doubled := sorted(device for device, count in placed.items() if count > 1):
        raise VendorFileError(f"{given.where}: {', '.join(doubled)} stands for several of the vendor's devices")
    return devices


def _resource(name: str, given: CheckedTable) -> Resource:
    if re.fullmatch(_NAME, name) is None:
        raise VendorFileError(f"{given.where}: the name must be {_NAME_EXPECTED}")
    made = Resource(
        name=name,
        path=given.text("path", r"/[!-~]*", "a path below base_url, with a / in front"),
        constants=given.texts("query"),
        window=_window(given.table("window")),
        paging=_paging(given.table("paging")),
        mapping=_mapping(given.table("mapping")),
    )
    if "?" in made.path or "#" in made.path:
        raise given.wrong("path", "a path alone; parameters stand in [resources.<name>.query]")
    given.done()
    return made


def _window(given: CheckedTable) -> Window:
    made = Window(
        from_parameter=given.text("from_parameter", _PARAMETER, "a parameter's name"),
        to_parameter=given.text("to_parameter", _PARAMETER, "a parameter's name"),
        format=TimeFormat(given.choice("format", _FORMATS)),
        minutes=given.whole("minutes", 1, _DAY_MINUTES),
        settle_minutes=given.whole("settle_minutes", 0, 7 * _DAY_MINUTES),
        start_ms=given.moment("start"),
    )
    if _DAY_MINUTES % made.minutes:
        raise given.wrong("minutes", "a part of a day, such as 15, 60 or 1440")
    if made.start_ms % made.length_ms:
        raise given.wrong("start", f"a time at which one of the windows of {made.minutes} minutes begins, UTC")
    given.done()
    return made


def _paging(given: CheckedTable) -> Paging:
    kind = PagingKind(given.choice("kind", [*PagingKind]))
    parameter, first = "", 1
    following: tuple[str, ...] = ()
    if kind is not PagingKind.LINK:
        parameter = given.text("parameter", _PARAMETER, "a parameter's name")
    if kind is PagingKind.CURSOR:
        following = given.pointer("next")
    if kind is PagingKind.PAGE:
        first = given.whole("first", 0, 1, 1)
    made = Paging(
        kind=kind,
        parameter=parameter,
        next=following,
        first=first,
        size_parameter=given.text("size_parameter", _PARAMETER, "a parameter's name"),
        size=given.whole("size", 1, 10_000),
        total=given.optional_pointer("total"),
    )
    given.done()
    return made


def _mapping(given: CheckedTable) -> ReadingMap:
    metrics = [_metric(name, each) for name, each in given.table("metrics").tables()]
    if not metrics:
        raise given.wrong("metrics", "at least one metric of the contract")
    made = ReadingMap(
        items=given.pointer("items"),
        device=given.pointer("device"),
        ts=given.pointer("ts"),
        ts_format=TimeFormat(given.choice("ts_format", _FORMATS)),
        seq=given.optional_pointer("seq"),
        metrics=tuple(metrics),
    )
    given.done()
    return made


def _metric(name: str, given: CheckedTable) -> MappedMetric:
    units = {metric.name: [unit.symbol for unit in metric.units] for metric in METRICS}
    if name not in units:
        raise VendorFileError(f"{given.where}: the contract has no such metric; it has {', '.join(units)}")
    symbol = given.choice("unit", units[name])
    made = MappedMetric(name, given.pointer("at"), None if symbol == units[name][0] else symbol)
    given.done()
    return made
