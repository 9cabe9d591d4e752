"""IoT rules: the actions kinesis, firehose and s3, and rule SQL that is parsed once.

AWS IoT developer guide: "AWS IoT rule actions", "Substitution templates", "Error handling (error action)". Stock
ministack skips these three actions at debug level while the device's PUBACK says success.
"""

import re
from contextvars import ContextVar
from typing import Any, NoReturn

from ministack.core.responses import new_uuid, request_scope
from ministack.services import iot

from infra.local.emulator import kinesis
from infra.local.emulator.firehose import delivery
from infra.local.emulator.iot import rule_json, rule_permissions
from infra.local.emulator.iot.rule_sql import MISSING, Message, compile_expression, compile_rule
from infra.local.emulator.s3 import put_object_async

_TEMPLATE = re.compile(r"\$\{([^}]*+)(\}?)")  # one that does not end is read once, and left as it is
_SEPARATORS = ("\n", "\t", "\r\n", ",")
_ACTIONS = {"kinesis", "firehose", "s3", "lambda", "republish", "dynamoDBv2", "sns", "sqs"}

_message: ContextVar[Message] = ContextVar("rule_message")
_stock_dispatch = iot._dispatch_rule_action


class RuleActionError(RuntimeError):
    """An action that could not be carried out; its text reaches the rule's error action."""


def install() -> None:
    """Replace rule evaluation and dispatch."""
    iot._evaluate_topic_rules = _evaluate_topic_rules
    iot._run_rule_actions = _run_rule_actions
    iot._dispatch_rule_action = _dispatch_rule_action
    iot._warn_unimplemented_sql_function = _refuse_function
    iot._RULE_ACTION_RESOURCE_KEYS |= {
        "kinesis": ("streamName",),
        "firehose": ("deliveryStreamName",),
        "s3": ("bucketName",),
    }


async def _evaluate_topic_rules(
    account_id: str, region: str, topic: str, payload: bytes, client_id: str | None = None
) -> None:
    message = None
    for rule in iot._rules_for_account(account_id, region):
        topic_filter = compile_rule(rule["sql"]).topic_filter
        if topic_filter and iot._subscription_matches(topic_filter, topic):
            message = message or Message(topic, payload or b"", client_id)
            await _run_rule(account_id, region, rule, message)


async def _run_rule_actions(
    account_id: str, region: str, rule: Any, payload: bytes, topic: str = "", client_id: str | None = None
) -> None:
    """Basic Ingest's entry (`$aws/rules/<rule>/...`): the topic filter is not consulted."""
    if rule:
        await _run_rule(account_id, region, rule, Message(topic, payload or b"", client_id))


async def _run_rule(account_id: str, region: str, rule: Any, message: Message) -> None:
    if rule.get("ruleDisabled"):
        return
    compiled = compile_rule(rule["sql"])
    token = _message.set(message)
    failures: list[dict[str, str]] = []
    try:
        try:
            if not compiled.matches(message):
                return
            event = compiled.event(message)
        except Exception as error:  # noqa: BLE001  a message that breaks the SQL must not break the device's session
            failures.append(_failure(rule["ruleName"], {}, error))
        for action in rule["actions"] if not failures else ():
            try:
                await _dispatch_rule_action(account_id, region, rule["ruleName"], action, event)
            except Exception as error:  # noqa: BLE001  whatever an action raises belongs to the rule's error action
                failures.append(_failure(rule["ruleName"], action, error))
        if failures:
            await iot._dispatch_rule_error_action(
                account_id, region, rule, message.topic, message.payload, message.client_id, failures
            )
    finally:
        _message.reset(token)


def _refuse_function(name: str) -> NoReturn:
    """Stock ministack lets a function that it does not have be undefined, by which a field is lost without a word."""
    known = ", ".join(sorted(iot._IMPLEMENTED_SQL_FUNCS | {"parse_time"}))
    msg = f"The local AWS has no rule function {name}() of this form; it has: {known}"
    raise RuleActionError(msg)


def _failure(rule_name: str, action: Any, error: Exception) -> dict[str, str]:
    kind = next(iter(action), "")
    iot._broker_logger.error("IoT rule %s: the %s action failed: %s", rule_name, kind, error)
    return {
        "failedAction": iot._rule_action_name(kind),
        "failedResource": iot._rule_action_resource(action, kind),
        "errorMessage": str(error),
    }


async def _dispatch_rule_action(account_id: str, region: str, rule_name: str, action: Any, event: Any) -> None:
    kind = next(iter(action), "")
    spec = action.get(kind) or {}
    if kind not in _ACTIONS:
        msg = f"The local AWS has no IoT rule action {kind!r}; it has: {', '.join(sorted(_ACTIONS))}"
        raise RuleActionError(msg)
    key = _substitute(spec["key"]) if kind == "s3" else _substitute(spec.get("topic", ""))
    with request_scope(account_id, region):
        rule_permissions.check(account_id, region, rule_name, kind, spec, key)
    if kind == "kinesis":
        with request_scope(account_id, region):
            kinesis.append(spec["streamName"], _substitute(spec.get("partitionKey", "")) or new_uuid(), _body(event))
    elif kind == "firehose":
        _to_firehose(account_id, region, spec, event)
    elif kind == "s3":
        await put_object_async(account_id, region, spec["bucketName"], key, _body(event))
    else:
        await _stock_dispatch(account_id, region, rule_name, action, _text_event(kind, event))


def _to_firehose(account_id: str, region: str, spec: Any, event: Any) -> None:
    separator = spec.get("separator") or ""
    if separator and separator not in _SEPARATORS:
        msg = f"Firehose action: the separator {separator!r} is none of newline, tab, CRLF, comma"
        raise RuleActionError(msg)
    records = event if spec.get("batchMode") and isinstance(event, list) else [event]
    with request_scope(account_id, region):
        delivery.put(spec["deliveryStreamName"], [_body(record) + separator.encode() for record in records])


def _body(event: Any) -> bytes:
    return event if isinstance(event, bytes) else rule_json.encode(event)


def _text_event(kind: str, event: Any) -> Any:
    if not isinstance(event, bytes):
        return event
    try:
        return event.decode()
    except UnicodeDecodeError as error:
        msg = f"The {kind} action needs JSON or text; the payload is {len(event)} bytes that are not UTF-8"
        raise RuleActionError(msg) from error


def _substitute(template: str) -> str:
    """`${expression}` in an action's field, evaluated against the message that triggered the rule."""
    if "${" not in template:
        return template
    message = _message.get()

    def value_of(match: re.Match[str]) -> str:
        if not match[2]:
            return match[0]
        value = compile_expression(match[1])(message)
        return "" if value is MISSING else str(iot._sql_as_string(value))

    return _TEMPLATE.sub(value_of, template)
