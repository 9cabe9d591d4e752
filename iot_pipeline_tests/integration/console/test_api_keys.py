"""API keys from their making to their end."""

from iot_pipeline_tests.support.console import RunningConsole

WANTED: dict[str, object] = {"name": "nightly report", "scopes": ["me:read"], "days": 7}


def test_a_key_is_shown_once_and_works_until_it_is_revoked(console: RunningConsole) -> None:
    owner, script = console.signed_in("tenant-acme"), console.browser()
    made = owner.post("/api/keys", json=WANTED)
    assert made.status_code == 201
    key = made.json()
    assert key["key"].startswith(f"iotk_{key['id']}_")
    script.headers["Authorization"] = f"Bearer {key['key']}"
    me = script.get("/api/me").json()
    assert (me["name"], me["role"], me["tenant"]) == ("tenant-acme", "tenant", "acme")
    assert (me["api_key"], me["scopes"]) == (key["id"], ["me:read"])
    listed = {each["id"]: each for each in owner.get("/api/keys").json()}
    assert listed[key["id"]] == {name: value for name, value in key.items() if name != "key"}
    assert owner.delete(f"/api/keys/{key['id']}").status_code == 204
    assert script.get("/api/me").json()["type"] == "api_key"


def test_an_administrator_sees_and_revokes_all_and_others_their_own(console: RunningConsole) -> None:
    owner, other, admin = (console.signed_in(user) for user in ("tenant-acme", "tenant-globex", "admin"))
    key = owner.post("/api/keys", json=WANTED).json()["id"]
    assert key not in {each["id"] for each in other.get("/api/keys").json()}
    assert other.delete(f"/api/keys/{key}").status_code == 404
    assert key in {each["id"] for each in admin.get("/api/keys").json()}
    assert admin.delete(f"/api/keys/{key}").status_code == 204
    assert owner.delete(f"/api/keys/{key}").status_code == 404


def test_what_no_key_can_be_is_refused_by_name(console: RunningConsole) -> None:
    owner = console.signed_in("analyst")
    refused = owner.post("/api/keys", json=WANTED | {"scopes": ["me:read", "everything"]})
    assert (refused.status_code, refused.json()["type"]) == (422, "scope")
    assert refused.json()["detail"].startswith("everything: no scope that analyst may give")
    wrongs: tuple[dict[str, object], ...] = (
        {"days": 0},
        {"days": 366},
        {"scopes": []},
        {"name": ""},
        {"role": "admin"},
    )
    for wrong in wrongs:
        answer = owner.post("/api/keys", json=WANTED | wrong)
        assert (answer.status_code, answer.json()["type"]) == (422, "invalid_request"), wrong


def test_a_key_that_is_nearly_right_is_none(console: RunningConsole) -> None:
    text = console.signed_in("analyst").post("/api/keys", json=WANTED).json()["key"]
    script = console.browser()
    last = "A" if text[-1] != "A" else "B"
    wrong = [
        text[:-1] + last,
        text[:-1],
        text + "A",
        text.upper(),
        text.replace("_", "-"),
        "iotk__",
        "iotk",
        "x" * 9000,
    ]
    for presented in [*(f"Bearer {each}" for each in wrong), text, f"Basic {text}", "Bearer", ""]:
        answer = script.get("/api/me", headers={"Authorization": presented})
        assert answer.status_code == 401, presented
