"""The warehouse is opened with a secret that is rotated; its users may do their work and nothing beyond it."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redshift_connector
from pydantic import ValidationError
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError
from typer.testing import CliRunner

from infra.local.postgres.process import SUPERUSER, start_postgres
from infra.local.redshift.process import Redshift, start_redshift
from infra.local.session.database_users import make_warehouse_users
from iot_pipeline import settings
from iot_pipeline.connections import credentials
from iot_pipeline.connections.warehouse import dbt_environment, open_warehouse
from iot_pipeline.contract import CONTRACT
from iot_pipeline.resources.dbt import dbt_resource
from iot_pipeline.warehouse import landing, users
from iot_pipeline.warehouse.__main__ import app
from iot_pipeline.warehouse.transaction import run
from iot_pipeline_tests.support.aws_environment import configured
from iot_pipeline_tests.support.emulator import LocalAws
from iot_pipeline_tests.support.secrets import Secret

FIRST, SECOND = "The1stPassword", "The2ndPassword"
DENIED = "permission denied|must be owner"


@pytest.fixture(scope="module")
def redshift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redshift]:
    """A Redshift with nothing in it; `user` is its administrator."""
    state = tmp_path_factory.mktemp("redshift")
    postgres = start_postgres(state / "postgres", databases=["telemetry"])
    try:
        redshift = start_redshift(state, postgres, user=SUPERUSER)
        try:
            yield redshift
        finally:
            redshift.stop()
    finally:
        postgres.stop()


def signed_in(redshift: Redshift, user: str, password: str) -> Connection:
    return redshift_connector.connect(
        host="127.0.0.1", port=redshift.port, database=redshift.database, user=user, password=password, ssl=False
    )


@pytest.fixture
def administrator(redshift: Redshift) -> Iterator[Connection]:
    """A connection that may do all."""
    with closing(signed_in(redshift, redshift.user, redshift.password)) as connection:
        yield connection


@pytest.fixture
def made(administrator: Connection) -> Connection:
    """The administrator's connection; the users are made, and sign in with FIRST."""
    users.migrate(administrator)
    for user in (users.PIPELINE, users.READER):
        users.set_password(administrator, user, FIRST)
    return administrator


@pytest.fixture
def environment(redshift: Redshift, local_aws: LocalAws) -> Iterator[pytest.MonkeyPatch]:
    """The variables of the warehouse without any by which to sign in, and those of the local AWS."""
    values = {
        "IOT_WAREHOUSE_HOST": "127.0.0.1",
        "IOT_WAREHOUSE_PORT": str(redshift.port),
        "IOT_WAREHOUSE_SSLMODE": "disable",
        "IOT_WAREHOUSE_COPY_ROLE_ARN": "arn:aws:iam::000000000000:role/warehouse-copy",
    }
    with configured(settings.Warehouse, values, local_aws.emulator.environment) as patch:
        yield patch


@pytest.fixture
def secret(local_aws: LocalAws, environment: pytest.MonkeyPatch, made: Connection) -> Secret:
    """The secret of `pipeline`, which the environment names."""
    secret = Secret.of(local_aws.client("secretsmanager"), users.PIPELINE, FIRST)
    environment.setenv("IOT_WAREHOUSE_SECRET_ARN", secret.arn)
    return secret


@pytest.fixture
def alter(made: Connection) -> Callable[[str], None]:
    """Changes the password of `pipeline`."""
    return lambda password: users.set_password(made, users.PIPELINE, password)


def who() -> str:
    with open_warehouse() as connection:
        ((user,),) = run(connection, "SELECT current_user")
    return str(user)


def test_a_connection_after_a_rotation_works(secret: Secret, alter: Callable[[str], None]) -> None:
    assert who() == users.PIPELINE
    secret.rotated_by(alter, SECOND)
    assert who() == users.PIPELINE


def test_a_rotation_between_fetching_and_signing_in_is_survived(
    secret: Secret, alter: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    fetch = credentials.of_secret

    def fetch_then_rotate(arn: str) -> credentials.Credentials:
        found = fetch(arn)
        fetched.append(found.password)
        if len(fetched) == 1:
            secret.rotated_by(alter, SECOND)
        return found

    monkeypatch.setattr(credentials, "of_secret", fetch_then_rotate)
    assert who() == users.PIPELINE
    assert fetched == [FIRST, SECOND]


def test_a_wrong_password_is_refused(secret: Secret, alter: Callable[[str], None]) -> None:
    alter(SECOND)
    with pytest.raises(ProgrammingError, match="password authentication failed"):
        who()


def test_each_run_of_dbt_signs_in_with_the_password_of_its_moment(
    secret: Secret, alter: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dbt = dbt_resource()

    def debug() -> str:
        started = dbt.cli(["debug", "--connection"], raise_on_error=False, target_path=tmp_path)
        return "\n".join(str(event.raw_event["info"]["msg"]) for event in started.stream_raw_events())

    assert "Connection test: [OK connection ok]" in debug()
    secret.rotated_by(alter, SECOND)
    assert "Connection test: [OK connection ok]" in debug()
    alter(FIRST)
    assert "password authentication failed" in debug()


def test_the_credentials_are_in_the_environment_while_dbt_starts_and_not_after(
    secret: Secret,
) -> None:
    before = dict(os.environ)
    with dbt_environment():
        assert (os.environ["IOT_WAREHOUSE_USER"], os.environ["IOT_WAREHOUSE_PASSWORD"]) == (users.PIPELINE, FIRST)
    assert dict(os.environ) == before


def test_the_administrator_makes_the_users_by_the_command_line(
    secret: Secret, environment: pytest.MonkeyPatch, redshift: Redshift
) -> None:
    def call(*arguments: str) -> str:
        settings.forget()
        return CliRunner().invoke(app, arguments).output

    assert "permission denied" in call("migrate"), "`pipeline` is no administrator"
    secret.put(SECOND)
    administrator = Secret.of(secret.client, redshift.user, redshift.password)
    environment.setenv("IOT_WAREHOUSE_SECRET_ARN", administrator.arn)
    assert "and the users pipeline and reader" in call("migrate")
    assert call("password", secret.arn) == f"pipeline signs in with the password of {secret.arn}\n"
    assert "'postgres' is no user of the warehouse" in call("password", administrator.arn)
    for password in ("short1A", "nothing-of-upper-case-1", "It's1Quote", 'A1b"cdefgh', "A1b\\cdefgh", "Ä1bcdefghi"):
        secret.put(password)
        assert "must have 8 to 64 printable characters" in call("password", secret.arn), password
    environment.setenv("IOT_WAREHOUSE_SECRET_ARN", secret.arn)
    secret.put(SECOND)
    settings.forget()
    assert who() == users.PIPELINE
    environment.delenv("IOT_WAREHOUSE_SECRET_ARN")
    both = "set exactly one of IOT_WAREHOUSE_PASSWORD and IOT_WAREHOUSE_SECRET_ARN"
    assert call("migrate") == f"error: in the environment: {both}; neither is set\n"


def test_making_the_users_again_changes_nothing(made: Connection, redshift: Redshift) -> None:
    assert not [sql for sql in users.migrate(made) if sql.startswith("CREATE USER")]
    with closing(signed_in(redshift, users.READER, FIRST)) as reader:
        assert run(reader, "SELECT 1") == [(1,)]


def test_a_new_user_cannot_sign_in(administrator: Connection, redshift: Redshift) -> None:
    run(administrator, "CREATE USER fresh PASSWORD DISABLE")
    administrator.commit()
    with pytest.raises(ProgrammingError, match="password authentication failed"):
        signed_in(redshift, "fresh", FIRST)
    run(administrator, "DROP USER fresh")
    administrator.commit()


def test_the_landing_tables_want_the_administrators_schemas(made: Connection, redshift: Redshift) -> None:
    run(made, "DROP SCHEMA lake CASCADE")
    made.commit()
    with closing(signed_in(redshift, users.PIPELINE, FIRST)) as pipeline:
        with pytest.raises(landing.LandingError, match=r"no schema lake.*python -m iot_pipeline.warehouse migrate"):
            landing.migrate(pipeline, CONTRACT)
        pipeline.rollback()
        users.migrate(made)
        assert landing.migrate(pipeline, CONTRACT)
        assert landing.migrate(pipeline, CONTRACT) == []


@pytest.fixture
def tables(made: Connection, redshift: Redshift) -> Iterator[Connection]:
    """A table and a view that `pipeline` made after the grants; its connection."""
    with closing(signed_in(redshift, users.PIPELINE, FIRST)) as pipeline:
        for sql in (
            "CREATE TABLE IF NOT EXISTS marts.facts (x bigint)",
            "INSERT INTO marts.facts VALUES (1)",
            "CREATE OR REPLACE VIEW reporting.all_facts AS SELECT x FROM marts.facts WITH NO SCHEMA BINDING",
            "CREATE TABLE IF NOT EXISTS lake.private (x bigint)",
            "CREATE TABLE IF NOT EXISTS staging.private (x bigint)",
        ):
            run(pipeline, sql)
        pipeline.commit()
        yield pipeline


def refused(connection: Connection, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=DENIED):
        run(connection, statement)
    connection.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE SCHEMA own",
        "DROP SCHEMA marts CASCADE",
        "ALTER SCHEMA marts RENAME TO own",
        "CREATE TABLE public.own (x bigint)",
        "CREATE USER own PASSWORD 'The1stPassword'",
        "ALTER USER reader PASSWORD 'The1stPassword'",
        "SELECT * FROM private.things",
    ],
)
def test_the_pipeline_works_in_its_schemas_alone(made: Connection, tables: Connection, statement: str) -> None:
    run(made, "CREATE SCHEMA IF NOT EXISTS private")
    run(made, "CREATE TABLE IF NOT EXISTS private.things (x bigint)")
    made.commit()
    refused(tables, statement)


def test_the_reader_reads_what_the_models_make_later(tables: Connection, redshift: Redshift) -> None:
    with closing(signed_in(redshift, users.READER, FIRST)) as reader:
        assert run(reader, "SELECT count(*) > 0 FROM reporting.all_facts") == [(True,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM lake.private",
        "SELECT * FROM staging.private",
        "DELETE FROM marts.facts",
        "DROP TABLE marts.facts",
        "CREATE TABLE marts.own (x bigint)",
        "CREATE TABLE public.own (x bigint)",
    ],
)
def test_the_reader_reads_marts_and_reports_alone(tables: Connection, redshift: Redshift, statement: str) -> None:
    with closing(signed_in(redshift, users.READER, FIRST)) as reader:
        refused(reader, statement)


def test_a_warehouse_that_the_pipeline_made_itself_is_taken_over(tmp_path: Path) -> None:
    """Before there were these users, `pipeline` owned the database and made the schemas."""
    postgres = start_postgres(tmp_path / "postgres", databases=["telemetry"])
    try:
        before = start_redshift(tmp_path, postgres)
        with closing(signed_in(before, users.PIPELINE, before.password)) as pipeline:
            for schema in users.SCHEMAS:
                run(pipeline, f"CREATE SCHEMA {schema}")
            run(pipeline, "CREATE TABLE marts.facts (x bigint)")
            run(pipeline, "INSERT INTO marts.facts VALUES (7)")
            pipeline.commit()
            assert landing.migrate(pipeline, CONTRACT)
        before.stop()
        now = start_redshift(tmp_path, postgres, user=SUPERUSER)
        try:
            make_warehouse_users(now)
            with closing(signed_in(now, users.PIPELINE, now.password)) as pipeline:
                assert landing.migrate(pipeline, CONTRACT) == []
                run(pipeline, "ALTER TABLE marts.facts ADD COLUMN y bigint")
                pipeline.commit()
                refused(pipeline, "DROP SCHEMA marts CASCADE")
                refused(pipeline, "CREATE SCHEMA own")
            with closing(signed_in(now, users.READER, now.password)) as reader:
                assert run(reader, "SELECT x FROM marts.facts") == [(7,)]
        finally:
            now.stop()
    finally:
        postgres.stop()


def test_a_missing_login_is_named(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="set exactly one of IOT_WAREHOUSE_PASSWORD and IOT_WAREHOUSE_SECRET_ARN"):
        who()


def test_the_administrator_rotates_the_pipelines_password(
    secret: Secret, environment: pytest.MonkeyPatch, redshift: Redshift
) -> None:
    administrator = Secret.of(secret.client, redshift.user, redshift.password)
    environment.setenv("IOT_WAREHOUSE_SECRET_ARN", administrator.arn)
    settings.forget()
    told = CliRunner().invoke(app, ["rotate", secret.arn]).output
    assert told == f"{users.PIPELINE} signs in with the new password of {secret.arn}\n"
    environment.setenv("IOT_WAREHOUSE_SECRET_ARN", secret.arn)
    settings.forget()
    assert credentials.of_secret(secret.arn).password != FIRST
    assert who() == users.PIPELINE
