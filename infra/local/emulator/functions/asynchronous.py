"""Asynchronous invocations: a queue before the function, retries, a maximum age, and a destination for what failed.

AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation": a function's error is
tried again after one minute and after two more; a call that was throttled counts as no attempt and is tried again after
1 second to 5 minutes until it is too old. "Capturing records of Lambda asynchronous invocations": the record that the
destination gets. Stock ministack counts a throttle as an attempt, and lets a rule's call fail without any of this.
"""

import heapq
import itertools
import json
import logging
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import new_uuid, request_scope
from ministack.services import eventbridge, lambda_svc

from infra.local.emulator.event_source.failure import send
from infra.local.emulator.settings import EmulatorSettings

EVENT_AGE_SECONDS = 6 * 3600
RETRIES = 2
THROTTLE_SECONDS, MAX_THROTTLE_SECONDS = 1.0, 300.0
# A rule with a rate is looked at this often; stock ministack looks every 10 s, so that a minute took up to 70 s.
CLOCK_SECONDS = 0.5

log = logging.getLogger("local_aws.functions")


@dataclass
class Call:
    """An event on its way to a function."""

    function: Any
    event: Any
    request_id: str = field(default_factory=new_uuid)
    accepted: float = field(default_factory=time.time)
    attempts: int = 0
    throttles: int = 0

    @property
    def config(self) -> Any:
        """The function's configuration."""
        return self.function.get("config") or self.function

    @property
    def rules(self) -> Any:
        """The function's EventInvokeConfig; empty without one."""
        configs = self.function.get("event_invoke_configs") or {}
        return self.function.get("event_invoke_config") or configs.get("$LATEST") or {}

    @property
    def retries(self) -> int:
        """How often an error is tried again."""
        asked = self.rules.get("MaximumRetryAttempts")
        return RETRIES if asked is None else int(asked)

    @property
    def deadline(self) -> float:
        """When the event is too old."""
        return self.accepted + int(self.rules.get("MaximumEventAgeInSeconds") or EVENT_AGE_SECONDS)


class Queue:
    """Calls that wait, by when they are due; each that is due runs in a thread of its own."""

    def __init__(self, retry_seconds: float) -> None:
        self.retry_seconds = retry_seconds
        self._waiting: list[tuple[float, int, Call]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="asynchronous-calls", daemon=True).start()

    def put(self, call: Call, seconds: float = 0.0) -> None:
        """Call the function in so many seconds."""
        with self._changed:
            heapq.heappush(self._waiting, (time.monotonic() + seconds, next(self._numbers), call))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting or self._waiting[0][0] > time.monotonic():
                    self._changed.wait(self._waiting[0][0] - time.monotonic() if self._waiting else None)
                _due, _number, call = heapq.heappop(self._waiting)
            threading.Thread(target=self._attempt, args=(call,), daemon=True).start()

    def _attempt(self, call: Call) -> None:
        scope = lambda_svc._account_region_from_function_config(call.config)
        with request_scope(*scope):
            try:
                result = lambda_svc._execute_function(call.function, call.event)
                self._settle(call, result)
            except Exception:
                log.exception("asynchronous call of %s", call.config.get("FunctionName"))

    def _settle(self, call: Call, result: Any) -> None:
        if result.get("throttle"):
            # Not all at the same moment, or all but one of them would be throttled again.
            pause = min(THROTTLE_SECONDS * 2**call.throttles, MAX_THROTTLE_SECONDS) * random.uniform(0.5, 1)  # noqa: S311
            call.throttles += 1
        elif result.get("error"):
            call.attempts += 1
            pause = self.retry_seconds * call.attempts
            if call.attempts > call.retries:
                _give_up(call, result, "RetriesExhausted")
                return
        else:
            return
        if time.time() + pause > call.deadline:
            _give_up(call, result, "EventAgeExceeded")
        else:
            self.put(call, pause)


_queue: Queue


def install(settings: EmulatorSettings) -> None:
    """Replace ministack's asynchronous calls, and the calls of EventBridge's rules."""
    global _queue  # noqa: PLW0603  ministack calls module functions; there is one of these a process
    _queue = Queue(settings.async_retry_seconds)
    lambda_svc.invoke_async_with_retry = _invoke
    eventbridge._dispatch_to_lambda = _of_a_rule
    eventbridge._SCHEDULER_TICK_INTERVAL = CLOCK_SECONDS


def _invoke(function: Any, event: Any) -> None:
    _queue.put(Call(function, event))


def _of_a_rule(arn: str, payload: str) -> None:
    """EventBridge calls asynchronously ("Invoke a Lambda function using EventBridge")."""
    function, _config, name = lambda_svc._get_func_record_for_ref(arn)
    if function is None:
        log.warning("a rule calls the function %s, which does not exist", name)
        return
    _invoke(function, json.loads(payload))


def _give_up(call: Call, result: Any, condition: str) -> None:
    config = call.config
    destination = ((call.rules.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    log.warning("%s: an asynchronous call is given up (%s)", config.get("FunctionName"), condition)
    if not destination:
        return
    now = datetime.now(UTC)
    document = {
        "version": "1.0",
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": call.request_id,
            "functionArn": f"{config['FunctionArn']}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": call.attempts,
        },
        "requestPayload": call.event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": result.get("body"),
    }
    key = f"aws/lambda/async/{config['FunctionName']}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{new_uuid()}"
    send(destination, document, key, function_arn=config["FunctionArn"])
