"""Which requests Dagster's webserver is kept from answering: those of web pages that it does not serve itself."""

from typing import Any

import pytest

from iot_pipeline.webserver import refused

HOST = "127.0.0.1:3000"
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}


def why(
    method: str = "POST", path: str = "/graphql", kind: str = "http", own: str | None = None, **fields: str
) -> str | None:
    sent = {"host": HOST} | {name.replace("_", "-"): value for name, value in fields.items()}
    headers = [(name.encode(), value.encode()) for name, value in sent.items()]
    scope: dict[str, Any] = {"type": kind, "path": path, "headers": headers}
    return refused(scope | ({"method": method} if kind == "http" else {}), own)


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "fields",
    [{}, {"origin": f"http://{HOST}", "sec_fetch_site": "same-origin"}, {"host": "10.0.1.7:3000"}],
    ids=["a program", "its own page", "a health check by address"],
)
def test_programs_and_its_own_pages_are_served(kind: str, fields: dict[str, str]) -> None:
    assert why(kind=kind, **fields) is None


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "fields",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8080"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:3000"},
        {"host": "localhost.evil.example"},
        {"host": ""},
        {"host": "[::1"},
        {"host": "evil.example", "origin": "http://evil.example", "sec_fetch_site": "same-origin"},
    ],
)
def test_other_pages_and_rebound_names_are_refused(kind: str, fields: dict[str, str]) -> None:
    assert why(kind=kind, **fields) is not None


def test_its_own_name_is_served_where_it_has_one() -> None:
    page = {"host": "dagster.example.com", "origin": "https://dagster.example.com", "sec_fetch_site": "same-origin"}
    assert why(own="dagster.example.com", **page) is None
    assert "set IOT_DAGSTER_URL" in str(why(own="other.example.com", **page))
    assert why(own="dagster.example.com", **page | {"origin": "https://evil.example"}) is not None


def test_a_link_may_be_followed_and_no_form_be_sent() -> None:
    assert why("GET", "/runs/1", **LINK) is None
    assert why("POST", "/graphql", **LINK) is not None
    assert why("POST", "/report_asset_materialization/raw", **LINK) is not None


def test_an_address_runs_no_query() -> None:
    assert "by POST" in str(why("GET", accept="image/*"))
    assert "by POST" in str(why("GET"))
    assert why("GET", accept="text/html") is None, "the page by which people write queries"
    assert why("GET", "/static/1.js") is None
