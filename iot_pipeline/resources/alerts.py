"""Alerts, to SNS."""

import boto3
import dagster as dg

from iot_pipeline.settings import deployment

# SNS API, Publish: a subject has fewer than 100 characters.
MAX_SUBJECT = 99


class Alerts(dg.ConfigurableResource["Alerts"]):
    """The alerts topic."""

    def publish(self, subject: str, message: str) -> None:
        """Publish one alert; the subject is cut to SNS's limit, the message says the same in full."""
        boto3.client("sns").publish(
            TopicArn=deployment().alerts_topic_arn, Subject=subject[:MAX_SUBJECT], Message=f"{subject}\n\n{message}"
        )
