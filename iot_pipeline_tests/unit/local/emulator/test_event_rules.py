"""EventBridge beside stock ministack's: what is delivered is not kept."""

import json

import pytest
from ministack.services import eventbridge

from infra.local.emulator import event_rules


def test_events_that_no_archive_keeps_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_invoke_target", "_events_log_list"):
        monkeypatch.setattr(eventbridge, name, getattr(eventbridge, name))
    entry = {"Source": "test", "DetailType": "told", "Detail": "{}"}
    eventbridge._put_events({"Entries": [entry]})
    assert len(eventbridge._events_log["entries"]) == 1, "stock ministack keeps none: the extension can go"
    eventbridge._events_log.clear()
    event_rules.install()
    _status, _headers, body = eventbridge._put_events({"Entries": [entry] * 3})
    assert json.loads(body)["FailedEntryCount"] == 0
    assert not eventbridge._events_log.get("entries")
