"""A vendor of another shape than the simulator's weather, and a puller whose every call can be the last."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from iot_pipeline.pull.pull_state import PullStates
from iot_pipeline.pull.pulled_objects import PulledObjects
from iot_pipeline.pull.puller import Puller
from iot_pipeline.pull.vendor import Vendor
from iot_pipeline.pull.vendor_client import Clock, Send, VendorClient
from iot_pipeline.pull.vendor_file import read_vendor
from iot_pipeline.pull.vendor_http import request
from simulator.vendor_api import API_KEY, CLIENT, CLIENT_PASSWORD, Observation

OAUTH_SECRET = {"client_id": CLIENT, "client_secret": CLIENT_PASSWORD}
KEY_SECRET = {"key": API_KEY}
# As `simulator/vendor_file.py` has the weather.
WATER = """
name = "{name}"
base_url = "{url}/v1"
tenant = "hydro"
every_minutes = 5
requests_per_minute = 6000
[auth]
kind = "key"
header = "X-Api-Key"
[devices]
"17" = {{ device = "{name}-meter", site = "plant" }}
[resources.flows]
path = "/flows"
[resources.flows.window]
from_parameter = "since"
to_parameter = "until"
format = "epoch-s"
minutes = 30
settle_minutes = 0
start = {start}
[resources.flows.paging]
kind = "page"
parameter = "page"
size_parameter = "per_page"
size = 5
[resources.flows.mapping]
items = ""
device = "/sensor"
ts = "/t"
ts_format = "epoch-s"
seq = "/n"
[resources.flows.mapping.metrics]
flow_rate = {{ at = "/flow", unit = "L/min" }}
[resources.levels]
path = "/levels"
[resources.levels.window]
from_parameter = "since"
to_parameter = "until"
format = "epoch-s"
minutes = 60
settle_minutes = 0
start = {start}
[resources.levels.paging]
kind = "link"
size_parameter = "per_page"
size = 5
total = "/count"
[resources.levels.mapping]
items = "/rows"
device = "/sensor"
ts = "/t"
ts_format = "epoch-s"
[resources.levels.mapping.metrics]
pressure = {{ at = "/hpa", unit = "hPa" }}
"""
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


def vendor_of(folder: Path, form: str, url: str, start: str, name: str = "weather") -> Vendor:
    """The vendor of a file made from a form, WATER or WEATHER; `start` is a time as TOML writes it."""
    file = folder / f"{name}.toml"
    file.write_text(form.format(name=name, url=url, start=start))
    return read_vendor(file)


def weather(begin_ms: int, hours: int, a_minute_apart: int = 6) -> list[Observation]:
    """Two stations' observations in Fahrenheit, so many minutes apart."""
    return [
        Observation(f"ST-{1 + n % 2}", begin_ms + n * a_minute_apart * MINUTE_MS, n, {"temp_f": 50.0 + n, "rh": 40.5})
        for n in range(hours * 60 // a_minute_apart)
    ]


def water(begin_ms: int, hours: int) -> list[Observation]:
    """One meter's flows and pressures, four minutes apart."""
    return [
        Observation("17", begin_ms + n * 4 * MINUTE_MS, n, {"flow": 1.5 * n, "hpa": 1000.0 + n})
        for n in range(hours * 15)
    ]


class KilledError(BaseException):
    """The end of a process: nothing catches it."""


When = Literal["before", "after"]


@dataclass
class Calls:
    """Every call that leaves the process, counted; the process ends at one of them, before or after it was made."""

    end_at: int | None = None
    when: When = "before"
    made: list[str] = field(default_factory=list)

    def counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """A call that counts, and that may be the last."""

        def called(*args: Any, **named: Any) -> Any:
            self.made.append(name)
            is_last = self.end_at == len(self.made) - 1
            if is_last and self.when == "before":
                raise KilledError
            answer = call(*args, **named)
            if is_last:
                raise KilledError
            return answer

        return called


class CountedClient:
    """A client of AWS whose methods count."""

    def __init__(self, client: Any, calls: Calls) -> None:
        self._client, self._calls = client, calls

    def __getattr__(self, name: str) -> Any:
        return self._calls.counted(name, getattr(self._client, name))


@dataclass
class SetClock:
    """A clock that stands until it is moved; waiting moves it."""

    at: float
    waited: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        """As the puller wants it."""
        return Clock(lambda: self.at, self._wait)

    def _wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += seconds


@dataclass
class Place:
    """Where a puller works."""

    dynamodb: Any
    table: str
    s3: Any
    bucket: str

    def puller(self, vendor: Vendor, secret: Mapping[str, str], clock: SetClock, calls: Calls | None = None) -> Puller:
        """A puller as a new process has it."""
        counted = calls or Calls()
        send: Send = counted.counted("http", request)
        client = VendorClient(vendor, secret, send, clock.clock())
        states = PullStates(CountedClient(self.dynamodb, counted), self.table)
        objects = PulledObjects(CountedClient(self.s3, counted), self.bucket)
        return Puller(vendor, client, states, objects, clock.clock())


def make_table(dynamodb: Any, name: str) -> None:
    """The table of the states, as the stack has it."""
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
