"""Every store of every stack, and what an erasure does about it: a new one that nobody decided on fails here."""

import json
import re
from dataclasses import dataclass

import pytest

from infra.local.servers.checkout import CHECKOUT
from infra.stacks.config import PlatformConfig
from iot_pipeline.contract import layout
from iot_pipeline.erasure.bucket_search import OTHER, zone_of
from iot_pipeline.erasure.remains import REMAINS
from iot_pipeline.erasure.stored import Bucket
from iot_pipeline_tests.support.templates import assembly

# Types of resources that keep what goes through them, or what is written to them.
STORES = {
    *("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::Logs::LogGroup"),
    *("AWS::Kinesis::Stream", "AWS::KinesisFirehose::DeliveryStream", "AWS::RDS::DBCluster", "AWS::ECR::Repository"),
    *("AWS::RedshiftServerless::Namespace", "AWS::Glue::Table", "AWS::Cognito::UserPool"),
    *("AWS::SecretsManager::Secret", "AWS::SSM::Parameter", "AWS::CloudTrail::Trail", "AWS::XRay::Group"),
    *("AWS::Lambda::Function", "AWS::IoT::ThingType", "AWS::Athena::WorkGroup"),
}
# Types that keep nothing of a device: what they are is in the templates, or they are the stores' own parts.
NO_STORES = re.compile(
    r"AWS::(ApplicationAutoScaling|CertificateManager|CloudWatch|Budgets|EC2|ECS|ElasticLoadBalancingV2|Events|IAM|KMS|"
    r"Route53|Scheduler|ServiceDiscovery|CodeBuild|CodePipeline|CodeStarConnections|CodeConnections|Config|GuardDuty|"
    r"SecurityHub|AccessAnalyzer|QuickSight|CloudFormation|CDK|WAFv2|Synthetics)::\w+|Custom::\w+|"
    r"AWS::(Glue::(Crawler|Database|Job|Trigger|Workflow)|IoT::(Policy|ProvisioningTemplate|TopicRule)|"
    r"Lambda::(EventInvokeConfig|EventSourceMapping|Permission|LayerVersion|Version|Alias)|"
    r"Logs::(LogStream|MetricFilter|QueryDefinition)|RDS::(DBClusterParameterGroup|DBInstance|DBSubnetGroup)|"
    r"RedshiftServerless::Workgroup|S3::BucketPolicy|SNS::(TopicPolicy|Subscription)|SQS::QueuePolicy|"
    r"Cognito::(UserPoolClient|UserPoolDomain|UserPoolGroup)|SecretsManager::(RotationSchedule|ResourcePolicy|"
    r"SecretTargetAttachment))"
)
ERASED = "erased"


@dataclass(frozen=True)
class Decision:
    """What becomes of the stores whose `type stack logical-id` matches: ERASED, a place of REMAINS, or why nothing."""

    of: str
    what: str


DECISIONS = (
    Decision(r"S3::Bucket \w+ (Lake|Results|Failures|Kept|ComputeLogs)", ERASED),
    Decision(r"S3::Bucket \w+ AccessLogs", "access logs of buckets and load balancer"),
    Decision(r"S3::Bucket \w+ Audit|CloudTrail", "the trail of who did what (CloudTrail)"),
    Decision(r"S3::Bucket Delivery", "no telemetry: sources and built images' descriptions"),
    Decision(r"DynamoDB::Table \w+ (DeviceState|Alerts|Cursors|Table)", ERASED),
    Decision(r"SQS::Queue \w+ (EdgeDeadLetters|AlertDeadLetters|RuleErrors)", ERASED),
    Decision(r"SQS::Queue \w+ (RawObjects|RawDeadLetters)", "no names: keys of raw objects"),
    Decision(
        r"SQS::Queue (Pull|Observability|Orchestration|\w*Security|\w*Delivery|Upkeep)\w* DeadLetters",
        "no names: calls by the clock",
    ),
    Decision(r"SQS::Queue (Spark|Streaming) DeadLetters", "no names: ends of Glue's runs, for a fortnight"),
    Decision(r"SNS::Topic", "SNS e-mails, chat messages, pages"),
    Decision(r"Logs::LogGroup", "CloudWatch Logs"),
    Decision(r"Kinesis::Stream", "Kinesis stream"),
    Decision(r"KinesisFirehose", "Firehose's buffer"),
    Decision(r"RDS::DBCluster \w+ (Registry|Database)", ERASED),
    Decision(r"RedshiftServerless::Namespace", ERASED),
    Decision(r"Glue::Table", ERASED),
    Decision(r"Cognito::UserPool", "no devices: people who sign in, whom an administrator removes"),
    Decision(r"SecretsManager::Secret", "no names: passwords and addresses"),
    Decision(r"SSM::Parameter", "no names: what AWS has made"),
    Decision(r"Lambda::Function Pull", "the files of vendors"),
    Decision(r"Lambda::Function", "no names: code; what is theirs lies in stores of their own"),
    Decision(r"ECR::Repository", "no names: code"),
    Decision(r"XRay::Group", "no names: traces have the calls' services and times"),
    Decision(r"IoT::ThingType", ERASED),
    Decision(r"Athena::WorkGroup", "Athena's history of queries"),
)
# Of the lake's bucket what a search knows by no zone, and why nothing of it is to be erased.
UNZONED = {
    layout.RECONCILED: "counts by hour",
    layout.STREAM_CHECKPOINT: "sequence numbers of the stream",
    layout.DBT_DOCS: "descriptions of the models",
    layout.REMOVALS: "salted hashes and counts",
    layout.PUBLISHING: "which process publishes",
}


def stores() -> set[str]:
    """`type stack logical-id` of each store of the environment that has every stack."""
    found = set()
    for path in sorted(assembly().glob("*.template.json")):
        stack = path.name.partition(".")[0].removeprefix("Telemetry")
        for name, one in json.loads(path.read_text())["Resources"].items():
            if one["Type"] in STORES:
                found.add(f"{one['Type'].removeprefix('AWS::')} {stack} {name}")
    return found


def test_each_type_of_resource_is_known_to_keep_something_or_nothing() -> None:
    types = {
        one["Type"]
        for path in assembly().glob("*.template.json")
        for one in json.loads(path.read_text())["Resources"].values()
    }
    assert {each for each in types - STORES if not NO_STORES.fullmatch(each)} == set()


def test_each_store_is_decided_on_and_each_decision_is_about_one() -> None:
    found = stores()
    assert {store for store in found if not _decided(store)} == set()
    used = {_decided(store) for store in found} | {None}
    assert [it.of for it in DECISIONS if it not in used and "Delivery" not in it.of] == []


def test_what_a_decision_names_is_erased_or_in_the_docs() -> None:
    places = {it.place for it in REMAINS}
    assert {it.what for it in DECISIONS if it.what != ERASED and not it.what.startswith("no ")} <= places


@pytest.mark.parametrize(
    ("store", "decided"), [("S3::Bucket Lake Lake1", True), ("S3::Bucket Lake Videos1", False), ("EFS Lake X", False)]
)
def test_a_store_that_is_new_is_not_decided_on(store: str, decided: bool) -> None:
    assert bool(_decided(store)) == decided


def test_each_prefix_of_the_lake_is_of_a_zone_or_says_why_not() -> None:
    prefixes = {value for name, value in vars(layout).items() if name.isupper() and isinstance(value, str)}
    bucket = Bucket(None, "lake")  # type: ignore[arg-type]  # nothing is asked of it
    assert {it for it in prefixes if zone_of(bucket, it) == OTHER} == set(UNZONED)


def test_the_docs_name_the_expiries_of_the_stacks() -> None:
    config, expiry = PlatformConfig(), {it.place: it.expiry for it in REMAINS}
    assert expiry["the trail of who did what (CloudTrail)"] == f"{config.audit_days} days"
    assert expiry["access logs of buckets and load balancer"] == f"{config.log_days} days"
    assert "IOT_INTAKE_BUCKET" in (CHECKOUT / "docs/operations.md").read_text(encoding="utf-8")


def _decided(store: str) -> Decision | None:
    return next((it for it in DECISIONS if re.match(it.of, store)), None)
