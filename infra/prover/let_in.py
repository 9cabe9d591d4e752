"""Which of AWS's services have to be let in by a role's trust, a key, a bucket, a queue, a topic or a function.

Derived from how the templates connect things, each with the page that names the principal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.prover.deployed import Environment, Resource
from infra.prover.granted import PASSING, Role


@dataclass(frozen=True, order=True)
class Entry:
    """A service that acts by itself: what it does on what, for which of our resources, and the page that says so.

    `at` is the resource whose policy decides. `tells_account`: whether the service says for whose account it acts.
    """

    at: str
    service: str
    action: str
    resource: str
    source: str
    why: str
    tells_account: bool = True
    context: tuple[tuple[str, str], ...] = ()


_TASK = "AWS::ECS::TaskDefinition"
_DEPUTY = 'IAM user guide, "The confused deputy problem"; '
# Who takes a role on, by the type of the resource that has it (the page on each service's roles).
TRUSTED: Mapping[str, tuple[str, ...]] = {
    "AWS::Lambda::Function": ("lambda.amazonaws.com",),
    "AWS::IoT::TopicRule": ("iot.amazonaws.com",),
    "AWS::IoT::ProvisioningTemplate": ("iot.amazonaws.com",),
    "AWS::KinesisFirehose::DeliveryStream": ("firehose.amazonaws.com",),
    "AWS::Glue::Crawler": ("glue.amazonaws.com",),
    "AWS::Glue::Job": ("glue.amazonaws.com",),
    # Redshift guide, "Granting permissions to Amazon Redshift Serverless": both names.
    "AWS::RedshiftServerless::Namespace": ("redshift-serverless.amazonaws.com", "redshift.amazonaws.com"),
    "AWS::EC2::FlowLog": ("vpc-flow-logs.amazonaws.com",),
    "AWS::ECS::TaskDefinition": ("ecs-tasks.amazonaws.com",),
    "AWS::CodeBuild::Project": ("codebuild.amazonaws.com",),
    "AWS::CodePipeline::Pipeline": ("codepipeline.amazonaws.com",),
    "AWS::CloudTrail::Trail": ("cloudtrail.amazonaws.com",),
    "AWS::Config::ConfigurationRecorder": ("config.amazonaws.com",),
    "AWS::Events::Rule": ("events.amazonaws.com",),
    "AWS::Scheduler::Schedule": ("scheduler.amazonaws.com",),
}
# A function's role is a function's alone: only whoever may pass it gives it to one, and Lambda tells no account when it
# runs one (AWS Lambda guide, "Defining Lambda function permissions with an execution role").
_TELL_NO_ACCOUNT = ("lambda.amazonaws.com",)

_S3 = 'S3 user guide, "Granting permissions to publish event notification messages to a destination"'
_ACCESS_LOGS = 'S3 user guide, "Enabling Amazon S3 server access logging"'
_ALARMS = (
    'SNS guide, "Managing Amazon SNS encryption keys and costs", event sources; CloudWatch guide, "Notifying users"'
)
_RULES = 'EventBridge guide, "Using resource-based policies for Amazon EventBridge"'
_RETRIES = 'EventBridge guide, "Using dead-letter queues to process undelivered events"'
_SUBSCRIPTIONS = 'SNS guide, "Amazon SNS dead-letter queues"'
_TRAIL = 'CloudTrail guide, "Amazon S3 bucket policy for CloudTrail"'
_TRAIL_KEY = 'CloudTrail guide, "Configure AWS KMS key policies for CloudTrail"'
_LOG_KEY = 'CloudWatch Logs guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service"'
_DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"
_BALANCER_LOGS = 'Elastic Load Balancing guide, "Enable access logs for your Application Load Balancer"'
_BUDGETS = 'Cost Management guide, "Creating an Amazon SNS topic for budget notifications"'
_HOOK = 'AWS IoT Core developer guide, "Pre-provisioning hooks"'


def trusts(environment: Environment, role: Role) -> Iterator[Entry]:
    """Who has to be able to take a role on. Raises ValueError for a resource of a type that is not known here."""
    for use in role.uses:
        kind = use.resource.type
        if use.property == PASSING:
            if all(other.property == PASSING for other in role.uses):
                # It is given to a task of ECS when that is started.
                config = environment.config
                source = f"arn:aws:ecs:{config.region}:{config.account}:task/{config.dagster_name}"
                yield Entry(
                    role.arn, "ecs-tasks.amazonaws.com", "sts:AssumeRole", role.arn, source, f"{_DEPUTY}{_TASK}"
                )
            continue
        if kind not in TRUSTED:
            raise ValueError(f"{use.resource.name} ({kind}): say in infra/prover/let_in.py who takes its role on")
        for service in TRUSTED[kind]:
            source = environment.arn(use.resource)
            if not source.startswith("arn:"):
                config = environment.config
                source = (
                    f"arn:aws:{service.partition('.')[0]}:{config.region}:{config.account}:{use.resource.logical_id}"
                )
            yield Entry(
                role.arn,
                service,
                "sts:AssumeRole",
                role.arn,
                source,
                f"{_DEPUTY}{kind}",
                service not in _TELL_NO_ACCOUNT,
            )


def entries(environment: Environment) -> list[Entry]:
    """All but the roles': of queues, topics, buckets and functions, and of the keys that these are under."""
    found = sorted(
        {
            *_notifications(environment),
            *_access_logs(environment),
            *_alarms(environment),
            *_event_rules(environment),
            *_subscriptions(environment),
            *_hooks(environment),
            *_alerts(environment),
            *_trails(environment),
            *_encrypted_logs(environment),
            *_load_balancers(environment),
            *_budgets(environment),
        }
    )
    return [*found, *(key for entry in found for key in _keys(environment, entry))]


def _notifications(environment: Environment) -> Iterator[Entry]:
    for bucket in environment.of_type("AWS::S3::Bucket"):
        told = bucket.properties.get("NotificationConfiguration", {})
        for queue in told.get("QueueConfigurations", ()):
            yield _send(queue["Queue"], "s3.amazonaws.com", environment.arn(bucket), _S3)


def _access_logs(environment: Environment) -> Iterator[Entry]:
    for bucket in environment.of_type("AWS::S3::Bucket"):
        if logging := bucket.properties.get("LoggingConfiguration"):
            to = f"arn:aws:s3:::{logging['DestinationBucketName']}"
            objects = f"{to}/{logging.get('LogFilePrefix', '')}any"
            yield Entry(to, "logging.s3.amazonaws.com", "s3:PutObject", objects, environment.arn(bucket), _ACCESS_LOGS)


def _alarms(environment: Environment) -> Iterator[Entry]:
    for alarm in environment.of_type("AWS::CloudWatch::Alarm"):
        for kind in ("AlarmActions", "OKActions", "InsufficientDataActions"):
            for target in alarm.properties.get(kind, ()):
                if ":sns:" in target:
                    yield Entry(
                        target, "cloudwatch.amazonaws.com", "sns:Publish", target, environment.arn(alarm), _ALARMS
                    )


def _event_rules(environment: Environment) -> Iterator[Entry]:
    for rule in environment.of_type("AWS::Events::Rule"):
        for target in rule.properties.get("Targets", ()):
            arn, service, source = target["Arn"], "events.amazonaws.com", environment.arn(rule)
            if ":sns:" in arn:
                yield Entry(arn, service, "sns:Publish", arn, source, _RULES)
            elif ":sqs:" in arn:
                yield _send(arn, service, source, _RULES)
            elif ":lambda:" in arn:
                yield Entry(arn, service, "lambda:InvokeFunction", arn, source, _RULES)
            if dead := target.get("DeadLetterConfig", {}).get("Arn"):
                yield _send(dead, service, source, _RETRIES)


def _subscriptions(environment: Environment) -> Iterator[Entry]:
    """A topic's dead letters. Where nobody is subscribed yet, the queue waits for those who are added by hand."""
    topics = [environment.arn(topic) for topic in environment.of_type("AWS::SNS::Topic")]
    for subscription in environment.of_type("AWS::SNS::Subscription"):
        topic = subscription.properties["TopicArn"]
        if subscription.properties["Protocol"] == "sqs":
            yield _send(subscription.properties["Endpoint"], "sns.amazonaws.com", topic, _SUBSCRIPTIONS)
        if dead := subscription.properties.get("RedrivePolicy", {}).get("deadLetterTargetArn"):
            yield _send(dead, "sns.amazonaws.com", topic, _SUBSCRIPTIONS)
    config = environment.config
    if config.parts.stream:
        severities = [config.alert_topic(severity) for severity in ("warning", "critical")]
        queue = f"arn:aws:sqs:{config.region}:{config.account}:{config.dead_letters('alert')}"
        for topic in topics:
            if topic.rpartition(":")[2] in severities:
                yield _send(queue, "sns.amazonaws.com", topic, _SUBSCRIPTIONS)


def _hooks(environment: Environment) -> Iterator[Entry]:
    for template in environment.of_type("AWS::IoT::ProvisioningTemplate"):
        if hook := template.properties.get("PreProvisioningHook"):
            config = environment.config
            name = template.properties["TemplateName"]
            source = f"arn:aws:iot:{config.region}:{config.account}:provisioningtemplate/{name}"
            yield Entry(
                hook["TargetArn"], "iot.amazonaws.com", "lambda:InvokeFunction", hook["TargetArn"], source, _HOOK
            )


def _alerts(environment: Environment) -> Iterator[Entry]:
    """The topic of alerts takes every alarm and rule of this account, those too that operators add."""
    config = environment.config
    for parameter in environment.of_type("AWS::SSM::Parameter"):
        if parameter.properties["Name"] == config.parameter("alerts-topic"):
            topic = parameter.properties["Value"]
            where = f"{config.region}:{config.account}"
            yield Entry(
                topic,
                "cloudwatch.amazonaws.com",
                "sns:Publish",
                topic,
                f"arn:aws:cloudwatch:{where}:alarm:any",
                _ALARMS,
            )
            yield Entry(topic, "events.amazonaws.com", "sns:Publish", topic, f"arn:aws:events:{where}:rule/any", _RULES)


def _trails(environment: Environment) -> Iterator[Entry]:
    config = environment.config
    for trail in environment.of_type("AWS::CloudTrail::Trail"):
        arn, service = environment.arn(trail), "cloudtrail.amazonaws.com"
        bucket = f"arn:aws:s3:::{trail.properties['S3BucketName']}"
        prefix = trail.properties.get("S3KeyPrefix")
        written = f"{bucket}/{prefix + '/' if prefix else ''}AWSLogs/{config.account}/any"
        acl = (("s3:x-amz-acl", "bucket-owner-full-control"),)
        yield Entry(bucket, service, "s3:GetBucketAcl", bucket, arn, _TRAIL)
        yield Entry(bucket, service, "s3:PutObject", written, arn, _TRAIL, context=acl)
        if key := trail.properties.get("KMSKeyId"):
            of_trail = (("kms:EncryptionContext:aws:cloudtrail:arn", arn),)
            # CloudTrail advises against aws:SourceAccount in a key's policy; the account is in the trail's ARN.
            yield Entry(key, service, "kms:GenerateDataKey", key, arn, _TRAIL_KEY, context=of_trail)
            for action in ("kms:DescribeKey", "kms:Decrypt"):
                yield Entry(key, service, action, key, arn, _TRAIL_KEY)


def _budgets(environment: Environment) -> Iterator[Entry]:
    for budget in environment.of_type("AWS::Budgets::Budget"):
        for notification in budget.properties.get("NotificationsWithSubscribers", ()):
            for subscriber in notification["Subscribers"]:
                if subscriber["SubscriptionType"] == "SNS":
                    topic, account = subscriber["Address"], environment.config.account
                    source = f"arn:aws:budgets::{account}:{budget.logical_id}"
                    yield Entry(topic, "budgets.amazonaws.com", "sns:Publish", topic, source, _BUDGETS)


def _load_balancers(environment: Environment) -> Iterator[Entry]:
    """The delivery of access logs, which tells no account: the path does, below which it writes an account's logs."""
    config = environment.config
    for balancer in environment.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        said = {one["Key"]: one["Value"] for one in balancer.properties.get("LoadBalancerAttributes", ())}
        if said.get("access_logs.s3.enabled") == "true":
            bucket = f"arn:aws:s3:::{said['access_logs.s3.bucket']}"
            prefix = said.get("access_logs.s3.prefix")
            written = f"{bucket}/{prefix + '/' if prefix else ''}AWSLogs/{config.account}/any"
            source = f"arn:aws:elasticloadbalancing:{config.region}:{config.account}:loadbalancer/app/any"
            yield Entry(bucket, _DELIVERY, "s3:PutObject", written, source, _BALANCER_LOGS, False)


def _encrypted_logs(environment: Environment) -> Iterator[Entry]:
    config = environment.config
    for group in environment.of_type("AWS::Logs::LogGroup"):
        if key := group.properties.get("KmsKeyId"):
            arn = environment.arn(group).removesuffix(":*")
            of_group = (("kms:EncryptionContext:aws:logs:arn", arn),)
            for action in ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey"):
                yield Entry(
                    key, f"logs.{config.region}.amazonaws.com", f"kms:{action}", key, arn, _LOG_KEY, context=of_group
                )


def _keys(environment: Environment, entry: Entry) -> Iterator[Entry]:
    """What a service asks of the key of a queue or topic that it sends to, by itself."""
    resource = environment.by_arn.get(entry.at)
    if resource is None or resource.type not in ("AWS::SNS::Topic", "AWS::SQS::Queue"):
        return
    name = resource.properties.get("KmsMasterKeyId")
    keys = [key for key in environment.of_type("AWS::KMS::Key") if _is_key(environment, key, name)]
    for key in keys:
        arn = environment.arn(key)
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            yield Entry(arn, entry.service, action, arn, entry.source, entry.why)


def _is_key(environment: Environment, key: Resource, name: object) -> bool:
    arn = environment.arn(key)
    return name in (arn, arn.rpartition("/")[2])


def _send(queue: str, service: str, source: str, why: str) -> Entry:
    return Entry(queue, service, "sqs:SendMessage", queue, source, why)
