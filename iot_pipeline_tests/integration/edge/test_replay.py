"""Dead letters of every source: counted, listed, and replayed, also twice, with what cannot be replayed left alone."""

import base64
import json
from dataclasses import dataclass
from typing import Any

import pytest

from iot_pipeline.alerting.channels.channel_letters import Letters
from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.contract.judge import Judge
from iot_pipeline.contract.layout import FAILED_DELIVERY
from iot_pipeline.edge.dead_letters import DeadLetterError, DeadLetters, Places
from iot_pipeline.edge.replay import Replayer
from iot_pipeline_tests.support.edge import NOON_MS, SHARD, Edge, event, line, reading

_MESSAGE = b'{"v":1,"device_id":"d1","readings":[{"ts":%d,"seq":1,"temperature":21.50}]}' % NOON_MS


@dataclass
class Kept:
    """Where an edge's dead letters are, and what replays them."""

    edge: Edge
    places: Places

    @property
    def kept(self) -> DeadLetters:
        """What lists them."""
        return DeadLetters(self.edge.clients["sqs"], self.edge.clients["s3"], self.places)

    def replay(self, source: str) -> list[str]:
        """Replay a source; what became of each."""
        edge = self.edge
        channel_letters = Letters(edge.clients["dynamodb"], edge.settings.alerts_table)
        replayer = Replayer(
            self.kept, edge.states, channel_letters, edge.clients.__getitem__, edge.settings.stream, RuleSet()
        )
        return [result for _, result in replayer.run(source)]

    def stream(self) -> list[bytes]:
        """What is on the stream."""
        kinesis, name = self.edge.clients["kinesis"], self.edge.settings.stream
        iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON")
        return [record["Data"] for record in kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]]


@pytest.fixture
def letters(edge: Edge) -> Kept:
    """Queues of its own; both buckets are the edge's."""
    sqs, name = edge.clients["sqs"], edge.settings.stream
    urls = [sqs.create_queue(QueueName=f"{name}-{each}")["QueueUrl"] for each in ("rule", "invocation", "sns")]
    rule, invocation, notification = urls
    return Kept(edge, Places(rule, invocation, notification, lake=name, failures=name))


def _rule_error(payload: bytes, topic: str = "dt/acme/bern/d1/telemetry") -> str:
    error = {
        "ruleName": "telemetry",
        "topic": topic,
        "clientId": "d1",
        "base64OriginalPayload": base64.b64encode(payload).decode(),
        "failures": [{"failedAction": "KinesisAction", "errorMessage": "throughput exceeded"}],
    }
    return json.dumps(error)


def test_what_a_rule_could_not_hand_on_is_put_on_the_stream_as_the_rule_would_have(letters: Kept) -> None:
    sqs = letters.edge.clients["sqs"]
    for payload in (_MESSAGE, b"\xff{"):
        sqs.send_message(QueueUrl=letters.places.rule_errors, MessageBody=_rule_error(payload))
    sqs.send_message(QueueUrl=letters.places.rule_errors, MessageBody="hello")
    assert letters.kept.counts()["rule"] == 3
    results = letters.replay("rule")
    assert results.count("replayed") == 2
    assert [each for each in results if "no error of a rule for telemetry" in each]
    judged = [Judge().line(each)[0] for each in letters.stream()]
    assert sorted(str(each.outcome) for each in judged) == ["malformed_json", "valid"]
    (valid,) = [each for each in judged if each.outcome == "valid"]
    assert (valid.message.tenant, valid.message.site, valid.message.device_id) == ("acme", "bern", "d1")
    assert valid.values == {"temperature": 21.5}
    assert letters.kept.counts()["rule"] == 1


def test_what_firehose_could_not_deliver_is_put_on_the_stream_again(letters: Kept) -> None:
    s3 = letters.edge.clients["s3"]
    sent = line([reading(NOON_MS, 1, temperature=20)], NOON_MS)
    record = {"errorCode": "Lambda.X", "errorMessage": "it failed", "rawData": base64.b64encode(sent + b"\n").decode()}
    key = f"{FAILED_DELIVERY}processing-failed/year=2026/x"
    s3.put_object(Bucket=letters.places.lake, Key=key, Body=json.dumps(record).encode() + b"\n")
    (letter,) = letters.kept.list("firehose")
    assert letter.reason == "Lambda.X: it failed"
    assert letters.replay("firehose") == ["replayed"]
    assert letters.stream() == [sent]
    assert letters.replay("firehose") == []
    assert letters.kept.counts()["firehose"] == 0


def _give_up(letters: Kept, given_up: dict[str, Any]) -> None:
    body = {"requestContext": {"condition": "RetryAttemptsExhausted"}, "payload": json.dumps(given_up)}
    key = f"aws/lambda/mapping/{SHARD}/2026/11/21/{len(given_up['Records'])}"
    letters.edge.clients["s3"].put_object(Bucket=letters.places.failures, Key=key, Body=json.dumps(body).encode())


def test_what_the_handler_gave_up_moves_the_latest_forward_and_never_back(letters: Kept) -> None:
    edge = letters.edge
    newer = line([reading(NOON_MS + 5000, 9, temperature=25)], NOON_MS + 5000)
    edge.handler().take(event([(9, newer)]))
    lost = [
        (7, line([reading(NOON_MS, 7, temperature=20, humidity=40)], NOON_MS)),
        (8, line([reading(NOON_MS, 1, temperature=400)], NOON_MS, device="d2")),
    ]
    _give_up(letters, event(lost))
    before = edge.state("d1").counts
    assert letters.replay("edge") == ["replayed"]
    _give_up(letters, event(lost))
    assert letters.replay("edge") == ["replayed"]
    state = edge.state("d1")
    assert (state.series["temperature"].value, state.series["humidity"].value) == (25, 40)
    assert (state.counts, state.sequence) == (before, 9)
    assert [each["device"] for each in edge.episodes()] == ["d2"]


def test_what_cannot_be_replayed_stays_and_says_why(letters: Kept) -> None:
    s3 = letters.edge.clients["s3"]
    s3.put_object(Bucket=letters.places.failures, Key="aws/lambda/mapping/x", Body=b'{"payload": "{}"}')
    (why,) = letters.replay("edge")
    assert "no invocation record of the handler" in why
    assert letters.kept.counts()["edge"] == 1
    with pytest.raises(DeadLetterError, match="there are rule, firehose, edge, invocation, notification"):
        letters.replay("moon")


def test_a_notification_that_nobody_got_is_sent_again_with_its_id(letters: Kept) -> None:
    edge, sqs = letters.edge, letters.edge.clients["sqs"]
    url = sqs.create_queue(QueueName=f"{edge.settings.stream}-inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    edge.clients["sns"].subscribe(TopicArn=edge.settings.topic_critical, Protocol="sqs", Endpoint=arn)
    attributes = {"id": {"Type": "String", "Value": "e1:opened:1"}}
    lost = {"TopicArn": edge.settings.topic_critical, "Message": "{}", "Subject": "s", "MessageAttributes": attributes}
    sqs.send_message(QueueUrl=letters.places.notifications, MessageBody=json.dumps(lost))
    assert letters.replay("notification") == ["replayed"]
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["MessageAttributes"] == attributes
