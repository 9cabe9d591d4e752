"""EventBridge rules: a function is invoked only if its own policy lets the rule in.

EventBridge user guide, "Using resource-based policies for Amazon EventBridge". Stock ministack invokes it anyway.
"""

from typing import Any

from ministack.services import eventbridge, lambda_svc

from infra.local.emulator.authorisation.denials import AccessDeniedError
from infra.local.emulator.authorisation.service_roles import check_invocation

EVENTS = "events.amazonaws.com"
_stock_invoke = eventbridge._invoke_target


def install() -> None:
    """Check a target before stock ministack invokes it."""
    eventbridge._invoke_target = _invoke_target


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
