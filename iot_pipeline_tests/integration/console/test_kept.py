"""Sessions and keys in the real table: hashed, ended by time, by a change of role, and at sign-in."""

import os
import time
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from infra.local.session.platform import Platform
from iot_pipeline.console.audit import Audit
from iot_pipeline.console.identity import sessions
from iot_pipeline.console.identity.api_keys import ApiKeys
from iot_pipeline.console.identity.known import Known
from iot_pipeline.console.identity.people import Person
from iot_pipeline.console.identity.sessions import Sessions
from iot_pipeline.console.store import Store
from iot_pipeline.console.viewer import Role
from iot_pipeline_tests.support.console import RunningConsole, come_back, walk_in

ADA = Person("ada-1", "ada", Role.OPERATOR, None)


@pytest.fixture
def store(platform: Platform) -> Store:
    return Store(boto3.client("dynamodb"), os.environ["IOT_CONSOLE_TABLE"])


@pytest.fixture
def known(store: Store) -> Known:
    made = Known(store)
    made.remember(ADA)
    return made


def test_a_session_is_known_by_other_processes_too(store: Store, known: Known) -> None:
    session_id = Sessions(store, known).begin(ADA)
    assert Sessions(store, Known(store)).person(session_id) == ADA
    assert Sessions(store, known).person(session_id[:-1] + "!") is None
    assert Sessions(store, known).person("x" * 43) is None


@pytest.mark.parametrize("bound", ["IDLE_SECONDS", "ABSOLUTE_SECONDS"])
def test_a_session_ends_by_time(store: Store, known: Known, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Sessions(store, known)
    session_id = kept.begin(ADA)
    assert kept.person(session_id) == ADA
    monkeypatch.setattr(sessions, bound, 0)
    assert kept.person(session_id) is None


def test_use_is_written_down(store: Store, known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    kept = Sessions(store, known)
    session_id = kept.begin(ADA)
    monkeypatch.setattr(time, "time", lambda: now + sessions.IDLE_SECONDS - 1)
    assert kept.person(session_id) == ADA
    monkeypatch.setattr(time, "time", lambda: now + sessions.IDLE_SECONDS + 1)
    assert Sessions(store, known).person(session_id) == ADA


def test_another_role_ends_sessions_and_keys_of_the_former(store: Store, known: Known) -> None:
    kept, keys = Sessions(store, known), ApiKeys(store, known)
    session_id, (_, text) = kept.begin(ADA), keys.make(ADA, "script", ["me:read"], 1)
    assert keys.presented(text) is not None
    known.remember(Person(ADA.subject, ADA.name, Role.TENANT, "acme"))
    assert kept.person(session_id) is None
    assert keys.presented(text) is None


def test_a_key_ends_by_time(store: Store, known: Known) -> None:
    keys = ApiKeys(store, known)
    key, text = keys.make(ADA, "script", ["me:read"], 0)
    assert keys.presented(text) is None
    assert keys.find(key.id) is None
    assert key.id not in {each.id for each in keys.all()}


def test_neither_ids_nor_keys_are_in_the_table(store: Store, known: Known) -> None:
    session_id = Sessions(store, known).begin(ADA)
    _, text = ApiKeys(store, known).make(ADA, "script", ["me:read"], 1)
    dynamodb: Any = boto3.client("dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(TableName=os.environ["IOT_CONSOLE_TABLE"])
    table = "".join(str(page["Items"]) for page in pages)
    assert ADA.subject in table
    assert session_id not in table
    assert text.rpartition("_")[2] not in table


def test_each_sign_in_has_an_id_of_its_own_and_ends_the_one_before(console: RunningConsole) -> None:
    browser = console.browser()
    browser.cookies.set("session", "chosen-by-an-attacker-chosen-by-an-attacker", domain="127.0.0.1")
    walk_in(browser, "analyst", console.passwords["analyst"])
    first = _session(browser)
    assert first != "chosen-by-an-attacker-chosen-by-an-attacker"
    walk_in(browser, "analyst", console.passwords["analyst"])
    assert _session(browser) != first
    other = console.browser()
    other.cookies["session"] = first
    assert other.get("/api/me").status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(console: RunningConsole) -> None:
    browser = console.browser()
    back = walk_in(browser, "analyst", console.passwords["analyst"], "/api/me")
    assert back.headers["location"] == "/api/me"
    (cookie,) = (each for each in back.headers.get_list("set-cookie") if each.startswith("session="))
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"httponly", "path=/", "samesite=lax"}


def test_an_answer_of_the_provider_counts_once_and_for_its_own_browser(console: RunningConsole) -> None:
    browser, victim = console.browser(), console.browser()
    address = come_back(browser, "analyst", console.passwords["analyst"])
    assert victim.get(address).status_code == 400
    victim.get("/login")
    assert "another sign-in" in victim.get(address).text
    assert browser.get(address).status_code == 303
    assert browser.get(address).status_code == 400


def test_sign_ins_and_keys_are_audited(console: RunningConsole, store: Store) -> None:
    browser = console.signed_in("operator")
    key = browser.post("/api/keys", json={"name": "n", "scopes": ["me:read"]}).json()["id"]
    browser.delete(f"/api/keys/{key}")
    browser.post("/logout")
    entries = [(each["who"], each["action"], each["subject"]) for each in Audit(store).of_day(datetime.now(UTC).date())]
    assert [action for who, action, _ in entries if who == "operator"][:4] == [
        "sign_out",
        "revoke_key",
        "make_key",
        "sign_in",
    ]
    assert {("operator", "make_key", key), ("operator", "revoke_key", key)} <= set(entries)


def _session(browser: Any) -> str:
    (value,) = {each.value for each in browser.cookies.jar if each.name == "session"}
    return str(value)
