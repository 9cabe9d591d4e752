"""What of a subject stays after its erasure, and until when: what is not searched, because it cannot be, is named here.

`python -m iot_pipeline.erasure remains` prints it; docs/retention.md has it as a table, which a test compares.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Remains:
    """A place that keeps something of an erased subject for a time. `expiry` says how long, `why` it is left."""

    place: str
    holds: str
    expiry: str
    why: str


REMAINS = (
    Remains("Kinesis stream", "messages that were sent before", "48 hours", "a stream's records cannot be removed"),
    Remains(
        "Firehose's buffer", "messages on their way to the raw zone", "24 hours", "run the erasure once more after it"
    ),
    Remains("SQS messages in flight", "a dead letter that somebody is reading", "14 days", "SQS shows it to no other"),
    Remains(
        "noncurrent versions of objects",
        "objects that were overwritten before the erasure, by others than it",
        "7 days",
        "the erasure removes those that it finds; S3 removes the rest",
    ),
    Remains(
        "people's query results",
        "what people asked of the tables",
        "7 days",
        "they are erased where IOT_RESULTS_BUCKET names the bucket",
    ),
    Remains(
        "Athena's history of queries",
        "the text of queries that people wrote",
        "45 days",
        "AWS gives no way to remove it",
    ),
    Remains("CloudWatch Logs", "what functions and databases logged", "3 months", "a line of a log cannot be removed"),
    Remains("Aurora's backups", "the registry as it was", "14 days", "a backup cannot be changed"),
    Remains("Aurora's final snapshot", "none, while the registry stands", "-", "it is taken when the stack is deleted"),
    Remains(
        "DynamoDB point-in-time recovery", "device states and alerts as they were", "35 days", "it cannot be changed"
    ),
    Remains(
        "Redshift recovery points", "the warehouse as it was", "24 hours", "Redshift Serverless takes and removes them"
    ),
    Remains("the warehouse's nightly snapshots", "the warehouse as it was", "7 days", "a snapshot cannot be changed"),
    Remains("QuickSight's data sets", "means of hours, by device", "a day", "they are read anew each day"),
    Remains("Redshift's system views", "the text of queries", "7 days", "AWS gives no way to remove it"),
    Remains("PostgreSQL's and Redshift's pages", "rows that were deleted", "the next vacuum", "nobody can read them"),
    Remains(
        "SNS e-mails, chat messages, pages", "alerts that people were told of", "theirs", "they have left the platform"
    ),
    Remains(
        "the trail of who did what (CloudTrail)",
        "the names of things that were made and removed",
        "365 days",
        "a record of who did what is not to be changed",
    ),
    Remains(
        "access logs of buckets and load balancer",
        "keys of objects and addresses of pages, where they name somebody",
        "365 days",
        "they are AWS's own records",
    ),
    Remains(
        "the console's audit",
        "who changed what of a device or tenant, and why",
        "400 days",
        "a record of who did what is not to be changed",
    ),
    Remains(
        "the files of vendors",
        "devices that are pulled",
        "-",
        "take them out of infra/vendors and deploy: otherwise they come again",
    ),
    Remains(
        "the record of the erasure",
        "a salted hash, hours, counts",
        "never",
        "by it a name that is given can be checked",
    ),
)
