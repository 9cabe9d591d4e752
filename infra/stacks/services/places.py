"""What the services work on: known by name, or read from what other stacks have published; each read once a stack."""

from collections.abc import Mapping
from functools import cached_property

from infra.stacks.base import PlatformStack
from infra.stacks.config import FUTURE_VARIABLE, LATENESS_VARIABLE, PlatformConfig
from infra.stacks.edge.names import DELIVER, NOTIFY, SEVERITIES, SWEEP
from infra.stacks.parameters import read

REGISTRY_WRITER, REGISTRY_READER, WAREHOUSE_PIPELINE = "registry", "registry_reader", "pipeline"


class Places:
    """ARNs of one environment's parts, and the settings by which a process is told of them."""

    def __init__(self, stack: PlatformStack) -> None:
        self.stack, self.config = stack, stack.config
        self.lake = self.config.bucket_arn(self.config.lake_bucket)
        self.results = self.config.bucket_arn(self.config.results_bucket)
        self.failures = self.config.bucket_arn(self.config.failure_bucket)
        self.intake = self.config.bucket_arn(self.config.intake_bucket)
        self.pull = self._arn("dynamodb", "table", self.config.pull_table)
        self.console = self._arn("dynamodb", "table", self.config.console_table)
        self.state = self._arn("dynamodb", "table", self.config.device_state_table)
        self.alerts = self._arn("dynamodb", "table", self.config.alerts_table)

    @cached_property
    def stream(self) -> str:
        """The stream's ARN."""
        return self._arn("kinesis", "stream", self._read("stream"))

    @cached_property
    def raw_queue(self) -> str:
        """The ARN of the queue that tells of raw objects."""
        return self._read("raw-queue-arn")

    @cached_property
    def lake_key(self) -> str:
        """The key of the lake and of query results."""
        return self._read("lake-key")

    @cached_property
    def edge_key(self) -> str:
        """The key of the edge's tables and failed records."""
        return self._read("edge-key")

    @cached_property
    def pull_key(self) -> str:
        """The key of the vendors' cursors."""
        return self._read("pull-key")

    @cached_property
    def console_key(self) -> str:
        """The key of the console's table."""
        return self._read("console-key")

    @cached_property
    def alerts_key(self) -> str:
        """The key of the topics."""
        return self._read("alerts-key")

    @cached_property
    def dead_letters(self) -> list[str]:
        """The queues of what rules, functions and topics could not hand on."""
        named = [self._arn("sqs", self.config.dead_letters(of)) for of in ("edge", "alert")]
        return [*named, self._read("rule-errors-arn")]

    @cached_property
    def secret_keys(self) -> list[str]:
        """The keys of the secrets of the databases' users: the registry's, and the warehouse's."""
        return [self._read("registry-key"), self._read("warehouse-key")]

    def workgroups(self) -> dict[str, str]:
        """The ARNs of Athena's workgroups: of people, of tenants, of the builds."""
        name = self.config.name
        groups = {"people": name, "tenants": f"{name}-tenants", "builds": f"{name}-builds"}
        return {whose: self._arn("athena", "workgroup", group) for whose, group in groups.items()}

    def catalog(self, *tables: str, database: str | None = None) -> list[str]:
        """The catalog, a database (the lake's), and tables of it: what each call of Glue is allowed on."""
        database = database or self.config.database
        named = [self._arn("glue", "table", f"{database}/{table}") for table in tables]
        return [self._arn("glue", "catalog"), self._arn("glue", "database", database), *named]

    def secret(self, user: str) -> str:
        """The secret of a database's user. Secrets Manager puts six characters behind its name."""
        return f"{self._arn('secretsmanager', 'secret')}:{self.config.database_secret(user)}-??????"

    def environment(self, registry_user: str) -> Mapping[str, str]:
        """The settings of docs/operations.md that differ from their defaults, of any process of the product."""
        config = self.config
        queue = f"https://sqs.{config.region}.amazonaws.com/{config.account}/"
        return {
            "IOT_LAKE_BUCKET": config.lake_bucket,
            "IOT_RESULTS_BUCKET": config.results_bucket,
            "IOT_RAW_QUEUE_URL": self._read("raw-queue-url"),
            "IOT_GLUE_DATABASE": config.database,
            "IOT_ATHENA_WORKGROUP": f"{config.name}-builds",
            "IOT_PEOPLE_WORKGROUP": config.name,
            "IOT_TENANTS_WORKGROUP": f"{config.name}-tenants",
            "IOT_RAW_CRAWLER": f"{config.name}-raw",
            "IOT_CURATED_CRAWLER": f"{config.name}-curated",
            "IOT_SPARK_JOB": config.spark_job,
            "IOT_GLUE_WORKFLOW": config.build_workflow,
            "IOT_THING_TYPE": config.thing_type,
            "IOT_DEVICE_POLICY": config.device_policy,
            "IOT_DEVICE_STATE_TABLE": config.device_state_table,
            "IOT_ALERTS_TABLE": config.alerts_table,
            "IOT_RULES_BUCKET": config.lake_bucket,
            **{f"IOT_TOPIC_{it.upper()}": self._arn("sns", config.alert_topic(it)) for it in SEVERITIES},
            "IOT_STREAM": self._read("stream"),
            "IOT_EDGE_FUNCTION": config.edge_function(),
            "IOT_SWEEP_FUNCTION": config.edge_function(SWEEP),
            "IOT_NOTIFY_FUNCTION": config.edge_function(NOTIFY),
            "IOT_DELIVER_FUNCTION": config.edge_function(DELIVER),
            "IOT_EDGE_MAPPING": self._read("edge-mapping"),
            "IOT_EDGE_FAILURE_BUCKET": config.failure_bucket,
            "IOT_EDGE_DEAD_LETTERS_URL": f"{queue}{config.dead_letters('edge')}",
            "IOT_ALERT_DEAD_LETTERS_URL": f"{queue}{config.dead_letters('alert')}",
            "IOT_RULE_ERRORS_URL": self._read("rule-errors-url"),
            "IOT_METRIC_NAMESPACE": config.metrics,
            LATENESS_VARIABLE: f"{config.lateness_days:g}",
            FUTURE_VARIABLE: f"{config.future_hours:g}",
            "IOT_REGISTRY_HOST": self._read("registry-host"),
            "IOT_REGISTRY_SECRET_ARN": config.database_secret(registry_user),
            "IOT_WAREHOUSE_HOST": self._read("warehouse-host"),
            "IOT_WAREHOUSE_SECRET_ARN": config.database_secret(WAREHOUSE_PIPELINE),
            "IOT_WAREHOUSE_COPY_ROLE_ARN": self._read("warehouse-copy-role"),
            **(_of_intake(config) if config.producers else {}),
            **({"IOT_PULL_TABLE": config.pull_table} if config.vendors else {}),
            "IOT_CONSOLE_TABLE": config.console_table,
            **config.dagster_variables,
            **({"IOT_DAGSTER_URL": f"https://{config.host('dagster')}"} if config.domain else {}),
        }

    def _read(self, name: str) -> str:
        return read(self.stack, self.config, name)

    def _arn(self, service: str, resource: str, name: str | None = None) -> str:
        return self.stack.format_arn(service=service, resource=resource, resource_name=name)


def _of_intake(config: PlatformConfig) -> dict[str, str]:
    return {"IOT_INTAKE_BUCKET": config.intake_bucket, "IOT_INTAKE_FUNCTION": config.intake_function}
