"""The registry is opened with a secret that is rotated, and over TLS that is verified."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError
from typer.testing import CliRunner

from infra.local.postgres.process import Postgres
from iot_pipeline import settings
from iot_pipeline.connections import credentials, rotation
from iot_pipeline.connections.registry import connect, open_registry
from iot_pipeline.registry.commands import app
from iot_pipeline.registry.migrations import versions
from iot_pipeline.registry.users import READER, WRITER, set_password
from iot_pipeline_tests.support.aws_environment import configured
from iot_pipeline_tests.support.emulator import LocalAws
from iot_pipeline_tests.support.secrets import Secret
from iot_pipeline_tests.support.tls import make_certificate, serve_tls, write_pem

VERSIONS = Path(versions.__file__).parent


@pytest.fixture
def environment(registry_server: Postgres, local_aws: LocalAws) -> Iterator[pytest.MonkeyPatch]:
    """The variables of the registry without any by which to sign in, and those of the local AWS."""
    values = {
        "IOT_REGISTRY_HOST": "127.0.0.1",
        "IOT_REGISTRY_PORT": str(registry_server.port),
        "IOT_REGISTRY_SSLMODE": "disable",
    }
    with configured(settings.Registry, values, local_aws.emulator.environment) as patch:
        yield patch


@pytest.fixture
def alter(registry_server: Postgres) -> Iterator[Callable[[str], None]]:
    """Changes the password of the reader, whom no other test signs in as; afterwards it is the server's again."""

    def altered(password: str) -> None:
        with psycopg.connect(registry_server.dsn("registry")) as admin:
            set_password(admin, READER, password)

    yield altered
    altered(registry_server.password)


@pytest.fixture
def secret(local_aws: LocalAws, environment: pytest.MonkeyPatch, alter: Callable[[str], None]) -> Secret:
    """The secret of the reader, which the environment names."""
    made = Secret.of(local_aws.client("secretsmanager"), READER, "the first password")
    alter("the first password")
    environment.setenv("IOT_REGISTRY_SECRET_ARN", made.arn)
    return made


def who() -> str:
    with open_registry() as connection:
        ((user, zone),) = connection.execute("SELECT current_user, current_setting('timezone')").fetchall()
    assert zone == "UTC"
    return str(user)


def test_a_connection_after_a_rotation_works(secret: Secret, alter: Callable[[str], None]) -> None:
    assert who() == READER, "the secret names the user"
    secret.rotated_by(alter, "the second password")
    assert who() == READER


def test_a_rotation_between_fetching_and_signing_in_is_survived(
    secret: Secret, alter: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    fetch = credentials.of_secret

    def fetch_then_rotate(arn: str) -> credentials.Credentials:
        found = fetch(arn)
        fetched.append(found.password)
        if len(fetched) == 1:
            secret.rotated_by(alter, "the second password")
        return found

    monkeypatch.setattr(credentials, "of_secret", fetch_then_rotate)
    assert who() == READER
    assert fetched == ["the first password", "the second password"]


def test_a_wrong_password_is_refused_at_once(secret: Secret, alter: Callable[[str], None]) -> None:
    alter("what the secret does not know")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect()


@pytest.mark.parametrize("text", ["no JSON hunter2", '"hunter2"', '{"password": "hunter2"}', "[]"])
def test_a_secret_of_another_form_is_named_and_not_shown(secret: Secret, text: str) -> None:
    secret.client.put_secret_value(SecretId=secret.arn, SecretString=text)
    with pytest.raises(credentials.SecretError, match=secret.arn) as raised:
        connect()
    assert "hunter2" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_the_command_line_signs_in_anew_each_time(
    secret: Secret, alter: Callable[[str], None], environment: pytest.MonkeyPatch, registry_server: Postgres
) -> None:
    def run(*arguments: str) -> str:
        settings.forget()
        return CliRunner().invoke(app, arguments).output

    assert run("show", "nothing") == "error: device 'nothing' is not in the registry; onboard it first\n"
    # The administrator gives the reader the password that its secret has by now.
    secret.put("the third password")
    administrator = Secret.of(secret.client, "postgres", registry_server.password)
    environment.setenv("IOT_REGISTRY_SECRET_ARN", administrator.arn)
    newest = max(path.stem[1:5] for path in VERSIONS.glob("r????_*.py"))
    assert f"is at revision {newest}" in run("migrate")
    assert run("password", secret.arn) == f"{READER} signs in with the password of {secret.arn}\n"
    foreign = Secret.of(secret.client, "postgres", "x")
    assert "'postgres' is no user of the registry; there are registry" in run("password", foreign.arn)
    environment.setenv("IOT_REGISTRY_SECRET_ARN", secret.arn)
    settings.forget()
    assert who() == READER


def test_how_to_sign_in_is_said_once(environment: pytest.MonkeyPatch) -> None:
    def refused() -> str:
        settings.forget()
        with pytest.raises(ValidationError) as raised:
            connect()
        return settings.wrong(raised.value)

    both = "set exactly one of IOT_REGISTRY_PASSWORD and IOT_REGISTRY_SECRET_ARN; "
    assert refused() == both + "neither is set"
    environment.setenv("IOT_REGISTRY_PASSWORD", "x")
    environment.setenv("IOT_REGISTRY_SECRET_ARN", "arn:x")
    assert refused() == both + "both are set"
    environment.delenv("IOT_REGISTRY_PASSWORD")
    environment.setenv("IOT_REGISTRY_USER", "somebody")
    assert refused() == "unset IOT_REGISTRY_USER: the secret of IOT_REGISTRY_SECRET_ARN names the user"


@pytest.fixture
def authorities(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The certificate of a private authority, that of another one, and a server's by the first, with its key."""
    ours, key = make_certificate("our authority", None)
    other, _ = make_certificate("another authority", None)
    server, server_key = make_certificate("registry", (ours.subject, key))
    return (
        write_pem(tmp_path / "ours.pem", ours),
        write_pem(tmp_path / "other.pem", other),
        write_pem(tmp_path / "server.pem", server, server_key),
    )


@pytest.fixture
def tls_port(registry_server: Postgres, authorities: tuple[Path, Path, Path]) -> Iterator[int]:
    """A port at which the registry speaks TLS, as Aurora does; PostgreSQL's build here does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authorities[2])
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        threading.Thread(target=serve_tls, args=(listening, context, registry_server.port), daemon=True).start()
        yield listening.getsockname()[1]


def test_the_server_is_verified_against_the_given_authorities(
    environment: pytest.MonkeyPatch, registry_dsn: str, tls_port: int, authorities: tuple[Path, Path, Path]
) -> None:
    ours, other, _ = authorities
    environment.setenv("IOT_REGISTRY_PASSWORD", str(conninfo_to_dict(registry_dsn)["password"]))
    environment.setenv("IOT_REGISTRY_PORT", str(tls_port))
    environment.delenv("IOT_REGISTRY_SSLMODE")
    settings.forget()
    with pytest.raises(
        ValidationError, match=r"set IOT_REGISTRY_SSLROOTCERT to the file .* IOT_REGISTRY_SSLMODE is verify-full"
    ):
        connect()
    environment.setenv("IOT_REGISTRY_SSLROOTCERT", str(other))
    settings.forget()
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect()
    environment.setenv("IOT_REGISTRY_SSLROOTCERT", "system")
    settings.forget()
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect()
    environment.setenv("IOT_REGISTRY_SSLROOTCERT", str(ours))
    settings.forget()
    assert who() == WRITER


def test_the_administrator_rotates_and_an_interrupted_rotation_is_finished(
    secret: Secret, environment: pytest.MonkeyPatch, registry_server: Postgres
) -> None:
    administrator = Secret.of(secret.client, "postgres", registry_server.password)

    def run(*arguments: str) -> str:
        environment.setenv("IOT_REGISTRY_SECRET_ARN", administrator.arn)
        settings.forget()
        output = CliRunner().invoke(app, arguments).output
        environment.setenv("IOT_REGISTRY_SECRET_ARN", secret.arn)
        settings.forget()
        return output

    assert run("rotate", secret.arn) == f"{READER} signs in with the new password of {secret.arn}\n"
    rotated = credentials.of_secret(secret.arn)
    assert rotated.password != "the first password"
    assert who() == READER

    def die_before(_: credentials.Credentials) -> None:
        raise KeyboardInterrupt

    def die_after(found: credentials.Credentials) -> None:
        with psycopg.connect(registry_server.dsn("registry")) as admin:
            set_password(admin, found.user, found.password)
        raise KeyboardInterrupt

    for step in (die_before, die_after):
        with pytest.raises(KeyboardInterrupt):
            rotation.rotate(secret.arn, (READER,), step)
        assert credentials.of_secret(secret.arn) == rotated, "the secret still holds the one before"
    waiting = secret.client.get_secret_value(SecretId=secret.arn, VersionStage="AWSPENDING")
    assert run("rotate", secret.arn) == f"{READER} signs in with the new password of {secret.arn}\n"
    current = secret.client.get_secret_value(SecretId=secret.arn)
    assert (current["VersionId"], current["SecretString"]) == (waiting["VersionId"], waiting["SecretString"])
    assert who() == READER
    assert "is of 'postgres', expected a user whom the migrations have made" in run("rotate", administrator.arn)


def test_a_new_password_is_one_that_both_databases_take() -> None:
    made = {rotation.new_password() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9]{32}", password) for password in made)
