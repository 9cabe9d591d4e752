"""SNS: a delivery that fails for good goes to the dead-letter queue of its subscription.

SNS developer guide, "Amazon SNS dead-letter queues": what an endpoint refuses (a 4xx, a queue that is gone or that does
not let SNS send) is not tried again; a server that fails is, by a retry policy of up to 50 attempts within an hour, of
which the first three come at once. Here they are all. Stock ministack keeps the redrive policy and drops the message.
"""

import asyncio
import json
import logging
import urllib.error
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import request_scope
from ministack.services import sns, sqs

ATTEMPTS = 3
log = logging.getLogger("local_aws.sns")
_stock_to_sqs = sns._deliver_to_sqs


def install() -> None:
    """Replace the deliveries to queues and over HTTP."""
    sns._deliver_to_sqs = _to_sqs
    sns._deliver_to_http = _to_http


def _to_sqs(endpoint: str, envelope: str, raw: bool, message: str, *, topic_arn: str = "", **more: Any) -> None:
    account = parse_arn(topic_arn).account_id
    if sqs._queue_by_arn(endpoint) and sqs.queue_policy_allows(endpoint, "sns.amazonaws.com", topic_arn, account):
        _stock_to_sqs(endpoint, envelope, raw, message, topic_arn=topic_arn, **more)
    else:
        _redrive(topic_arn, endpoint, message if raw else envelope)


async def _to_http(endpoint: str, envelope: str) -> None:
    for _ in range(ATTEMPTS):
        try:
            status = await asyncio.to_thread(sns._http_post_sync, endpoint, envelope, "Notification")
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = 599
        if status < 400:
            return
        if status < 500 and status != 429:
            break
    topic_arn = json.loads(envelope).get("TopicArn", "")
    _redrive(topic_arn, endpoint, envelope)


def _redrive(topic_arn: str, endpoint: str, body: str) -> None:
    """Give a message that could not be delivered to the queue of its subscription, if that has one."""
    topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
    policies = [
        json.loads(subscription["attributes"]["RedrivePolicy"])
        for subscription in topic["subscriptions"]
        if subscription.get("endpoint") == endpoint and subscription.get("attributes", {}).get("RedrivePolicy")
    ]
    log.warning("%s could not be delivered to %s", topic_arn, endpoint)
    for policy in policies:
        target = parse_arn(policy["deadLetterTargetArn"])
        with request_scope(target.account_id, target.region):
            # The queue's policy has to let SNS send, as on AWS.
            _stock_to_sqs(str(target), body, False, body, topic_arn=topic_arn)
