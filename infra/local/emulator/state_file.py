"""A service's file of state, written from the state itself and not from a copy of it.

Stock ministack copies all of a service's state to save it, item by item in Python: twice the memory, in pieces between
which other things come to lie, and more time than the writing takes. Here the services whose state grows with a day's
work give what they hold, and it is written member by member; each member of the lower levels (an item of a table, a
message of a queue) by one call of json's C encoder, in which no other thread can change it.
"""

import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ministack.core import persistence
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict
from ministack.services import cloudwatch, cloudwatch_logs, dynamodb, glue, iot, kinesis, sqs

from infra.local.emulator.file_log import FileLog
from infra.local.emulator.metric_point import MetricPoint

# Their `get_state` does nothing with what it copies but to return it: Lambda's, say, takes the code out of the copies.
GROWING = (cloudwatch, cloudwatch_logs, dynamodb, glue, iot, kinesis, sqs)
# Payload, tables, all accounts' tables, a table, its items, a partition, an item.
_LEVELS = 7
_GONE = object()
_stock_in_json = persistence._json_default

_this_thread = threading.local()


class _Copying:
    """What `copy` is to a service's module: a thread that saves is given the thing itself."""

    def __getattr__(self, name: str) -> Any:
        return getattr(copy, name)

    def deepcopy(self, thing: Any, *memo: Any) -> Any:
        return thing if getattr(_this_thread, "saves", False) else copy.deepcopy(thing, *memo)


def share_what_is_saved() -> None:
    """Let `uncopied` have the state of the services that grow as it is; and what is of our types be saved at a stop,
    when ministack saves everything by itself.
    """
    for module in GROWING:
        module.copy = _Copying()
    persistence._json_default = _in_json


@contextmanager
def uncopied() -> Iterator[None]:
    """In it, `get_state` of the services that grow gives what they hold: to be written, and not to be changed."""
    _this_thread.saves = True
    try:
        yield
    finally:
        _this_thread.saves = False


def save_state(name: str, state: Any) -> None:
    """Replace a service's file, as ministack does, whose own function goes on when it cannot.

    Raises RuntimeError if a member of the upper levels came or went while they were listed, and what writing a file
    raises.
    """
    if state is None:
        return
    document = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
    folder = Path(persistence.STATE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{name}.json.tmp"
    with temporary.open("w") as file:
        file.writelines(_parts(document, _LEVELS))
    temporary.replace(folder / f"{name}.json")


def _parts(value: Any, levels: int) -> Iterator[str]:
    if isinstance(value, AccountRegionScopedDict | AccountScopedDict):
        value = _stock_in_json(value)
    if levels and isinstance(value, dict) and all(isinstance(key, str) for key in list(value)):
        yield from _object(value, levels - 1)
    elif levels and isinstance(value, list):
        between = "["
        for member in list(value):
            yield between
            yield from _parts(member, levels - 1)
            between = ", "
        yield "[]" if between == "[" else "]"
    else:
        yield json.dumps(value, default=_in_json)


def _in_json(value: Any) -> Any:
    if isinstance(value, FileLog):
        return copy.deepcopy(value)  # which is not its items, that stay in their files
    return dict(value) if isinstance(value, MetricPoint) else _stock_in_json(value)


def _object(value: dict[str, Any], levels: int) -> Iterator[str]:
    between = "{"
    for key in list(value):
        # A table's items are a defaultdict: to ask for one that is gone would make it.
        if (member := value.get(key, _GONE)) is not _GONE:
            yield f"{between}{json.dumps(key)}: "
            yield from _parts(member, levels)
            between = ", "
    yield "{}" if between == "{" else "}"
