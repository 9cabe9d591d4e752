"""Crawls on arrival: S3's events by EventBridge into a queue, and the function that starts the raw crawler.

Amazon S3 user guide, "Using EventBridge"; AWS Lambda guide, "Using Lambda with Amazon SQS".
"""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from infra.stacks.alarming import add_alarm, metric
from infra.stacks.base import PlatformStack
from infra.stacks.bundles import ARRIVAL, built
from infra.stacks.dead_letters import dead_letters
from infra.stacks.nag import accept_role_dependency
from iot_pipeline.arrival.crawl import MAX_DELAY
from iot_pipeline.contract.layout import RAW

# Arrivals are gathered for a minute, or up to so many. A batch has 6 MB at most, which Lambda cuts it to by itself; an
# event of S3 is about 1 KB.
_WINDOW_SECONDS, _BATCH = 60, 1_000
# The least that a mapping of a queue takes (AWS Lambda guide, "Configuring maximum concurrency"). Below it, by the
# function's reserved concurrency alone, Lambda would go on polling, be throttled, and count a reception for it, so that
# arrivals would end among the dead letters untried. Two at once are no harm: Glue starts one crawl.
_CONCURRENCY = 2
_TIMEOUT = cdk.Duration.seconds(30)
# Six timeouts and the window (AWS Lambda guide, "Creating and configuring an Amazon SQS event source mapping").
_VISIBILITY = cdk.Duration.seconds(6 * 30 + _WINDOW_SECONDS)
# For half an hour of throttling by Glue.
_MAX_RECEIVES = 8


def add_crawl_starter(stack: PlatformStack, crawler: glue.CfnCrawler) -> lambda_.Function:
    """The function with its queue, the rule that fills it, and the alarms."""
    name = stack.config.crawl_starter
    rule_arn = stack.format_arn(service="events", resource="rule", resource_name=name)
    dead = dead_letters(stack, "CrawlDeadLetters", "crawl-starter", "events.amazonaws.com", [rule_arn])
    queue = _queue(stack, dead, rule_arn)
    _rule(stack, queue, dead)
    function = _function(stack, queue, dead, crawler)
    _alarms(stack, function, queue)
    stack.outputs(CrawlFunction=function.function_name, CrawlQueueUrl=queue.queue_url)
    return function


def _queue(stack: PlatformStack, dead: sqs.Queue, rule_arn: str) -> sqs.Queue:
    queue = sqs.Queue(
        stack,
        "Arrivals",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        visibility_timeout=_VISIBILITY,
        retention_period=cdk.Duration.days(14),
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=_MAX_RECEIVES),
    )
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="RuleSends",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={
                "ArnEquals": {"aws:SourceArn": rule_arn},
                "StringEquals": {"aws:SourceAccount": stack.config.account},
            },
        )
    )
    return queue


def _rule(stack: PlatformStack, queue: sqs.Queue, dead: sqs.Queue) -> None:
    """Only what is new under raw: neither what queries, builds and crawls write, nor what is removed."""
    events.CfnRule(
        stack,
        "RawArrivals",
        name=stack.config.crawl_starter,
        description="New objects of the raw zone, for the crawler",
        event_pattern={
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [stack.config.lake_bucket]}, "object": {"key": [{"prefix": RAW}]}},
        },
        targets=[
            events.CfnRule.TargetProperty(
                id="Arrivals",
                arn=queue.queue_arn,
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead.queue_arn),
            )
        ],
    )


def _function(stack: PlatformStack, queue: sqs.Queue, dead: sqs.Queue, crawler: glue.CfnCrawler) -> lambda_.Function:
    log = logs.LogGroup(
        stack,
        "CrawlStarterLog",
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    role = _role(stack, (queue, dead), crawler, log)
    with built(ARRIVAL) as package:
        function = lambda_.Function(
            stack,
            "CrawlStarter",
            function_name=stack.config.crawl_starter,
            description="Starts the crawler of the raw zone when objects have arrived",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="iot_pipeline.arrival.crawl.handle",
            code=lambda_.Code.from_asset(str(package)),
            environment={
                "IOT_RAW_CRAWLER": crawler.ref,
                "IOT_CRAWL_QUEUE_URL": queue.queue_url,
                "IOT_CRAWL_DEAD_LETTERS_URL": dead.queue_url,
                "IOT_CRAWL_PAUSE_MINUTES": str(stack.config.crawl_on_events_minutes),
            },
            # Without updates the construct cannot add statements of its own.
            role=role.without_policy_updates(),
            memory_size=256,
            timeout=_TIMEOUT,
            reserved_concurrent_executions=_CONCURRENCY,
            log_group=log,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
        )
    policy = role.node.find_child("DefaultPolicy")
    function.node.add_dependency(policy)
    accept_role_dependency(function)
    mapping = lambda_.CfnEventSourceMapping(
        stack,
        "ArrivalsMapping",
        function_name=function.function_arn,
        event_source_arn=queue.queue_arn,
        batch_size=_BATCH,
        maximum_batching_window_in_seconds=_WINDOW_SECONDS,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=_CONCURRENCY),
    )
    mapping.node.add_dependency(policy)
    return function


def _role(
    stack: PlatformStack, queues: tuple[sqs.Queue, sqs.Queue], crawler: glue.CfnCrawler, log: logs.LogGroup
) -> iam.Role:
    queue, dead = queues
    role = iam.Role(stack, "CrawlStarterRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    crawler_arn = stack.format_arn(service="glue", resource="crawler", resource_name=crawler.ref)
    statements = {
        "Crawl": iam.PolicyStatement(actions=["glue:GetCrawler", "glue:StartCrawler"], resources=[crawler_arn]),
        "Arrivals": iam.PolicyStatement(
            actions=["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], resources=[queue.queue_arn]
        ),
        "Again": iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn, dead.queue_arn]),
        "Log": iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log.log_group_arn]
        ),
    }
    for sid, statement in statements.items():
        statement.sid = sid
        role.add_to_policy(statement)
    return role


def _alarms(stack: PlatformStack, function: lambda_.Function, queue: sqs.Queue) -> None:
    # By the name that it is given: the queue's own attribute is the same.
    named = {"QueueName": stack.config.dead_letters("crawl-starter")}
    add_alarm(
        stack,
        "CrawlsGivenUp",
        "Arrivals in the raw zone were not crawled: the crawler failed three times, hangs, or cannot be started. The "
        "log of the crawl starter says which",
        metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", named, "Maximum"),
        1,
    )
    add_alarm(
        stack,
        "CrawlStarterErrors",
        "The crawl starter fails again and again; its messages come back until they are dead letters",
        metric("AWS/Lambda", "Errors", {"FunctionName": function.function_name}, "Sum"),
        1,
        periods=3,
    )
    # The starter puts a new message in place of one that has to wait: none grows older than its delay and its tries.
    longest = MAX_DELAY.total_seconds() + _MAX_RECEIVES * _VISIBILITY.to_seconds()
    add_alarm(
        stack,
        "CrawlsWait",
        "Arrivals in the raw zone wait, and the crawl starter does not take them: is its mapping on, is it throttled?",
        metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": queue.queue_name}, "Maximum"),
        longest,
    )
