"""An upgrade of Dagster: an instance that a former release has written, migrated, and in use by the present one.

The former releases are installed by uv into a folder of this session's; where they cannot be, the tests are skipped.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
import yaml

from infra.local.postgres.process import SUPERUSER, Postgres, start_postgres
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.loopback import HOST
from infra.local.session.dagster_processes import webserver
from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.dagster_internals import events_after

DEFINITIONS = CHECKOUT / "iot_pipeline_tests" / "support" / "former_definitions.py"
WORKSPACE = ["-w", str(CHECKOUT / "workspace.yaml")]
PARTITION, CURSOR = "2026-03-01-05:00", "0"
# 1.8 is the last whose tables lack what Dagster has added since (backfills by run and name, limits of pools); 1.12 is
# the minor release before the pinned one. What they need and do not name: a SQLAlchemy whose
# `postgresql://` is psycopg2's, dateutil's `six`, setuptools' pkg_resources.
RELEASES = {
    "1.8.13": ["dagster==1.8.13", "dagster-postgres==0.24.13", "sqlalchemy<2.1", "six", "setuptools<81"],
    "1.12.8": ["dagster==1.12.8", "dagster-postgres==0.28.8", "sqlalchemy<2.1"],
}
INSTALL_SECONDS, COMMAND_SECONDS = 300, 300
_STATES = """query($location: RepositorySelector!) { repositoryOrError(repositorySelector: $location) {
    ... on Repository {
        sensors { name sensorState { status typeSpecificData { ... on SensorData { lastCursor } } } }
        schedules { name scheduleState { status } } } } }"""
_HISTORY = """{ assetNodeOrError(assetKey: {path: ["curated_telemetry"]}) { ... on AssetNode {
    assetMaterializations { partition runId } partitionStats { numMaterialized } } } }"""


@dataclass(frozen=True)
class Upgraded:
    """A home whose history is of a former release, and the address of its database."""

    home: Path
    database: str
    former: Path
    environment: dict[str, str]

    def columns(self) -> set[str]:
        """Of the table of runs."""
        engine = sqlalchemy.create_engine(self.database)
        try:
            return {str(column["name"]) for column in sqlalchemy.inspect(engine).get_columns("runs")}
        finally:
            engine.dispose()

    def by_the_former(self, *command: str) -> str:
        """A command of the former release; what it prints."""
        return _run([str(self.former / "bin" / "dagster"), *command], self.home, self.environment)

    def by_the_present(self, *command: str) -> str:
        """A command of the release that is pinned."""
        dagster = Path(sys.executable).with_name("dagster")
        return _run([str(dagster), *command], self.home, self.environment)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = start_postgres(tmp_path_factory.mktemp("postgres"), databases=["dagster"])
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(params=[("1.8.13", "sqlite"), ("1.8.13", "postgresql"), ("1.12.8", "postgresql")], ids="-".join)
def upgraded(request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    """A run with its events, a sensor's cursor, and a sensor and a schedule that were turned off."""
    release, storage = request.param
    former = installed(release, tmp_path_factory.getbasetemp() / f"dagster-{release}")
    config, database = {}, f"sqlite:///{tmp_path / 'history' / 'runs.db'}"
    if storage == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        database = fresh_database(server, f"dagster_{release.replace('.', '_')}")
        config = {"storage": {"postgres": {"postgres_url": database}}}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump({"telemetry": {"enabled": False}, **config}))
    location = {"relative_path": str(DEFINITIONS), "location_name": "iot_pipeline"}
    (tmp_path / "workspace.yaml").write_text(yaml.safe_dump({"load_from": [{"python_file": location}]}))
    environment = {"PATH": os.environ["PATH"], "DAGSTER_HOME": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    made = Upgraded(tmp_path, database, former, environment)
    located = ["-w", str(tmp_path / "workspace.yaml")]
    asset = ["--select", "curated_telemetry", "--partition", PARTITION, "-f", str(DEFINITIONS)]
    made.by_the_former("asset", "materialize", *asset)
    made.by_the_former("sensor", "cursor", "stale_event_hours", "--set", CURSOR, *located)
    made.by_the_former("sensor", "stop", "raw_objects", *located)
    made.by_the_former("schedule", "stop", "close_hour", *located)
    return made


def test_a_former_history_is_migrated_and_goes_on(upgraded: Upgraded, request: pytest.FixtureRequest) -> None:
    if "1.8" in request.node.name:
        assert "backfill_id" not in upgraded.columns(), "the former release has another schema"
    # Without this a database of SQLite that 1.8 has made says no version, the present release takes it for a new one,
    # and columns are missing after its own migration.
    upgraded.by_the_former("instance", "migrate")
    told = upgraded.by_the_present("instance", "migrate")
    schemas = yaml.safe_load(told.rpartition("after migration:")[2].partition("schema:")[2])
    assert set(schemas) == {"event_log_storage", "run_storage", "schedule_storage"}
    assert all(each["current"] == each["latest"] for each in schemas.values()), schemas
    assert "backfill_id" in upgraded.columns()
    the_ui_shows_what_was(upgraded)
    with dg.DagsterInstance.from_config(str(upgraded.home)) as instance:
        (former,) = instance.get_runs()
        assert former.is_success
        assert "built by the former release" in [entry.user_message for entry in instance.all_logs(former.run_id)]
        the_history_goes_on(instance)


def the_ui_shows_what_was(upgraded: Upgraded) -> None:
    """The product's code location, with the former switches, cursor and materialization."""
    with webserver(upgraded.home, {}, WORKSPACE) as served:
        location = {"repositoryLocationName": "iot_pipeline", "repositoryName": "__repository__"}
        found = served.graphql(_STATES, location=location)["repositoryOrError"]
        sensors = {each["name"]: each["sensorState"] for each in found["sensors"]}
        schedules = {each["name"]: each["scheduleState"]["status"] for each in found["schedules"]}
        asset = served.graphql(_HISTORY)["assetNodeOrError"]
    assert sensors["raw_objects"]["status"] == "STOPPED", "a person had turned it off"
    assert sensors["stale_event_hours"]["typeSpecificData"]["lastCursor"] == CURSOR
    assert sensors["pipeline_alerts"]["status"] == "RUNNING"
    assert schedules["close_hour"] == "STOPPED"
    assert schedules["daily_clean_up"] == "RUNNING"
    assert [each["partition"] for each in asset["assetMaterializations"]] == [PARTITION]
    assert asset["partitionStats"]["numMaterialized"] == 1


def the_history_goes_on(instance: dg.DagsterInstance) -> None:
    """New events follow the former ones, and pools, which the former release had otherwise, have their limits."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    before = events_after(instance, kind, int(CURSOR), 10)
    assert [event.partition_key for event in before] == [PARTITION]
    partition = "2026-03-01-06:00"
    instance.report_runless_asset_event(dg.AssetMaterialization(curated_telemetry.key, partition=partition))
    assert [event.partition_key for event in events_after(instance, kind, before[0].storage_id, 10)] == [partition]
    result = dg.materialize([made], instance=instance)
    assert result.success
    assert instance.get_materialized_partitions(curated_telemetry.key) == {PARTITION, partition}
    instance.event_log_storage.set_concurrency_slots("judge", 1)
    assert instance.event_log_storage.claim_concurrency_slot("judge", result.run_id, "step").is_claimed
    assert not instance.event_log_storage.claim_concurrency_slot("judge", result.run_id, "another").is_claimed


@dg.asset
def made() -> None:
    pass


def installed(release: str, folder: Path) -> Path:
    """A virtual environment with a former release; skips the test, with uv's words, if there can be none."""
    if (folder / "installed").exists():
        return folder
    uv = [sys.executable, "-m", "uv"]
    python = folder / "bin" / "python"
    environment = {"UV_SYSTEM_CERTS": "1", "UV_LINK_MODE": "copy", **os.environ}
    for command in (
        [*uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [*uv, "pip", "install", "--quiet", "--python", str(python), *RELEASES[release]],
        [str(folder / "bin" / "dagster"), "--version"],
    ):
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"Dagster {release} cannot be installed: {error}")
        if done.returncode:
            pytest.skip(f"Dagster {release} cannot be installed: {done.stderr[-500:]}")
    (folder / "installed").touch()
    return folder


def fresh_database(server: Postgres, name: str) -> str:
    """An empty database; its address, as SQLAlchemy takes it with the driver of dagster-postgres."""
    address = sqlalchemy.URL.create("postgresql", SUPERUSER, server.password, HOST, server.port, "postgres")
    engine = sqlalchemy.create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return address.set(database=name).render_as_string(hide_password=False)


def _run(command: list[str], home: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout
