"""The environment: read once, typed; what is missing or wrong is named."""

from datetime import timedelta

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from iot_pipeline import settings
from iot_pipeline.settings import GROUPS, Deployment, Login, Policy, Registry, Warehouse, variable, wrong

REQUIRED = {
    "IOT_LAKE_BUCKET": "lake",
    "IOT_RAW_QUEUE_URL": "https://sqs/queue",
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for group in GROUPS:
        for name in group.model_fields:
            monkeypatch.delenv(variable(group, name), raising=False)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)


def test_a_deployment_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOT_ATHENA_WORKGROUP", "builds")
    deployment = Deployment()
    assert (deployment.lake_bucket, deployment.athena_workgroup) == ("lake", "builds")
    assert deployment.glue_database == "telemetry"


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ValidationError) as raised:
        Deployment()
    assert name.lower().removeprefix("iot_") in str(raised.value).lower()
    assert "Field required" in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("IOT_LATENESS_DAYS", "-1", "greater than 0"),
        ("IOT_LATENESS_DAYS", "a month", "valid number"),
        ("IOT_BUILD_INTERVAL_MINUTES", "0", "greater than or equal to 1"),
        ("IOT_PARTITIONS_START", "2026-01-01T00:00:00", "timezone"),
        ("IOT_RETAINED_VERSIONS_HOURS", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_policy_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as raised:
        Policy()
    assert name.lower().removeprefix("iot_") in str(raised.value)
    assert message in str(raised.value)


def test_the_bounds_reach_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOT_LATENESS_DAYS", "5000")
    monkeypatch.setenv("IOT_FUTURE_HOURS", "0.5")
    contract = Policy().contract
    assert (contract.lateness_bound, contract.future_bound) == (timedelta(days=5000), timedelta(minutes=30))


def test_every_group_is_listed() -> None:
    """The documentation's table, the tests' clean environment and the commands' errors follow this list."""
    classes = {value for value in vars(settings).values() if isinstance(value, type)}
    defined = {found for found in classes if issubclass(found, BaseSettings)}
    assert defined - {BaseSettings, Login} == set(GROUPS)


LOGINS: list[tuple[type[Registry | Warehouse], dict[str, str]]] = [
    (Registry, {"HOST": "db", "SSLMODE": "disable"}),
    (Warehouse, {"HOST": "db", "COPY_ROLE_ARN": "arn:role"}),
]


def _refusal(group: type[BaseSettings], monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    for name, value in values.items():
        monkeypatch.setenv(variable(group, name), value)
    with pytest.raises(ValidationError) as raised:
        group()
    return wrong(raised.value)


@pytest.mark.parametrize(("group", "values"), LOGINS)
def test_one_way_to_sign_in_is_enough(
    group: type[Registry | Warehouse], values: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = f"set exactly one of {variable(group, 'password')} and {variable(group, 'secret_arn')}"
    assert _refusal(group, monkeypatch, **values, PASSWORD="") == f"{both}; neither is set"
    assert _refusal(group, monkeypatch, **values, PASSWORD="x", SECRET_ARN="arn:x") == f"{both}; both are set"
    monkeypatch.delenv(variable(group, "password"))
    found = group()
    assert (found.password, found.secret_arn) == (None, "arn:x")
    named = f"unset {variable(group, 'user')}: the secret of {variable(group, 'secret_arn')} names the user"
    assert _refusal(group, monkeypatch, USER="somebody") == named


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_registry_is_verified_against_named_authorities(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = _refusal(Registry, monkeypatch, HOST="db", PASSWORD="x", SSLMODE=mode)
    assert "set IOT_REGISTRY_SSLROOTCERT to the file with the server's certificate authorities" in told
    assert told.endswith(f"IOT_REGISTRY_SSLMODE is {mode}")
    for authorities in ("/rds.pem", "system"):
        monkeypatch.setenv("IOT_REGISTRY_SSLROOTCERT", authorities)
        assert Registry().sslrootcert == authorities


def test_all_that_is_wrong_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _refusal(Registry, monkeypatch, PORT="many", SSLMODE="perhaps")
    assert [part.split(" ")[0] for part in told.split("), ")] == [
        "IOT_REGISTRY_HOST",
        "IOT_REGISTRY_PORT",
        "IOT_REGISTRY_SSLMODE",
    ]


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOT_REGISTRY_HOST", "db")
    monkeypatch.setenv("IOT_REGISTRY_SSLMODE", "disable")
    monkeypatch.setenv("IOT_REGISTRY_PASSWORD", "hunter2")
    assert "hunter2" not in repr(Registry())
    monkeypatch.setenv("IOT_REGISTRY_SSLMODE", "verify-full")
    with pytest.raises(ValidationError) as raised:
        Registry()
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://login.example.com/pool", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost:8080", True),
        ("http://192.0.2.1", False),
        ("http://no-such-host.invalid", False),
        ("ftp://127.0.0.1", False),
        ("https://", False),
        ("127.0.0.1", False),
    ],
)
def test_what_is_sent_in_the_clear_stays_on_the_machine(url: str, private: bool) -> None:
    assert settings.is_private(url) is private
