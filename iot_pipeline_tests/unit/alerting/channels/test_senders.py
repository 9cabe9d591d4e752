"""What a channel's answer means."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from iot_pipeline.alerting.channels import senders
from iot_pipeline.alerting.channels.delivery import MAX_PAUSE_MS, pause_ms
from iot_pipeline.alerting.channels.document import Channel, ChannelKind
from iot_pipeline.alerting.channels.message import Message
from iot_pipeline.alerting.channels.posting import Answer, UnreachableError
from iot_pipeline.alerting.channels.senders import Outcome, Result, sender
from iot_pipeline.alerting.notifications import Notification

SLACK = Channel("ops", ChannelKind.SLACK, address="https://hooks.slack.com/hidden")
TOLD = Message("i", "opened", "critical", "t" * 200, episode="e", text="text", data={"what": "opened"})


def nothing(_told: Notification) -> None:
    """Publishes nothing."""


@pytest.mark.parametrize(
    ("status", "retry_after", "result", "pause"),
    [
        (200, None, Result.SENT, None),
        (202, None, Result.SENT, None),
        (301, None, Result.REFUSED, None),
        (400, "9", Result.REFUSED, None),
        (404, None, Result.REFUSED, None),
        (410, None, Result.REFUSED, None),
        (408, None, Result.LATER, None),
        (429, "30", Result.LATER, 30_000),
        (429, "soon", Result.LATER, None),
        (429, "Sat, 21 Nov 2020 12:00:00 GMT", Result.LATER, 0),
        (500, None, Result.LATER, None),
        (503, "120", Result.LATER, 120_000),
    ],
)
def test_answers(
    monkeypatch: pytest.MonkeyPatch, status: int, retry_after: str | None, result: Result, pause: int | None
) -> None:
    monkeypatch.setattr(senders, "post", lambda *_: Answer(status, "why https://hooks.slack.com/hidden", retry_after))
    outcome = sender(nothing)(SLACK, TOLD)
    assert (outcome.result, outcome.pause_ms) == (result, pause)
    assert outcome.reason == ("" if result is Result.SENT else f"HTTP {status}: why ***")


def test_no_answer_may_be_one_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any) -> Answer:
        raise UnreachableError("no answer within 10 s")

    monkeypatch.setattr(senders, "post", unreachable)
    assert sender(nothing)(SLACK, TOLD) == Outcome(Result.LATER, "no answer within 10 s")


def test_the_key_of_pagerduty_is_put_in_as_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[tuple[Any, ...]] = []

    def post(*given: Any) -> Answer:
        posted.append(given)
        return Answer(202, "", None)

    monkeypatch.setattr(senders, "post", post)
    pager = Channel("pager", ChannelKind.PAGERDUTY, address="https://events.example/v2/enqueue", routing_key="hidden")
    assert sender(nothing)(pager, TOLD).result is Result.SENT
    assert (posted[0][0], posted[0][1]["routing_key"]) == ("https://events.example/v2/enqueue", "hidden")
    assert "hidden" not in str(senders.payload(pager, TOLD))


def _refusing(code: str, status: int) -> Callable[[Notification], None]:
    def publish(_told: Notification) -> None:
        answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, "Publish")

    return publish


def _late(_told: Notification) -> None:
    raise ConnectTimeoutError(endpoint_url="https://sns.example")


@pytest.mark.parametrize(
    ("publish", "result"),
    [
        (nothing, Result.SENT),
        (_refusing("NotFound", 404), Result.REFUSED),
        (_refusing("Throttling", 400), Result.LATER),
        (_refusing("InternalFailure", 500), Result.LATER),
        (_late, Result.LATER),
    ],
)
def test_topics_answer_too(publish: Callable[[Notification], None], result: Result) -> None:
    assert sender(publish)(Channel("mail", ChannelKind.SNS), TOLD).result is result


def test_a_subject_is_as_long_as_sns_takes_it() -> None:
    found: list[Notification] = []
    sender(found.append)(Channel("mail", ChannelKind.SNS), TOLD)
    assert (len(found[0].subject), found[0].text, found[0].severity.label) == (99, "text", "critical")


def test_pauses_double_up_to_a_quarter_of_an_hour() -> None:
    assert [pause_ms(number) // 1000 for number in (0, 1, 2, 3, 4, 5, 6, 99)] == [30, 30, 60, 120, 240, 480, 900, 900]
    assert pause_ms(10_000) == MAX_PAUSE_MS
