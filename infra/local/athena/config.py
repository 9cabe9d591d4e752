"""What the server is told when it starts."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config as BotoConfig

ACCOUNT_ID = "000000000000"
REGION = "eu-west-1"


@dataclass(frozen=True)
class Config:
    """Paths and limits; `endpoint_url` is the emulator that holds S3, Glue and CloudFormation's workgroups."""

    state_dir: Path
    endpoint_url: str
    s3_data_dir: Path | None = None
    memory_limit: str = "1200MB"
    """Of DuckDB, which writes what is more to disk; the process holds some 250 MB beside (`make bench-memory`)."""
    threads: int = 2
    cache_bytes: int = 2 << 30
    trino_url: str | None = None
    """Of the Trino server that runs the statements; without one DuckDB does."""
    shortcuts: bool = True
    """Whether statements are rewritten to run faster (infra/local/athena/shortcuts); their results are the same."""

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator, with the environment's credentials.

        S3 is addressed by path, so that no host name needs to resolve.
        """
        return boto3.client(
            service,  # type: ignore[call-overload]  # the service name is a variable
            endpoint_url=self.endpoint_url,
            region_name=os.environ.get("AWS_DEFAULT_REGION", REGION),
            config=BotoConfig(max_pool_connections=16, retries={"max_attempts": 3}, s3={"addressing_style": "path"}),
        )
