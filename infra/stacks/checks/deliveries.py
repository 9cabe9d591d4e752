"""What is on its way arrives, or is set aside where somebody finds it."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Resource, Synthesised, listed, reference, text
from infra.stacks.config import PlatformConfig
from infra.stacks.ingest.record_conversion import TENANT_FOLDER
from infra.stacks.ingest.stack import HOUR_FOLDERS
from iot_pipeline.contract import tables
from iot_pipeline.contract.layout import RAW

# SQS keeps a message so long at most (SQS guide, "Amazon SQS message quotas").
_FORTNIGHT = 14 * 24 * 3600


def queue_has_dead_letter_queue(environment: Synthesised) -> Problems:
    """A queue that somebody consumes sets aside what cannot be consumed; a dead-letter queue needs none."""
    dead = _dead_letter_queues(environment)
    for queue in environment.of_type("AWS::SQS::Queue"):
        if (queue.stack, queue.name) not in dead and "RedrivePolicy" not in queue.properties:
            yield queue, "has no RedrivePolicy, and is no dead-letter queue itself"


def letters_wait_for_a_fortnight(environment: Synthesised) -> Problems:
    """A queue's messages outlast a week that nobody looked: raw notifications and dead letters alike."""
    for queue in environment.of_type("AWS::SQS::Queue"):
        if queue.properties.get("MessageRetentionPeriod") != _FORTNIGHT:
            yield queue, f"drops messages before {_FORTNIGHT} s (MessageRetentionPeriod; four days if it is missing)"


def _dead_letter_queues(environment: Synthesised) -> set[tuple[str, str]]:
    dead = set()
    for queue in environment.of_type("AWS::SQS::Queue"):
        if "RedrivePolicy" in queue.properties:
            dead.add((queue.stack, reference(queue.properties["RedrivePolicy"]["deadLetterTargetArn"])))
        # The senders to the edge's are in another stack; these queues say by their name what they are.
        if text(queue.properties.get("QueueName", "")).endswith("-dead-letters"):
            dead.add((queue.stack, queue.name))
    for rule in environment.of_type("AWS::IoT::TopicRule"):
        error = rule.properties["TopicRulePayload"].get("ErrorAction", {}).get("Sqs", {}).get("QueueUrl", "")
        dead.add((rule.stack, reference(error)))
    # The rules are in another stack, and find their dead-letter queue by this parameter.
    for parameter in environment.of_type("AWS::SSM::Parameter"):
        if text(parameter.properties["Name"]).endswith("/rule-errors-url"):
            dead.add((parameter.stack, reference(parameter.properties["Value"])))
    return dead


def firehose_has_error_prefix(environment: Synthesised) -> Problems:
    """Failed records go elsewhere than the data: under the data's prefix a query would read them."""
    for stream, destination in _destinations(environment):
        errors = destination.get("ErrorOutputPrefix")
        # The folder above the first expression is where a table's location is.
        literal = destination.get("Prefix", "").split("!{", maxsplit=1)[0]
        folder = literal[: literal.rfind("/") + 1]
        if not errors:
            yield stream, "has no ErrorOutputPrefix"
        elif errors.startswith(folder):
            yield stream, f"puts failed records ({errors}) under the data's prefix {folder!r}"


def firehose_writes_the_raw_zone(environment: Synthesised) -> Problems:
    """One line a record, gzip, or Parquet by the raw tables' schema, in the folder of its arrival hour in UTC."""
    config = environment.config
    folder = RAW + HOUR_FOLDERS + (TENANT_FOLDER if config.firehose_partition else "")
    for stream, destination in _destinations(environment):
        if destination.get("Prefix") != folder:
            yield stream, f"writes under {destination.get('Prefix')!r}: expected {folder!r}"
        yield from ((stream, problem) for problem in _of_format(config, destination))
        if destination.get("CustomTimeZone", "UTC") != "UTC":
            yield stream, f"names hours in {destination['CustomTimeZone']}: expected UTC"
        if destination.get("CloudWatchLoggingOptions", {}).get("Enabled") is not True:
            yield stream, "logs no failed delivery (CloudWatchLoggingOptions)"


def _of_format(config: PlatformConfig, destination: Mapping[str, Any]) -> Iterator[str]:
    processing = destination.get("ProcessingConfiguration", {})
    kinds = [p["Type"] for p in listed(processing.get("Processors")) if processing.get("Enabled")]
    conversion = destination.get("DataFormatConversionConfiguration", {})
    converts = bool(conversion.get("Enabled"))
    if converts != config.raw_is_parquet:
        done = "converts records to Parquet" if converts else "converts no record"
        yield f"{done}: the raw tables read {config.firehose_format}"
    if config.raw_is_parquet:
        schema = conversion.get("SchemaConfiguration", {})
        named = (text(schema.get("DatabaseName", "")), text(schema.get("TableName", "")))
        if named != (config.database, tables().raw_telemetry.name):
            yield f"converts by the columns of {'.'.join(named)}: expected those of the raw table"
        if "Lambda" not in kinds:
            yield "converts records as they come (no Lambda processor): their lines, which are judged, would be lost"
        return
    if destination.get("CompressionFormat") != "GZIP":
        yield f"compresses with {destination.get('CompressionFormat')}: the tables read GZIP"
    if "AppendDelimiterToRecord" not in kinds:
        yield "appends no newline (AppendDelimiterToRecord): an object would be one line"


def the_stream_outlasts_a_fault(environment: Synthesised) -> Problems:
    """Two days at least: a fault over a night, and the day on which it is found."""
    for stream in environment.of_type("AWS::Kinesis::Stream"):
        if int(stream.properties.get("RetentionPeriodHours", 24)) < 48:
            yield stream, f"keeps records for {stream.properties.get('RetentionPeriodHours', 24)} h, not 48"


def raw_objects_are_told_of(environment: Synthesised) -> Problems:
    """The queue that Dagster drains hears of every object that is new under raw, and of every one that is removed."""
    for bucket in environment.of_type("AWS::S3::Bucket"):
        if text(bucket.properties.get("BucketName", "")) != environment.config.lake_bucket:
            continue
        told = {
            (to["Event"], _prefix_of(to))
            for to in listed(bucket.properties.get("NotificationConfiguration", {}).get("QueueConfigurations"))
        }
        for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*"):
            if (event, RAW) not in told:
                yield bucket, f"tells no queue of {event} under {RAW}"


def calls_that_fail_are_kept(environment: Synthesised) -> Problems:
    """Records, scheduled calls and notifications that fail for good are set aside; retries have an end."""
    for mapping in environment.of_type("AWS::Lambda::EventSourceMapping"):
        says = mapping.properties
        if "ReportBatchItemFailures" not in listed(says.get("FunctionResponseTypes")):
            yield mapping, "repeats a whole batch for one record (FunctionResponseTypes)"
        problems = _of_stream(says) if "StartingPosition" in says else _of_queue(says)
        yield from ((mapping, problem) for problem in problems)
    for rule in environment.of_type("AWS::Events::Rule"):
        for target in listed(rule.properties.get("Targets")):
            if not target.get("DeadLetterConfig", {}).get("Arn"):
                yield rule, f"its target {target.get('Id')} has no dead-letter queue"
    for subscription in environment.of_type("AWS::SNS::Subscription"):
        if not subscription.properties.get("RedrivePolicy"):
            yield subscription, "drops what cannot be delivered (RedrivePolicy)"


def _of_stream(says: Mapping[str, Any]) -> Iterator[str]:
    if not says.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
        yield "gives records up without a trace (DestinationConfig)"
    for limit in ("MaximumRetryAttempts", "MaximumRecordAgeInSeconds"):
        if int(says.get(limit, -1)) < 0:
            yield f"has no {limit}: one bad record stops its shard until it expires"


def _of_queue(says: Mapping[str, Any]) -> Iterator[str]:
    """A queue itself sets aside what was received in vain (`queue_has_dead_letter_queue`)."""
    if not says.get("ScalingConfig", {}).get("MaximumConcurrency"):
        yield "has no MaximumConcurrency: what Lambda throttles is counted as received in vain"


def _destinations(environment: Synthesised) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    for stream in environment.of_type("AWS::KinesisFirehose::DeliveryStream"):
        for key, destination in stream.properties.items():
            if key.endswith("S3DestinationConfiguration"):
                yield stream, destination


def _prefix_of(told: Mapping[str, Any]) -> str:
    rules = listed(told.get("Filter", {}).get("S3Key", {}).get("Rules"))
    return "".join(str(rule["Value"]) for rule in rules if rule["Name"].lower() == "prefix")
