"""The console as a process of its own, and browsers without a screen that sign in by its provider's form."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urljoin

import boto3
import httpx

from infra.local.session.console import LocalConsole
from iot_pipeline.settings import edge
from iot_pipeline_tests.support.edge import line, reading
from iot_pipeline_tests.support.emulator import unique

TENANTS = ("acme", "globex")


@dataclass
class RunningConsole:
    """A console that runs, and the passwords of its users: a user for each role, and `tenant-<id>` for each tenant."""

    start: Callable[[], LocalConsole]
    passwords: dict[str, str]
    server: LocalConsole = field(init=False)
    _open: list[httpx.Client] = field(default_factory=list)

    def __post_init__(self) -> None:
        """It runs from now on."""
        self.server = self.start()

    @property
    def url(self) -> str:
        """Where browsers find it."""
        return self.server.url

    def restart(self) -> None:
        """Stop the process and start another one at the same address."""
        self.server.stop()
        self.server = self.start()

    def browser(self) -> httpx.Client:
        """A client with cookies of its own, that has not signed in; it follows no redirect by itself."""
        client = httpx.Client(base_url=self.url, timeout=60)
        self._open.append(client)
        return client

    def signed_in(self, user: str) -> httpx.Client:
        """A client that has signed in by the form, and sends with its changes what a page of the console sends."""
        client = self.browser()
        arrived = walk_in(client, user, self.passwords[user])
        assert arrived.status_code == 303, arrived.text
        token = client.get("/api/me").raise_for_status().json()["csrf_token"]
        client.headers.update({"X-CSRF-Token": token, "Origin": self.url})
        return client

    def close(self) -> None:
        """Close the clients, and stop the process."""
        for client in self._open:
            client.close()
        self.server.stop()


def walk_in(client: httpx.Client, user: str, password: str, back: str = "/") -> httpx.Response:
    """Sign in as a person does; the console's answer to the browser that comes back from the provider."""
    return client.get(come_back(client, user, password, back))


def come_back(client: httpx.Client, user: str, password: str, back: str = "/") -> str:
    """Sign in as a person does; the address to which the provider sends the browser back, not yet followed."""
    form_page = client.get(client.get("/login", params={"next": back}).headers["location"])
    fields = dict(_INPUT.findall(form_page.text)) | {"username": user, "password": password}
    action = _ACTION.search(form_page.text)
    assert action, form_page.text
    sent = client.post(
        urljoin(str(form_page.url), unescape(action[1])),
        data={name: unescape(value) for name, value in fields.items()},
        headers={"Origin": f"{form_page.url.scheme}://{form_page.url.netloc.decode()}"},
    )
    assert sent.status_code == 302, sent.text
    return sent.headers["location"]


_INPUT = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')
_ACTION = re.compile(r'<form method="POST" action="([^"]*)"')


class Sensor:
    """A device, from the stream on: what it sends stands there as the IoT rule would put it."""

    def __init__(self, tenant: str = "acme", site: str = "berlin") -> None:
        self.name, self.tenant, self.site = unique("sensor"), tenant, site
        self._kinesis: Any = boto3.client("kinesis")
        self._seq = 0

    def send(self, ahead_seconds: float = 0, **values: float) -> None:
        """A reading of now, or as if it came so much later."""
        self._seq += 1
        now = int((time.time() + ahead_seconds) * 1000)
        data = line([reading(now, self._seq, **values)], now, device=self.name, tenant=self.tenant, site=self.site)
        self._kinesis.put_record(StreamName=edge().stream, Data=data, PartitionKey=self.name)
