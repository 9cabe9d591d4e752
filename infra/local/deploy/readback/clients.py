"""The service clients, each made once, from the ordinary AWS environment."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from mypy_boto3_athena import AthenaClient
from mypy_boto3_firehose import FirehoseClient
from mypy_boto3_glue import GlueClient
from mypy_boto3_iam import IAMClient
from mypy_boto3_iot import IoTClient
from mypy_boto3_kinesis import KinesisClient
from mypy_boto3_s3 import S3Client
from mypy_boto3_sns import SNSClient
from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Clients:
    """Endpoint, region and credentials come from the environment (AWS_ENDPOINT_URL, AWS_REGION, ...)."""

    session: boto3.Session = field(default_factory=boto3.Session)

    @cached_property
    def s3(self) -> S3Client:
        return self.session.client("s3")

    @cached_property
    def sqs(self) -> SQSClient:
        return self.session.client("sqs")

    @cached_property
    def sns(self) -> SNSClient:
        return self.session.client("sns")

    @cached_property
    def kinesis(self) -> KinesisClient:
        return self.session.client("kinesis")

    @cached_property
    def firehose(self) -> FirehoseClient:
        return self.session.client("firehose")

    @cached_property
    def iot(self) -> IoTClient:
        return self.session.client("iot")

    @cached_property
    def glue(self) -> GlueClient:
        return self.session.client("glue")

    @cached_property
    def athena(self) -> AthenaClient:
        """The workgroups are read where CloudFormation made them, wherever queries may go."""
        return self.session.client("athena", endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))

    @cached_property
    def iam(self) -> IAMClient:
        return self.session.client("iam")

    @cached_property
    def functions(self) -> Any:  # untyped: the project's boto3 stubs leave this service out
        return self.session.client("lambda")

    @cached_property
    def kms(self) -> Any:  # untyped: the project's boto3 stubs leave this service out
        return self.session.client("kms")

    @cached_property
    def ssm(self) -> Any:  # untyped: the project's boto3 stubs leave this service out
        return self.session.client("ssm")

    @cached_property
    def secrets(self) -> Any:  # untyped: the project's boto3 stubs leave this service out
        return self.session.client("secretsmanager")

    @cached_property
    def logs(self) -> Any:  # untyped: the project's boto3 stubs leave this service out
        return self.session.client("logs")

    @cached_property
    def dynamodb(self) -> Any:  # untyped: the project's boto3 stubs leave this service out
        return self.session.client("dynamodb")

    @cached_property
    def cognito(self) -> Any:  # untyped: the project's boto3 stubs leave this service out
        return self.session.client("cognito-idp")

    @cached_property
    def events(self) -> Any:  # untyped: the project's boto3 stubs leave this service out
        return self.session.client("events")

    @cached_property
    def cloudwatch(self) -> Any:  # untyped: the project's boto3 stubs leave this service out
        return self.session.client("cloudwatch")
