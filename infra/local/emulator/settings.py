"""What a local AWS is started with, and the environment ministack reads it from."""

from dataclasses import dataclass
from pathlib import Path

from infra.local.servers.loopback import HOST

ACCOUNT_ID = "000000000000"


@dataclass(frozen=True)
class EmulatorSettings:
    """One local AWS process.

    `state_dir` holds everything it writes: S3 objects (`s3/<account>/<bucket>/<key>`), the services' state, the
    streams' records, the log streams' lines, the Firehose journals and the event source mappings' checkpoints.
    Processes of the local AWS listen on loopback only.

    `firehose_interval_scale` multiplies every delivery stream's `IntervalInSeconds`, so that a stack that buffers for
    60 s on AWS need not be waited for locally. `kinesis_poll_seconds` is how often an event source mapping asks a shard
    for records, unless it reads by enhanced fan-out: once a second on AWS. `async_retry_seconds` is how long an
    asynchronous call of a function waits before it is tried again: a minute on AWS, and two before the last time.
    `mqtt_wait_scale` multiplies how long the broker waits for a client, its keep-alive among it: 30 s at least on AWS.
    """

    port: int
    mqtt_port: int
    state_dir: Path
    region: str = "eu-west-1"
    firehose_interval_scale: float = 1.0
    kinesis_poll_seconds: float = 1.0
    async_retry_seconds: float = 60.0
    mqtt_wait_scale: float = 1.0
    log_level: str = "WARNING"

    @property
    def s3_dir(self) -> Path:
        """The folder of the S3 objects' bytes: `<account>/<bucket>/<key>` below it."""
        return self.state_dir / "s3"

    @property
    def firehose_dir(self) -> Path:
        """The folder of the records that Firehose has accepted and not yet delivered."""
        return self.state_dir / "firehose"

    @property
    def streams_dir(self) -> Path:
        """The folder of the Kinesis streams' records."""
        return self.state_dir / "streams"

    @property
    def logs_dir(self) -> Path:
        """The folder of the log streams' lines."""
        return self.state_dir / "logs"

    @property
    def checkpoint_dir(self) -> Path:
        """The folder of the event source mappings' positions."""
        return self.state_dir / "event-source-mappings"

    def ministack_environment(self) -> dict[str, str]:
        """The variables ministack 1.5.33 reads when it is imported."""
        return {
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_PORT": str(self.mqtt_port),
            "BIND_HOST": HOST,
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "MINISTACK_REGION": self.region,
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.state_dir / "services"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.s3_dir),
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": self.log_level,
        }
