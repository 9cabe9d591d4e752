"""What was published: a queue that listens to both of an edge's topics."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from iot_pipeline_tests.support.edge import Edge


@dataclass
class Inbox:
    """A queue."""

    sqs: Any
    url: str

    @classmethod
    def of(cls, edge: Edge) -> "Inbox":
        """The inbox of an edge; from the first call on it gets what is published."""
        topics = (edge.settings.topic_warning, edge.settings.topic_critical)
        return cls.on(edge.clients["sqs"], edge.clients["sns"], f"{edge.settings.stream}-inbox", topics)

    @classmethod
    def on(cls, sqs: Any, sns: Any, name: str, topics: Iterable[str]) -> "Inbox":
        """A queue of this name that listens to topics."""
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [statement | {"Resource": arn}]}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        for topic in topics:
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return cls(sqs, url)

    def read(self) -> list[dict[str, Any]]:
        """What has come in since the last reading: the notifications' data."""
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(json.loads(message["Body"])["Message"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return found
