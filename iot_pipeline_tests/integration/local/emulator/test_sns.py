"""SNS developer guide, "Amazon SNS dead-letter queues" and "Amazon SNS message delivery retries"."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from iot_pipeline_tests.support.emulator import LocalAws, eventually, unique

pytestmark = pytest.mark.integration


def allow(aws: LocalAws, url: str, arn: str) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement | {"Resource": arn}]})
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def subscribed(aws: LocalAws, protocol: str, endpoint: str) -> tuple[str, str]:
    """A topic with one subscription, and the URL of the queue for what cannot be delivered."""
    sns, (url, queue) = aws.client("sns"), aws.queue()
    allow(aws, url, queue)
    topic = sns.create_topic(Name=unique("alerts"))["TopicArn"]
    redrive = json.dumps({"deadLetterTargetArn": queue})
    sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes={"RedrivePolicy": redrive})
    return topic, url


def test_a_queue_that_does_not_let_sns_send(local_aws: LocalAws) -> None:
    _url, closed = local_aws.queue()
    topic, dead = subscribed(local_aws, "sqs", closed)
    local_aws.client("sns").publish(TopicArn=topic, Message="leak", Subject="s")
    (message,) = local_aws.messages(dead)
    assert (message["Message"], message["Subject"], message["TopicArn"]) == ("leak", "s", topic)


def test_a_queue_that_takes_it(local_aws: LocalAws) -> None:
    url, queue = local_aws.queue()
    allow(local_aws, url, queue)
    topic, dead = subscribed(local_aws, "sqs", queue)
    local_aws.client("sns").publish(TopicArn=topic, Message="leak")
    (message,) = local_aws.messages(url)
    assert message["Message"] == "leak"
    assert local_aws.client("sqs").receive_message(QueueUrl=dead).get("Messages", []) == []


@contextmanager
def endpoint(status: int) -> Iterator[tuple[str, list[Any]]]:
    """A server that answers every notification so; what it was sent."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if asked[-1]["Type"] == "SubscriptionConfirmation" else status)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()


@pytest.mark.parametrize(("status", "attempts"), [(200, 1), (400, 1), (503, 3)])
def test_a_server_that_takes_it_one_that_refuses_and_one_that_fails(
    local_aws: LocalAws, status: int, attempts: int
) -> None:
    with endpoint(status) as (url, asked):
        topic, dead = subscribed(local_aws, "http", url)
        sns = local_aws.client("sns")
        assert eventually(lambda: asked), "the subscription has to be confirmed first"
        sns.confirm_subscription(TopicArn=topic, Token=asked[0]["Token"])
        sns.publish(TopicArn=topic, Message="leak")
        assert eventually(lambda: len(asked) == 1 + attempts)
        assert {message["Message"] for message in asked[1:]} == {"leak"}
        if status == 200:
            assert local_aws.client("sqs").receive_message(QueueUrl=dead).get("Messages", []) == []
        else:
            (message,) = local_aws.messages(dead)
            assert message["Message"] == "leak"
