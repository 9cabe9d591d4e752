"""Rule SQL, parsed once a rule instead of once a message.

The grammar and its semantics stay ministack's; a SELECT item or WHERE clause of a form used on the hot path becomes a
closure, any other is handed to ministack's evaluator with its clause already cut out.
"""

import base64
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ministack.services import iot

from infra.local.emulator.iot import rule_json, rule_time

MISSING = iot._MISSING
_TOPIC = re.compile(r"topic\(\s*(\d+)\s*\)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"[A-Za-z_]\w*")
_IS_UNDEFINED = re.compile(r"isUndefined\(\s*([A-Za-z_]\w*)\s*\)", re.IGNORECASE)
_ENCODE_ALL = re.compile(r"encode\(\s*\*\s*,\s*'base64'\s*\)", re.IGNORECASE)


class Message:
    """One publish as a rule sees it; its payload is parsed when something first asks."""

    __slots__ = ("_is_json", "_value", "client_id", "payload", "segments", "topic")

    def __init__(self, topic: str, payload: bytes, client_id: str | None) -> None:
        self.topic = topic
        self.payload = payload
        self.client_id = client_id
        self.segments = topic.split("/")
        self._value: Any = iot._UNDECODED
        self._is_json = False

    @property
    def value(self) -> Any:
        """The JSON value, else the text, else MISSING when the payload is not UTF-8."""
        if self._value is iot._UNDECODED:
            try:
                self._value = rule_json.decode(self.payload)
                self._is_json = True
            except rule_json.NotJsonError:
                try:
                    self._value = self.payload.decode()
                except UnicodeDecodeError:
                    self._value = MISSING
        return self._value

    @property
    def is_json(self) -> bool:
        """Whether the payload is a JSON document (a JSON string included)."""
        return self.value is not MISSING and self._is_json


Expression = Callable[[Message], Any]


@dataclass(frozen=True)
class CompiledRule:
    """A rule's SQL: which topics it reads, which messages it takes, and what it makes of one."""

    topic_filter: str
    items: tuple[tuple[str | None, Expression], ...]
    where: Callable[[Message], bool] | None

    def matches(self, message: Message) -> bool:
        """Whether the WHERE clause is true (undefined is not)."""
        return self.where is None or self.where(message)

    def event(self, message: Message) -> Any:
        """What the actions get: a JSON value, or the payload's bytes where AWS passes them on as they came.

        "SELECT *, f() AS x" adds x to a JSON object or to nothing; any other payload is passed on unchanged (AWS IoT
        developer guide, "Working with binary payloads").
        """
        takes_all = any(key is None for key, _expression in self.items)
        if takes_all and not isinstance(message.value, dict) and (message.payload or len(self.items) == 1):
            return message.value if message.is_json else message.payload
        event: dict[str, Any] = {}
        for key, expression in self.items:
            if key is None:
                if isinstance(message.value, dict):
                    event.update(message.value)
                continue
            value = expression(message)
            if value is not MISSING:
                event[key] = value
        return event


@lru_cache(maxsize=1024)
def compile_rule(sql: str) -> CompiledRule:
    """Parse a rule's SQL; the result is cached by its text."""
    items = []
    for item in iot._split_select_items(iot._rule_select_clause(sql)) or ["*"]:
        text, alias = iot._split_select_alias(item)
        key = None if text == "*" and alias is None else alias or iot._select_default_key(text)
        items.append((key, compile_expression(text)))
    predicate = iot._rule_where_clause(sql)
    return CompiledRule(iot._rule_topic_filter(sql), tuple(items), _compile_where(predicate) if predicate else None)


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """A SELECT item, or the inside of a `${...}` substitution template."""
    text = text.strip()
    if match := _TOPIC.fullmatch(text):
        index = int(match[1])
        return lambda m: m.segments[index - 1] if 1 <= index <= len(m.segments) else MISSING
    if _ENCODE_ALL.fullmatch(text):
        return lambda m: base64.b64encode(m.payload).decode("ascii")
    if _ATTRIBUTE.fullmatch(text):
        return lambda m: m.value.get(text, MISSING) if isinstance(m.value, dict) else MISSING
    constant_forms: dict[str, Expression] = {
        "topic()": lambda m: m.topic,
        "timestamp()": lambda _m: int(time.time() * 1000),
        "clientid()": lambda m: m.client_id or "n/a",
    }
    if known := constant_forms.get(text.lower().replace(" ", "")):
        return known
    if call := rule_time.CALL.fullmatch(text):
        return _clock_text(rule_time.formatter(call[1], call[3]), compile_expression(call[2]))
    return lambda m: iot._eval_select_expr(text, m.topic, m.payload, m.value, m.client_id)


def _clock_text(as_text: Callable[[int], str], moment: Expression) -> Expression:
    def value(message: Message) -> Any:
        found = moment(message)
        return as_text(found) if isinstance(found, int) and not isinstance(found, bool) else MISSING

    return value


def _compile_where(predicate: str) -> Callable[[Message], bool]:
    node = iot._parse_where(predicate)
    if node is None:
        iot._broker_logger.error("IoT rule WHERE clause %r cannot be parsed: it never matches", predicate)
        return lambda _m: False
    negated = node[0] == "not"
    leaf = node[1] if negated else node
    match = _IS_UNDEFINED.fullmatch(leaf[1]) if leaf[0] == "truth" else None
    if match:
        name = match[1]
        return lambda m: (isinstance(m.value, dict) and name in m.value) is negated
    return lambda m: iot._eval_where_node(node, m.topic, m.payload, m.value, m.client_id) is True
