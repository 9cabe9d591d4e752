"""EventBridge rules: a function is invoked only if its own policy lets the rule in; events are kept in archives alone.

EventBridge user guide, "Using resource-based policies for Amazon EventBridge"; "Archiving and replaying events": what
no archive keeps is gone once it is delivered. Stock ministack invokes a function without its permission, and keeps a
list of every event, which nothing reads.
"""

from collections import deque
from typing import Any

from ministack.services import eventbridge, lambda_svc

from infra.local.emulator.authorisation.denials import AccessDeniedError
from infra.local.emulator.authorisation.service_roles import check_invocation

EVENTS = "events.amazonaws.com"
_stock_invoke = eventbridge._invoke_target


def install() -> None:
    """Check a target before stock ministack invokes it, and keep no event."""
    eventbridge._invoke_target = _invoke_target
    eventbridge._events_log_list = _nothing_kept


def _nothing_kept() -> deque[Any]:
    return deque(maxlen=0)


def _invoke_target(target: Any, event: Any, rule: Any, view: Any = None) -> None:
    arn = target.get("Arn", "")
    if ":lambda:" in arn:
        function, _config, _name = lambda_svc._get_func_record_for_ref(arn)
        try:
            if function is not None:
                check_invocation(function, arn, EVENTS, rule["Arn"])
        except AccessDeniedError:
            return
    _stock_invoke(target, event, rule, view)
