"""Clients that mean no good, against the console's real process: refused, and the service goes on."""

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
import pytest

from infra.local.servers.loopback import free_port
from infra.local.session.console import LocalConsole, launch_console
from infra.local.session.platform import Platform
from iot_pipeline_tests.support.console import RunningConsole
from iot_pipeline_tests.support.oidc_provider import CLIENT, OidcProvider, forgeries, oidc_provider

MIB = 1024 * 1024
# Limits for what must not grow without one; they are far from what is measured.
GROWTH = 150 * MIB
WAIT_SECONDS = 120


@pytest.fixture(autouse=True)
def _alive_and_bounded(console: RunningConsole) -> Iterator[None]:
    """The service answers after each of these as before, and has not grown much."""
    process = psutil.Process(console.server.pid)
    before = process.memory_info().rss
    yield
    assert console.browser().get("/healthz").json() == {"status": "ok"}
    assert console.signed_in("analyst").get("/api/me").status_code == 200
    grown = process.memory_info().rss - before
    print(f"grown by {grown / MIB:.1f} MiB")
    assert grown < GROWTH


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(console: RunningConsole) -> socket.socket:
    parts = urlsplit(console.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=WAIT_SECONDS)


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /api/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["silent", "half a head", "half a body"],
)
def test_a_thousand_connections_that_say_too_little_are_closed(console: RunningConsole, sent: bytes) -> None:
    with ExitStack() as stack:
        opened = [stack.enter_context(connect(console)) for _ in range(1000)]
        for connection in opened:
            connection.sendall(sent)
        assert console.browser().get("/healthz").status_code == 200, "others are served meanwhile"
        for connection in opened:
            while connection.recv(4096):
                pass


def test_a_head_without_an_end_is_refused(console: RunningConsole) -> None:
    with connect(console) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 65536)
        assert connection.recv(4096).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("declared", [True, False])
def test_bodies_of_ten_megabytes_are_refused(console: RunningConsole, declared: bool) -> None:
    body = b"x" * (10 * MIB)
    for _ in range(20):
        content = body if declared else (body[i : i + 65536] for i in range(0, len(body), 65536))
        with console.browser() as browser:
            try:
                answer = browser.post("/api/keys", content=content, headers={"Content-Type": "application/json"})
            except httpx.WriteError:
                continue  # closed while the rest was being sent
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


COOKIES = [
    "",
    "x",
    "x" * 8000,
    "../../../etc/passwd",
    "' OR 1=1 --",
    "A" * 43,
    "A" * 42 + "=",
    "%00" * 14 + "A",
    '"; session="',
    "\xe9" * 43,
    "{}",
]


@pytest.mark.parametrize("name", ["session", "sign-in", "__Host-session"])
def test_bad_cookies_sign_nobody_in(console: RunningConsole, name: str) -> None:
    with console.browser() as browser:
        for value in COOKIES:
            headers = {b"Cookie": f"{name}={value}".encode("latin-1")}
            assert browser.get("/api/me", headers=headers).status_code == 401
            assert browser.get("/callback?code=x&state=y", headers=headers).status_code == 400


def test_every_answer_tells_browsers_what_not_to_do(console: RunningConsole) -> None:
    with console.browser() as browser:
        for path in ("/healthz", "/login", "/callback", "/signed-out", "/api/me", "/nowhere"):
            headers = browser.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'self'" in policy, path
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy, path
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["cache-control"] == "no-store", path
            assert "server" not in headers, path


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with oidc_provider() as running:
        yield running


@pytest.fixture
def own_console(platform: Platform, provider: OidcProvider, tmp_path: Path) -> Iterator[LocalConsole]:
    """A console whose provider is the test's."""
    ours = {"IOT_CONSOLE_ISSUER": provider.url, "IOT_CONSOLE_CLIENT_ID": CLIENT, "IOT_CONSOLE_DISCOVERY_URL": ""}
    server = launch_console(tmp_path, f"http://127.0.0.1:{free_port()}", {**os.environ, **ours})
    yield server
    server.stop()


def test_forged_tokens_sign_nobody_in_and_do_as_keys_neither(own_console: LocalConsole, provider: OidcProvider) -> None:
    with httpx.Client(base_url=own_console.url) as browser:

        def come_back() -> httpx.Response:
            sent = parse_qs(urlsplit(browser.get("/login").headers["location"]).query)
            assert sent["code_challenge_method"] == ["S256"]
            provider.nonce = sent["nonce"][0]
            return browser.get("/callback", params={"code": "any", "state": sent["state"][0]})

        for what, forge in forgeries(provider).items():
            provider.token = forge
            answer = come_back()
            assert answer.status_code in {400, 502}, what
            assert "session" not in browser.cookies, what
            presented = {"Authorization": f"Bearer {forge()}".strip()}
            # The longest is too long for a head.
            assert browser.get("/api/me", headers=presented).status_code in {400, 401}, what
        provider.token = provider.honest
        assert come_back().status_code == 303
        assert browser.get("/api/me").json()["role"] == "analyst"
        assert provider.forms[-1].keys() >= {"code", "code_verifier", "redirect_uri", "client_id"}


def test_a_refusal_of_the_provider_is_shown_and_escaped(own_console: LocalConsole, provider: OidcProvider) -> None:
    with httpx.Client(base_url=own_console.url) as browser:
        state = parse_qs(urlsplit(browser.get("/login").headers["location"]).query)["state"][0]
        told = {"error": "access_denied", "error_description": "<script>alert(1)</script>", "state": state}
        answer = browser.get("/callback", params=told)
    assert answer.status_code == 400
    assert "access_denied" in answer.text
    assert "<script>" not in answer.text


def test_groups_that_are_no_single_role_are_refused_by_name(own_console: LocalConsole, provider: OidcProvider) -> None:
    with httpx.Client(base_url=own_console.url) as browser:
        sent = parse_qs(urlsplit(browser.get("/login").headers["location"]).query)
        provider.nonce = sent["nonce"][0]
        provider.token = lambda: provider.honest(**{"cognito:groups": ["admin", "tenant:acme"]})
        answer = browser.get("/callback", params={"code": "any", "state": sent["state"][0]})
    assert answer.status_code == 403
    assert "admin, tenant:acme" in answer.text


def test_it_stops_in_order_with_a_request_half_sent(own_console: LocalConsole) -> None:
    parts = urlsplit(own_console.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        connection.sendall(b"POST /api/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        own_console.stop()
    assert own_console.process.returncode == 0, own_console.log_file.read_text()


def test_what_is_missing_in_the_environment_is_named(platform: Platform, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IOT_CONSOLE_")}
    run = subprocess.run(
        [sys.executable, "-m", "iot_pipeline.console"], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    for name in ("IOT_CONSOLE_URL", "IOT_CONSOLE_ISSUER", "IOT_CONSOLE_CLIENT_ID"):
        assert name in run.stderr
