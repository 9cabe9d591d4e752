"""The console as on AWS: behind what ends TLS, at an address of https, a confidential client of its provider."""

import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest

from infra.local.servers.local_server import LocalServer, answers, launch
from infra.local.servers.loopback import HOST, free_port
from infra.local.session.platform import Platform
from iot_pipeline.settings import Console, variable
from iot_pipeline_tests.support.emulator import unique
from iot_pipeline_tests.support.oidc_provider import CLIENT, OidcProvider, oidc_provider
from iot_pipeline_tests.support.tls import make_certificate, serve_tls, write_pem

SECRET = "s3cret:with/odd characters%"


@dataclass
class SecureConsole:
    """A console at an address of https, and whom it asks."""

    url: str
    plain_url: str
    provider: OidcProvider
    trusted: ssl.SSLContext

    def browser(self) -> httpx.Client:
        """A client that has not signed in, and follows no redirect by itself."""
        return httpx.Client(base_url=self.url, verify=self.trusted, timeout=60)

    def signed_in(self, browser: httpx.Client) -> httpx.Response:
        """The answer to the browser that comes back from the provider."""
        asked = parse_qs(urlsplit(browser.get("/login").headers["location"]).query)
        assert asked["redirect_uri"] == [f"{self.url}/callback"]
        (self.provider.nonce,), (state,) = asked["nonce"], asked["state"]
        return browser.get("/callback", params={"code": "any", "state": state})


@pytest.fixture(scope="module")
def secure(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureConsole]:
    """Such a console, once for this module."""
    folder = tmp_path_factory.mktemp("https")
    stored = boto3.client("secretsmanager").create_secret(Name=unique("console-client"), SecretString=SECRET)
    with oidc_provider() as provider, _tls(folder) as (listening, context, trusted):
        provider.secret = SECRET
        port, url = free_port(), f"https://{HOST}:{listening.getsockname()[1]}"
        own = {
            "url": url,
            "host": HOST,
            "port": str(port),
            "issuer": provider.url,
            "discovery_url": "",
            "client_id": CLIENT,
            "user_pool": "",
            "client_secret_arn": stored["ARN"],
        }
        environment = {**platform.environment, **{variable(Console, name): value for name, value in own.items()}}
        log = folder / "console.log"
        process = launch([sys.executable, "-m", "iot_pipeline.console"], log, folder, environment)
        server = LocalServer("the console", process, log)
        try:
            server.start(lambda: answers(f"http://{HOST}:{port}/healthz"))
            arguments = (listening, context, port)
            threading.Thread(target=serve_tls, args=arguments, kwargs={"is_postgres": False}, daemon=True).start()
            yield SecureConsole(url, f"http://{HOST}:{port}", provider, trusted)
        finally:
            server.stop()


@contextmanager
def _tls(folder: Path) -> Iterator[tuple[socket.socket, ssl.SSLContext, ssl.SSLContext]]:
    authority, authority_key = make_certificate("authority", None)
    certificate, key = make_certificate("console", (authority.subject, authority_key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(write_pem(folder / "console.pem", certificate, key))
    trusted = ssl.create_default_context(cafile=str(write_pem(folder / "authority.pem", authority)))
    with socket.create_server((HOST, 0)) as listening:
        yield listening, context, trusted


def test_a_confidential_client_signs_people_in_by_cookies_for_https_alone(secure: SecureConsole) -> None:
    with secure.browser() as browser:
        answer = secure.signed_in(browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), answer.text
        # The verifier of PKCE is sent beside the secret, which stands in no form.
        form = secure.provider.forms[-1]
        assert form["code_verifier"]
        assert SECRET not in form.values()
        session, sign_in = answer.headers.get_list("set-cookie")
        assert session.startswith("__Host-session=")
        assert sign_in.startswith("__Host-sign-in=")
        for cookie in (session, sign_in):
            attributes = {each.strip().lower() for each in cookie.split(";")[1:]}
            # RFC 6265bis, "The __Host- Prefix": secure, for the whole host, and for no other.
            assert attributes >= {"secure", "httponly", "samesite=lax", "path=/"}
            assert not any(each.startswith("domain") for each in attributes)
        assert browser.get("/api/me").json()["role"] == "analyst"


def test_a_session_under_another_name_is_none(secure: SecureConsole) -> None:
    with secure.browser() as browser, secure.browser() as other:
        secure.signed_in(browser)
        session = browser.cookies["__Host-session"]
        other.cookies.set("session", session)
        assert other.get("/api/me").status_code == 401
        other.cookies.set("__Host-session", session)
        assert other.get("/api/me").status_code == 200


@pytest.mark.parametrize("origin", ["plain", "null", "https://evil.example", None])
def test_a_change_comes_from_a_page_of_the_https_address_alone(secure: SecureConsole, origin: str | None) -> None:
    with secure.browser() as browser:
        secure.signed_in(browser)
        token = {"X-CSRF-Token": browser.get("/api/me").json()["csrf_token"]}
        sent = secure.plain_url if origin == "plain" else origin
        headers = token if sent is None else {**token, "Origin": sent}
        assert browser.post("/logout", headers=headers).status_code == 403
        assert browser.post("/logout", headers={**token, "Origin": secure.url}).status_code == 200
        assert browser.get("/api/me").status_code == 401


def test_a_secret_that_the_provider_does_not_know_signs_nobody_in(secure: SecureConsole) -> None:
    secure.provider.secret = "rotated"
    try:
        with secure.browser() as browser:
            answer = secure.signed_in(browser)
            assert answer.status_code == 502
            assert "invalid_client" in answer.text
            assert SECRET not in answer.text
            assert browser.get("/api/me").status_code == 401
    finally:
        secure.provider.secret = SECRET
