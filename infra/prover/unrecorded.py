"""What the record of calls cannot say: calls that stand in the source and that no demo or test makes, each with why."""

from collections.abc import Mapping

# (site, operation): what it is on, as in recorded_calls.tsv.
UNRECORDED: Mapping[tuple[str, str], tuple[str, ...]] = {
    # The episode that a state was to be written with, by itself, after another writer has won: alerts alone.
    ("iot_pipeline.edge.state_store:StateStore._record", "dynamodb:PutItem"): ("EdgeData.Alerts91F83244",),
    # The canary is a device of the environment's own; its file is a package by itself and no module of the product's.
    ("canary_device:handler", "iot-data:Publish"): (
        "topic/{config.topic_root}/platform/canary/{config.name}-canary/telemetry",
    ),
    ("canary_device:newest", "dynamodb:GetItem"): ("EdgeData.DeviceState03394A42",),
    # Glue runs the streaming job, and a test its parts under the tests' own credentials.
    ("iot_pipeline.streaming.batches:Batches.process_batch", "s3:PutObject"): (
        "Lake.Lake5F1B88EA/streamed/telemetry/*",
    ),
    ("iot_pipeline.streaming.batches:Batches._keep_unjudged", "s3:PutObject"): (
        "EdgeData.Failures8A3E1A2F/streaming/*",
    ),
    **{
        ("iot_pipeline.streaming.batches:Batches._commit", f"glue:{operation}"): ("Lake.Database/streamed_telemetry",)
        for operation in ("GetTable", "CreatePartition", "UpdatePartition")
    },
    # So is the hook's file; the names of things are what devices say.
    ("new_things_only:handler", "iot:DescribeThing"): ("thing/*",),
}
# (site, operation): the partition key of all items that it is on, where the code asks for those of one alone.
LEADING_KEYS: Mapping[tuple[str, str], str] = {("canary_device:newest", "dynamodb:GetItem"): "{config.canary}"}
# (site, operation): why it is no call of AWS.
NEVER: Mapping[tuple[str, str], str] = {
    ("iot_pipeline.edge.notify:Notifier.run", "sns:Publish"): "`publish` is the router's, which has no client of SNS",
}
# Sites to which an object that is not there is an answer. S3 says so to those alone who may list (S3 API reference,
# GetObject, "Permissions"), and 403 to all others.
MISSING_IS_AN_ANSWER = ("iot_pipeline.edge.rules_source:RulesSource._refresh",)
