"""What was published: a queue that listens to both of an edge's topics."""

import json
from dataclasses import dataclass
from typing import Any

from iot_pipeline_tests.support.edge import Edge


@dataclass
class Inbox:
    """A queue."""

    edge: Edge
    url: str

    @classmethod
    def of(cls, edge: Edge) -> "Inbox":
        """The inbox of an edge; from the first call on it gets what is published."""
        sqs, sns, name = edge.clients["sqs"], edge.clients["sns"], edge.settings.stream
        url = sqs.create_queue(QueueName=f"{name}-inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [statement | {"Resource": arn}]}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        for topic in (edge.settings.topic_warning, edge.settings.topic_critical):
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return cls(edge, url)

    def read(self) -> list[dict[str, Any]]:
        """What has come in since the last reading: the notifications' data."""
        sqs = self.edge.clients["sqs"]
        found = []
        while messages := sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(json.loads(message["Body"])["Message"]))
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return found
