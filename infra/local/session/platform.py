"""The local AWS of one checkout: started, deployed to, described to others, stopped."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from infra.local.athena.process import LocalAthena, start_athena
from infra.local.deploy import DeployResult, deploy
from infra.local.emulator.process import Emulator, start_emulator
from infra.local.emulator.redshift_data.warehouse_login import RegisteredWarehouse, register_warehouse
from infra.local.postgres.process import SUPERUSER, Postgres, start_postgres
from infra.local.redshift.process import Redshift, start_redshift
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError
from infra.local.servers.loopback import HOST
from infra.local.session.database_users import make_registry_users, make_warehouse_users
from infra.local.session.leftovers import (
    forget_processes,
    lock,
    note_port,
    note_processes,
    refuse_leftovers,
    refuse_other_size,
    remembered_ports,
)
from infra.local.trino.process import LocalTrino, is_chosen, start_trino
from infra.stacks.config import SIZE_VARIABLE, PlatformConfig
from infra.stacks.environments import from_process
from infra.stacks.sizes import Size
from iot_pipeline.registry import users as registry_users
from iot_pipeline.warehouse import users as warehouse_users

REGION = "eu-west-1"

# Firehose buffers for 60 s on AWS; locally a second or so is enough to see objects of more than one message.
FIREHOSE_INTERVAL_SCALE = 0.03

REGISTRY_DATABASE, WAREHOUSE_DATABASE = "registry", "telemetry"


# The settings that are outputs of the stacks; a prototype's stacks have fewer.
OUTPUTS = {
    "IOT_LAKE_BUCKET": "LakeBucket",
    "IOT_RESULTS_BUCKET": "ResultsBucket",
    "IOT_RAW_QUEUE_URL": "RawQueueUrl",
    "IOT_GLUE_DATABASE": "GlueDatabase",
    "IOT_ATHENA_WORKGROUP": "AthenaBuildWorkgroup",
    "IOT_PEOPLE_WORKGROUP": "AthenaWorkgroup",
    "IOT_TENANTS_WORKGROUP": "AthenaTenantsWorkgroup",
    "IOT_RAW_CRAWLER": "RawCrawler",
    "IOT_CURATED_CRAWLER": "CuratedCrawler",
    "IOT_SPARK_JOB": "SparkJob",
    "IOT_THING_TYPE": "DeviceThingType",
    "IOT_DEVICE_POLICY": "DevicePolicy",
    "IOT_TOPIC_ROOT": "TopicRoot",
    "IOT_DEVICE_STATE_TABLE": "DeviceStateTable",
    "IOT_ALERTS_TABLE": "AlertsTable",
    "IOT_RULES_BUCKET": "LakeBucket",
    "IOT_TOPIC_WARNING": "WarningTopicArn",
    "IOT_TOPIC_CRITICAL": "CriticalTopicArn",
    "IOT_STREAM": "StreamName",
    "IOT_EDGE_FUNCTION": "EdgeFunction",
    "IOT_SWEEP_FUNCTION": "SweepFunction",
    "IOT_NOTIFY_FUNCTION": "NotifyFunction",
    "IOT_DELIVER_FUNCTION": "DeliverFunction",
    "IOT_CHANNELS_SECRET": "ChannelsSecret",
    "IOT_EDGE_MAPPING": "EdgeMapping",
    "IOT_EDGE_FAILURE_BUCKET": "EdgeFailureBucket",
    "IOT_EDGE_DEAD_LETTERS_URL": "EdgeDeadLettersUrl",
    "IOT_ALERT_DEAD_LETTERS_URL": "AlertDeadLettersUrl",
    "IOT_RULE_ERRORS_URL": "RuleErrorQueueUrl",
    "IOT_METRIC_NAMESPACE": "EdgeMetrics",
    "IOT_INTAKE_BUCKET": "IntakeBucket",
    "IOT_INTAKE_FUNCTION": "IntakeFunction",
    "IOT_PULL_FUNCTION_PREFIX": "PullFunctionPrefix",
    "IOT_PULL_TABLE": "PullTable",
    "IOT_CONSOLE_TABLE": "ConsoleTable",
    "IOT_CONSOLE_ISSUER": "ConsoleIssuer",
    "IOT_CONSOLE_CLIENT_ID": "ConsoleClientId",
    "IOT_CONSOLE_USER_POOL": "ConsoleUserPool",
    "IOT_WAREHOUSE_COPY_ROLE_ARN": "WarehouseCopyRoleArn",
}


@dataclass
class Platform:
    """A running, deployed local AWS."""

    state_dir: Path
    emulator: Emulator
    athena: LocalAthena
    postgres: Postgres
    deployed: DeployResult
    size: Size
    redshift: Redshift | None
    """Where the size has a warehouse."""
    trino: LocalTrino | None = None
    """What runs Athena's statements, where it is not DuckDB."""

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to work with this local AWS, and nothing else local."""
        outputs = self.deployed.outputs
        return {
            **self.emulator.environment,
            SIZE_VARIABLE: self.size,
            # What the simulator reads; the data endpoint of `aws iot describe-endpoint` is the same.
            "SIMULATOR_ENDPOINT": self.emulator.mqtt_endpoint,
            "SIMULATOR_CA": str(self.emulator.ca_pem),
            "AWS_ENDPOINT_URL_ATHENA": self.athena.endpoint_url,
            **{variable: outputs[name] for variable, name in OUTPUTS.items() if name in outputs},
            **self._sign_in(),
            "IOT_REGISTRY_HOST": HOST,
            "IOT_REGISTRY_PORT": str(self.postgres.port),
            "IOT_REGISTRY_DATABASE": REGISTRY_DATABASE,
            "IOT_REGISTRY_USER": registry_users.WRITER,
            "IOT_REGISTRY_PASSWORD": self.postgres.password,
            "IOT_REGISTRY_SSLMODE": "disable",
            **self._warehouse(),
            "DAGSTER_HOME": str(dagster_home(self.state_dir)),
        }

    def _sign_in(self) -> dict[str, str]:
        if "ConsoleUserPool" not in self.deployed.outputs:
            return {}
        # Tokens name Cognito of AWS as their issuer.
        pool = self.deployed.outputs["ConsoleUserPool"]
        found = f"{self.emulator.endpoint_url}/{pool}/.well-known/openid-configuration"
        return {"IOT_CONSOLE_DISCOVERY_URL": found}

    def _warehouse(self) -> dict[str, str]:
        if self.redshift is None:
            return {}
        return {
            "IOT_WAREHOUSE_HOST": HOST,
            "IOT_WAREHOUSE_PORT": str(self.redshift.port),
            "IOT_WAREHOUSE_DATABASE": self.redshift.database,
            "IOT_WAREHOUSE_USER": warehouse_users.PIPELINE,
            "IOT_WAREHOUSE_PASSWORD": self.redshift.password,
            "IOT_WAREHOUSE_SSLMODE": "disable",
        }


@contextmanager
def running(state_dir: Path, cache_dir: Path, console: Console) -> Iterator[Platform]:
    """A local AWS for the time of a `with` block: started, deployed to, and stopped whatever happens in it.

    `state_dir` holds all that it writes; `cache_dir` keeps the synthesised templates from one start to the next.

    Raises LocalError if this checkout's local AWS runs already, or parts of one that was killed are still there; if the
    folder's local AWS was begun in another size; and for an environment that cannot be.
    """
    try:
        config = from_process()
    except ValueError as error:
        raise LocalError(str(error)) from error
    state_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(lock(state_dir))
        refuse_leftovers(state_dir)
        refuse_other_size(state_dir, config.size)
        stack.callback(forget_processes, state_dir)
        console.print("starting the local AWS")
        note_processes(state_dir, [os.getpid()])
        platform = _start(state_dir, cache_dir, console, stack, config)
        stack.callback(console.print, "stopping the local AWS")
        _prepare_dagster_home(state_dir)
        with _environment(platform.environment):
            yield platform


def _start(state_dir: Path, cache_dir: Path, console: Console, stack: ExitStack, config: PlatformConfig) -> Platform:
    """Start the servers, each to be stopped by the stack and noted at once, and deploy to them."""
    ports = remembered_ports(state_dir)
    emulator = start_emulator(
        state_dir / "aws",
        port=ports.get("emulator"),
        mqtt_port=ports.get("mqtt"),
        region=REGION,
        firehose_interval_scale=FIREHOSE_INTERVAL_SCALE,
    )
    stack.callback(emulator.stop)
    note_processes(state_dir, [emulator.pid])
    note_port(state_dir, "emulator", emulator.port)
    note_port(state_dir, "mqtt", emulator.mqtt_port)

    trino = _trino(state_dir, emulator, stack)
    athena = start_athena(
        state_dir / "athena",
        port=ports.get("athena"),
        s3_data_dir=state_dir / "aws" / "s3",
        environment=emulator.environment,
        trino_url=trino.url if trino else None,
    )
    stack.callback(athena.stop)
    note_processes(state_dir, [athena.pid])
    note_port(state_dir, "athena", athena.port)

    databases = (REGISTRY_DATABASE, WAREHOUSE_DATABASE)
    postgres = start_postgres(state_dir / "postgres", port=ports.get("postgres"), databases=databases)
    stack.callback(postgres.stop)
    note_processes(state_dir, [postgres.pid])
    note_port(state_dir, "postgres", postgres.port)

    with _environment(emulator.environment):
        redshift = _redshift(state_dir, emulator, postgres, stack, config.name) if config.parts.databases else None
        deployed = deploy(cache_dir, console)
    make_registry_users(postgres, REGISTRY_DATABASE)
    if redshift is not None:
        make_warehouse_users(redshift)
    return Platform(state_dir, emulator, athena, postgres, deployed, config.size, redshift, trino)


def _redshift(state_dir: Path, emulator: Emulator, postgres: Postgres, stack: ExitStack, name: str) -> Redshift:
    redshift = start_redshift(
        state_dir / "redshift",
        postgres,
        port=remembered_ports(state_dir).get("redshift"),
        database=WAREHOUSE_DATABASE,
        user=SUPERUSER,
    )
    stack.callback(redshift.stop)
    note_processes(state_dir, [redshift.pid])
    note_port(state_dir, "redshift", redshift.port)
    register_warehouse(emulator.state_dir, _for_the_data_api(redshift, postgres, name))
    return redshift


def _trino(state_dir: Path, emulator: Emulator, stack: ExitStack) -> LocalTrino | None:
    """A Trino, if it is to run Athena's statements."""
    if not is_chosen():
        return None
    trino = start_trino(state_dir / "trino", emulator.environment)
    stack.callback(trino.stop)
    note_processes(state_dir, [trino.pid])
    return trino


def _for_the_data_api(redshift: Redshift, postgres: Postgres, name: str) -> RegisteredWarehouse:
    """The warehouse under the name of the workgroup that it has on AWS."""
    return RegisteredWarehouse(
        name=name,
        port=redshift.port,
        database=redshift.database,
        superuser=SUPERUSER,
        password=postgres.password,
        administrator=redshift.user,
    )


def dagster_home(state_dir: Path) -> Path:
    """Where Dagster's instance keeps its history."""
    return (state_dir / "dagster").resolve()


def _prepare_dagster_home(state_dir: Path) -> None:
    home = dagster_home(state_dir)
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(CHECKOUT / "dagster.yaml", home / "dagster.yaml")


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
