"""The edge's data: live state and alerts, what failed, and the topics by which people hear of it."""

from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.edge.channels import add_channels_secret
from infra.stacks.edge.failures import add_dead_letters, add_failure_bucket
from infra.stacks.edge.tables import add_alerts_table, add_device_state
from infra.stacks.edge.topics import add_topics
from infra.stacks.parameters import publish, read


class EdgeDataStack(PlatformStack):
    """Everything of the edge that holds data, and that the functions come and go without."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "EdgeData", config, holds_data=True)
        key = self.key("Key", "edge", f"Live state, alerts and failed records of {config.name}")
        state = add_device_state(self, key)
        alerts = add_alerts_table(self, key)
        failures = add_failure_bucket(self, key)
        dead_letters = add_dead_letters(self)
        alerts_key = kms.Key.from_key_arn(self, "AlertsKey", read(self, config, "alerts-key"))
        topics = add_topics(self, alerts_key, dead_letters.notifications)
        add_channels_secret(self, key)
        queue = dead_letters.notifications
        publish(self, config, {"edge-key": key.key_arn, "alert-dead-letters": queue.queue_url})
        self.outputs(
            DeviceStateTable=state.table_name,
            AlertsTable=alerts.table_name,
            EdgeFailureBucket=failures.bucket_name,
            EdgeDeadLettersUrl=dead_letters.invocations.queue_url,
            AlertDeadLettersUrl=dead_letters.notifications.queue_url,
            WarningTopicArn=topics.warning.topic_arn,
            CriticalTopicArn=topics.critical.topic_arn,
            ChannelsSecret=config.channels_secret,
        )
