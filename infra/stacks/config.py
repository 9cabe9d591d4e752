"""What differs between deployments of the platform: one typed object, the same templates."""

import math
from dataclasses import dataclass
from datetime import timedelta

from infra.stacks.producers.declared import Producer
from infra.stacks.sizes import PARTS, Parts, Size
from infra.stacks.validity import JSON, MINUTES_A_DAY, PARQUET, problems
from iot_pipeline.contract import CONTRACT

DEFAULT_NAME = "telemetry"
# What the account's administrators set to deploy a second environment beside the first.
NAME_VARIABLE = "IOT_ENVIRONMENT"
# prototype, team or production, in place of what environments.toml says.
SIZE_VARIABLE = "IOT_SIZE"
# "true" reads the stream for the edge by enhanced fan-out.
FAN_OUT_VARIABLE = "IOT_EDGE_FAN_OUT"
# The address of the console, to which people come back from signing in.
CONSOLE_VARIABLE = "IOT_CONSOLE_URL"
# json or parquet: in what Firehose writes the raw zone; what it partitions Parquet by; crawls by S3's events.
FORMAT_VARIABLE, PARTITION_VARIABLE = "IOT_FIREHOSE_FORMAT", "IOT_FIREHOSE_PARTITION"
CRAWL_VARIABLE = "IOT_CRAWL_ON_EVENTS_MINUTES"
# The bounds on event time, under the names by which the lake reads them: both have to give the same verdict.
LATENESS_VARIABLE, FUTURE_VARIABLE = "IOT_LATENESS_DAYS", "IOT_FUTURE_HOURS"
# The lake's zones, by the ends of their variables.
_KEPT_ZONES = ("RAW", "JUDGED", "QUARANTINE", "LEDGER", "CURATED", "ALERT_HISTORY")
# Beside the builds: people's queries, and the registry's snapshots and the watch over closed hours, which by the cost
# model (`make cost`) want a third of what the builds do.
_SPARE = 0.5


@dataclass(frozen=True)
class PlatformConfig:
    """Account, region, what the environment's parts are called, and the few quantities worth tuning.

    `name` is the environment. Everything that has a fixed name is named after it below, stacks included, so that two
    environments fit into one account and region and share nothing. Raises ValueError for a name that AWS would refuse,
    and for bounds that cannot be.
    """

    account: str = "000000000000"
    region: str = "eu-west-1"
    name: str = DEFAULT_NAME
    size: Size = Size.TEAM
    # Two environments that are ever to be peered need ranges that do not overlap.
    vpc_cidr: str = "10.0.0.0/16"
    # Named, because `Fn::GetAZs` may answer others once a region has more, which would replace subnets.
    zones: tuple[str, ...] = ("a", "b", "c")
    # Firehose closes a buffer at whichever comes first ("Configure buffering hints": 1-128 MiB, 0-900 s). 64 MiB of
    # JSON is about 9 MiB of gzip: large enough for Athena, small enough to be in the lake after a minute.
    firehose_buffer_mib: int = 64
    firehose_interval_seconds: int = 60
    # `parquet` has Firehose convert each record (docs/firehose-parquet.md). Of an environment from its beginning: the
    # raw tables have one format, and what lies in raw is never written again.
    firehose_format: str = JSON
    # `tenant` puts each tenant's objects of an hour into a folder of their own. A delivery stream has it from its
    # creation or never (Firehose API reference, DynamicPartitioningConfiguration).
    firehose_partition: str = ""
    # From how many minutes after a crawl of the raw zone the next may start, asked for by S3's events; 0 is no crawl on
    # arrival. Glue bills each crawl as ten minutes at least (AWS Glue pricing page, "Data Catalog crawlers").
    crawl_on_events_minutes: int = 0
    # Long enough to mend a delivery over a weekend's night; Kinesis bills beyond 24 h by the shard-hour.
    stream_retention_hours: int = 48
    # Athena bills 5 dollars a TB: a runaway query costs at most 50 cents.
    scan_cutoff_gib: int = 100
    # A tenant's query: five cents. The console refuses it before, by its estimate.
    tenant_scan_cutoff_gib: int = 10
    query_results_days: int = 7
    # The most workers that a backfill by Spark takes, each a DPU of 0.44 dollars an hour; fewer while fewer are busy.
    spark_workers: int = 10
    # For how long the platform keeps what devices sent; 0 is for ever. S3 expires none of it: Dagster does, with regard
    # to books and legal holds (docs/retention.md), and is told by `dagster_variables`.
    retention_days: int = 0
    # For how long nobody can remove a version of an object of the lake for good, S3's own rules included; 0 is no lock.
    # Once a bucket has the lock it keeps it, and a bucket that has none cannot get it by an update.
    object_lock_days: int = 0
    # How long a deleted or overwritten object, an old version of a partition among them, can still be brought back.
    noncurrent_days: int = 7
    failed_delivery_days: int = 90
    log_days: int = 365
    # What UNLOAD wrote is fetched at once, or unloaded again.
    unload_days: int = 1
    # On, no stack that holds data can be deleted. Off, `cdk destroy` removes the registry (with a final snapshot) and
    # the warehouse (which the lake can rebuild).
    deletion_protection: bool = True
    # An Aurora capacity unit is 2 GiB of memory. Half a unit holds a registry of thousands of devices.
    registry_min_acu: float = 0.5
    registry_max_acu: float = 4
    registry_backup_days: int = 14
    # Redshift Serverless bills by the RPU-hour, about 0.4 dollars, and only while a query runs.
    warehouse_base_rpu: int = 8
    warehouse_max_rpu: int = 32
    # How often new data reaches the warehouse (`IOT_BUILD_INTERVAL_MINUTES` for Dagster), and for how many seconds a
    # load and dbt's models then keep it awake. The second is assumed: `SYS_SERVERLESS_USAGE` has the truth.
    build_interval_minutes: int = 5
    warehouse_seconds_a_build: int = 150
    # Of the warehouse a snapshot is taken each night and kept for so many days. What it holds the lake can rebuild, but
    # for what people have made in it.
    warehouse_snapshot_days: int = 7
    # The edge. A batch of 500 packed messages is about 3 MB of base64 (Lambda takes 6 MB, and cuts at it by itself). No
    # window: what a poll finds is handled at once.
    edge_batch_size: int = 500
    edge_window_seconds: int = 0
    # With AWS's growing pauses, 20 attempts outlast a fault of minutes. Then the records go to the failure bucket and
    # the shard goes on; so they do when they are older than this, well within the stream's retention.
    edge_retries: int = 20
    edge_record_age_hours: int = 6
    # A shard has one batch in flight, so this is also how many shards are read at the same time. It is taken from the
    # account's concurrency (1,000 at first, 10 in a new account).
    edge_concurrency: int = 20
    # At 1,769 MB a function has one vCPU (AWS Lambda guide, "Configure Lambda function memory"); a batch is computing.
    edge_memory_mib: int = 1769
    edge_timeout_seconds: int = 60
    # Off, a shard is polled once a second, shared with Firehose. On, records are pushed within about 70 ms, for which
    # Kinesis bills the bytes of every record a second time: docs/architecture.md, "The edge".
    edge_fan_out: bool = False
    edge_failure_days: int = 90
    # The streaming job: how often it has a micro-batch in the lake; 0 is no job. It bills while it runs, two workers of
    # a quarter DPU at least: 0.44 dollars a DPU-hour (AWS Glue pricing page), about 161 dollars a month.
    streaming_window_seconds: int = 0
    # Auto scaling adds workers up to these: a month in which all ten work costs about 803 dollars.
    streaming_max_workers: int = 10
    # Older readings than this at their arrival, and readings further ahead, are bad data to the edge as to the lake.
    lateness_days: float = CONTRACT.lateness_bound / timedelta(days=1)
    future_hours: float = CONTRACT.future_bound / timedelta(hours=1)
    # Until the console has an address of its own, people can sign in to one on their own machine alone.
    console_url: str = "http://localhost:8080"
    # Where people find the services: `console.` and `dagster.` of this domain, whose public zone in Route 53 this is.
    # Without them there is no load balancer and no console: Dagster works, and the console runs at home.
    domain: str = ""
    hosted_zone: str = ""
    # The zones in which services run and AWS's endpoints stand: the first so many. An endpoint costs about 7.30 dollars
    # a month in each (AWS PrivateLink pricing page, 0.01 an hour), and there are thirteen.
    service_zones: int = 1
    # Of the webserver, the code location and the console: how many tasks always run, and how many at most.
    service_tasks: int = 1
    service_max_tasks: int = 2
    # Spot costs about a third and may be taken away at two minutes' notice (Fargate pricing page); Dagster then starts
    # the run again, once.
    runs_on_spot: bool = True
    dagster_min_acu: float = 0.5
    dagster_max_acu: float = 2
    # What the delivery pipeline deploys: OWNER/NAME at the provider, by a connection that a person confirms once in the
    # console. Without a repository there is no pipeline. A release passes the environment `promotes_from` first.
    repository: str = ""
    repository_provider: str = "GitHub"
    branch: str = "main"
    promotes_from: str = "staging"
    # The checksum (`sha256:...`) of RDS's bundle of authorities, with which the pipeline builds the images:
    # docs/images.md. Without it the build of the images ends, and says so.
    rds_certificates: str = ""
    # Whom an alert of each severity is sent to: `mailto:` and `https:` URLs.
    warning_endpoints: tuple[str, ...] = ()
    critical_endpoints: tuple[str, ...] = ()
    # The guards of the whole account that this environment is in charge of (`ACCOUNT_GUARDS`). An account and region
    # can have each of them once, so that one environment of an account may name it, and none where it is there already.
    account_guards: tuple[str, ...] = ()
    # The canary is a device that AWS itself plays: how often it sends.
    canary_minutes: int = 5
    # The vendors whose APIs are pulled, each by the name of its file in infra/vendors/ (docs/api-pull.md).
    vendors: tuple[str, ...] = ()
    # The ARN of the user or group that owns what is in QuickSight; without one there is nothing in QuickSight.
    quicksight_owner: str = ""
    # What the environment may cost a month; 0 is no budget. Its costs are told apart by the tag `environment`, which an
    # administrator activates as a cost allocation tag.
    monthly_budget_usd: int = 0
    # Backends that put records to streams of their own (docs/producers.md); without any there is no intake.
    producers: tuple[Producer, ...] = ()
    # How long the trail's records are kept, and what AWS Config has noted.
    audit_days: int = 365

    def __post_init__(self) -> None:
        """Refuse what AWS, or one of the stacks, would refuse. Raises ValueError with the first of `problems`."""
        for problem in problems(self):
            raise ValueError(problem)

    @property
    def parts(self) -> Parts:
        """Which parts the environment has, by its size."""
        return PARTS[self.size]

    def stack(self, part: str) -> str:
        """A stack's id and name."""
        return f"{self.name.capitalize()}{part}"

    def parameter(self, name: str) -> str:
        """The SSM parameter by which one stack tells another a value that AWS makes."""
        return f"/{self.name}/{name}"

    def key_alias(self, domain: str) -> str:
        """The alias of a domain's KMS key."""
        return f"alias/{self.name}/{domain}"

    @property
    def availability_zones(self) -> list[str]:
        """The zones of the subnets."""
        return [f"{self.region}{zone}" for zone in self.zones]

    @property
    def topic_root(self) -> str:
        """The first level of the devices' topics; `IOT_TOPIC_ROOT` for the devices' side.

        One level, so that the levels that the rules take identity from are the same in every environment.
        """
        return "dt" if self.name == DEFAULT_NAME else f"dt-{self.name}"

    @property
    def thing_type(self) -> str:
        """The type of this environment's things; `IOT_THING_TYPE` for the registry."""
        return f"{self.name}-sensor"

    @property
    def device_policy(self) -> str:
        """The policy of this environment's devices; `IOT_DEVICE_POLICY` for the registry."""
        return f"{self.name}-device"

    @property
    def claim(self) -> str:
        """The provisioning template, and the policy of the claim certificates that may use it."""
        return f"{self.name}-claim"

    @property
    def claim_client(self) -> str:
        """What the client id of a device begins with that has yet no name of its own.

        It cannot end a named device's session with it, nor one of another environment.
        """
        return "claim-" if self.name == DEFAULT_NAME else f"{self.name}-claim-"

    @property
    def database(self) -> str:
        """The Glue database of the lake's tables."""
        return self.name

    @property
    def crawled_database(self) -> str:
        """The database of what the crawlers find."""
        return f"{self.name}_crawled"

    @property
    def lake_bucket(self) -> str:
        """The lake bucket's name.

        Fixed, because the queue's policy must name the bucket before the bucket exists: S3 refuses a notification
        to a queue that does not yet let it send (S3 user guide, "Granting permissions to publish event messages").
        """
        return f"{self.name}-lake-{self.account}-{self.region}"

    @property
    def results_bucket(self) -> str:
        """The bucket of people's query results: who may read his results need not be let into the lake's bucket."""
        return f"{self.name}-results-{self.account}-{self.region}"

    @property
    def failure_bucket(self) -> str:
        """The bucket of the records that the edge gave up on.

        A bucket of its own, because a mapping's destination is a whole bucket, without a prefix: AWS names the objects
        `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/...` (AWS Lambda guide, "Retain discarded batch records for a Kinesis
        Data Streams event source in Lambda").
        """
        return f"{self.name}-edge-failures-{self.account}-{self.region}"

    @property
    def warehouse_rpu_hours_a_day(self) -> int:
        """The day's limit, at which Redshift refuses queries until midnight UTC.

        What the builds of a day need at the base capacity, and half as much again: a runaway dashboard costs no more.
        """
        builds = MINUTES_A_DAY / self.build_interval_minutes
        # Nobody can be awake for longer than a day.
        awake_hours = min(24, builds * self.warehouse_seconds_a_build / 3600)
        return math.ceil(awake_hours * self.warehouse_base_rpu * (1 + _SPARE))

    @property
    def dagster_variables(self) -> dict[str, str]:
        """What Dagster's processes have to be told so that they keep the cadence and the retention of the stacks."""
        days = self.retention_days
        kept = {f"IOT_RETENTION_{zone}": f"{days}d" for zone in _KEPT_ZONES} if days else {}
        streaming = {"IOT_STREAMING": "true"} if self.streaming_window_seconds else {}
        return {"IOT_BUILD_INTERVAL_MINUTES": str(self.build_interval_minutes), **streaming, **kept}

    @property
    def metrics(self) -> str:
        """The namespace of the metrics that the platform's own functions write."""
        return self._namespace("Edge")

    @property
    def intake_metrics(self) -> str:
        """As `metrics`, of the intake."""
        return self._namespace("Intake")

    @property
    def dagster_metrics(self) -> str:
        """The namespace of the metrics that are read out of Dagster's logs."""
        return self._namespace("Dagster")

    def _namespace(self, of: str) -> str:
        return f"IotPipeline/{of}" if self.name == DEFAULT_NAME else f"IotPipeline/{self.name}/{of}"

    @property
    def canary(self) -> str:
        """The canary: its device id, its function and the rule that calls it."""
        return f"{self.name}-canary"

    @property
    def audit_bucket(self) -> str:
        """The bucket of who did what: the trail's records, and what AWS Config has noted."""
        return f"{self.name}-audit-{self.account}-{self.region}"

    @property
    def device_state_table(self) -> str:
        """The table of the devices' live state."""
        return f"{self.name}-device-state"

    @property
    def alerts_table(self) -> str:
        """The table of the alerts' episodes."""
        return f"{self.name}-alerts"

    def alert_topic(self, severity: str) -> str:
        """The topic of the alerts of a severity."""
        return f"{self.name}-alerts-{severity}"

    def edge_function(self, role: str = "") -> str:
        """The edge's functions: the handler of the stream, and by their role those beside it."""
        return f"{self.name}-edge-{role}" if role else f"{self.name}-edge"

    @property
    def intake_function(self) -> str:
        """The function that takes what producers put, and the metrics' dimension."""
        return f"{self.name}-intake"

    @property
    def intake_bucket(self) -> str:
        """The bucket of what the intake refused, and of the records that its mappings gave up on."""
        return f"{self.name}-intake-{self.account}-{self.region}"

    def producer(self, name: str) -> str:
        """A producer's stream, and the role that alone may put to it."""
        return f"{self.name}-producer-{name}"

    @property
    def streaming_job(self) -> str:
        """The streaming job in Glue, and the trigger that begins it."""
        return f"{self.name}-streaming"

    @property
    def channels_secret(self) -> str:
        """The secret with the configuration of the channels by which people are told of alerts."""
        return f"{self.name}-alert-channels"

    def pull_function(self, vendor: str) -> str:
        """The function that pulls from a vendor, and the rule that calls it."""
        return f"{self.name}-pull-{vendor}"

    def pull_secret(self, vendor: str) -> str:
        """The secret with which that function signs in to the vendor."""
        return f"{self.name}-pull-{vendor}"

    @property
    def pull_table(self) -> str:
        """The table of the cursors of all vendors."""
        return f"{self.name}-pull"

    @property
    def pull_metrics(self) -> str:
        """The namespace of the metrics that these functions write."""
        return self._namespace("Pull")

    @property
    def console_table(self) -> str:
        """The console's own table."""
        return f"{self.name}-console"

    @property
    def console_cluster(self) -> str:
        """The console's cluster on ECS."""
        return f"{self.name}-console"

    @property
    def console_users(self) -> str:
        """The pool of the people who sign in to the console."""
        return f"{self.name}-console"

    @property
    def sign_in_domain(self) -> str:
        """The first part of the host of the sign-in pages, which all accounts of a region share."""
        return f"{self.name}-console-{self.account}"

    def host(self, service: str) -> str:
        """The host at which people find a service, where there is a domain."""
        return f"{service}.{self.domain}"

    @property
    def console_address(self) -> str:
        """The address of the console, to which people come back from signing in."""
        return f"https://{self.host('console')}" if self.domain else self.console_url

    @property
    def spark_job(self) -> str:
        """The Glue job of backfills by Spark."""
        return f"{self.name}-backfill"

    @property
    def build_workflow(self) -> str:
        """Glue's workflow of crawler, job and crawler, for who orchestrates there."""
        return f"{self.name}-build"

    @property
    def dagster_name(self) -> str:
        """What is Dagster's own: its database cluster, the pool of its people, and what its tasks' names begin with."""
        return f"{self.name}-dagster"

    @property
    def compute_log_bucket(self) -> str:
        """The bucket of what Dagster's runs print."""
        return f"{self.dagster_name}-{self.account}-{self.region}"

    @property
    def dagster_sign_in_domain(self) -> str:
        """As `sign_in_domain`, of the pages at which operators sign in to Dagster."""
        return f"{self.dagster_name}-{self.account}"

    def image_repository(self, image: str) -> str:
        """The repository of an image (infra/images)."""
        return f"{self.name}/{image}"

    def database_secret(self, user: str) -> str:
        """The secret of a database's user (docs/operations.md, "Database users")."""
        return f"{self.name}/{user}"

    @property
    def delivery(self) -> str:
        """The delivery pipeline, its connection, and what its builds' names begin with."""
        return f"{self.name}-delivery"

    def dead_letters(self, of: str) -> str:
        """A dead-letter queue, by what it holds."""
        return f"{self.name}-{of}-dead-letters"

    @property
    def raw_is_parquet(self) -> bool:
        """Whether Firehose writes the raw zone in Parquet."""
        return self.firehose_format == PARQUET

    @property
    def raw_columns_function(self) -> str:
        """The function by which Firehose makes a record the row of the raw zone's Parquet."""
        return f"{self.name}-raw-columns"

    @property
    def crawl_starter(self) -> str:
        """What starts the raw crawler on arrival: the function, its queue, and the rule that S3's events match."""
        return f"{self.name}-crawl-starter"

    @property
    def partition(self) -> str:
        """The region's partition, the second part of every ARN (IAM user guide, "Amazon Resource Names (ARNs)")."""
        partitions = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
        return next((name for prefix, name in partitions.items() if self.region.startswith(prefix)), "aws")

    def bucket_arn(self, bucket: str) -> str:
        """The ARN of a bucket, by its name."""
        return f"arn:{self.partition}:s3:::{bucket}"

    def lake_objects(self, prefix: str) -> str:
        """The ARN pattern of all objects of the lake under a prefix."""
        return f"{self.bucket_arn(self.lake_bucket)}/{prefix}*"
