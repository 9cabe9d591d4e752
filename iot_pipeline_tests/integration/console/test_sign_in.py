"""Signing in by the form of the local AWS's Cognito, to the console as it is deployed: a process of its own."""

import pytest

from iot_pipeline_tests.support.console import RunningConsole, walk_in

USERS = {
    "admin": ("admin", None),
    "operator": ("operator", None),
    "analyst": ("analyst", None),
    "tenant-acme": ("tenant", "acme"),
    "tenant-globex": ("tenant", "globex"),
}


@pytest.mark.parametrize("user", USERS)
def test_each_signs_in_as_who_they_are(console: RunningConsole, user: str) -> None:
    me = console.signed_in(user).get("/api/me").json()
    assert (me["name"], me["role"], me["tenant"]) == (user, *USERS[user])


def test_a_wrong_password_signs_nobody_in(console: RunningConsole) -> None:
    browser = console.browser()
    with pytest.raises(AssertionError, match="Incorrect username or password"):
        walk_in(browser, "admin", "not it")
    assert browser.get("/api/me").status_code == 401


def test_signing_out_ends_the_session_at_once_here_and_at_the_provider(console: RunningConsole) -> None:
    browser = console.signed_in("analyst")
    cookie = browser.cookies["session"]
    answer = browser.post("/logout").raise_for_status().json()
    assert browser.get("/api/me").status_code == 401
    other = console.browser()
    other.cookies["session"] = cookie
    assert other.get("/api/me").status_code == 401
    provider = other.get(answer["next"])
    assert (provider.status_code, provider.headers["location"]) == (302, f"{console.url}/signed-out")
    assert browser.get("/signed-out").status_code == 200
