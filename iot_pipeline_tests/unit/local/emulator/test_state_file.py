"""A service's file of state, written from what the service holds."""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ministack.core import persistence
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb, lambda_svc

from infra.local.emulator.line_log import LineLog
from infra.local.emulator.metric_point import MetricPoint
from infra.local.emulator.packed_items import PackedItems
from infra.local.emulator.state_file import GROWING, save_state, share_what_is_saved, uncopied
from infra.local.emulator.streams.record_log import RecordLog


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path / "services"))
    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    return tmp_path / "services"


@pytest.fixture
def sharing() -> Iterator[None]:
    modules = [(module, module.copy) for module in GROWING]
    in_json = persistence._json_default
    share_what_is_saved()
    yield
    persistence._json_default = in_json
    for module, stock in modules:
        module.copy = stock


@pytest.fixture
def table() -> Iterator[dict[str, Any]]:
    table = {"TableName": "alerts", "items": {"a": {"1": {"id": {"S": "a"}}}}, "_index_members": {"by-site": {}}}
    dynamodb._tables.set_scoped("000000000000", "eu-west-1", "alerts", table)
    yield table
    dynamodb._tables._data.clear()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=40,
)


@given(JSON, st.integers(0, 9))
def test_what_is_written_is_what_stock_reads(value: Any, deeper: int) -> None:
    for _ in range(deeper):
        value = {"member": [value]}
    scoped = AccountRegionScopedDict()
    scoped.set_scoped("000000000000", "eu-west-1", ("a", "tuple"), value)
    state = {"of one account": scoped, "plain": value, "bytes": b"\x00\xff", "by number": {7: value}}
    save_state("sqs", state)
    read = persistence.load_state("sqs")
    assert read is not None
    assert read["of one account"]._data == scoped._data
    assert (read["plain"], read["bytes"], read["by number"]) == (value, b"\x00\xff", {"7": value})


def test_no_state_leaves_the_file_as_it_is(folder: Path) -> None:
    save_state("sqs", {"queues": {}})
    save_state("sqs", None)
    assert persistence.load_state("sqs") == {"queues": {}}
    assert [path.name for path in folder.iterdir()] == ["sqs.json"]


@pytest.mark.usefixtures("sharing")
def test_a_saver_is_given_what_the_service_holds_and_everybody_else_a_copy(table: dict[str, Any]) -> None:
    def item(state: dict[str, Any]) -> Any:
        return state["tables"].get_scoped("000000000000", "eu-west-1", "alerts")["items"]["a"]["1"]

    held = table["items"]["a"]["1"]
    with uncopied():
        assert item(dynamodb.get_state()) is held
        assert in_another_thread(lambda: item(dynamodb.get_state()) is not held)
    assert item(dynamodb.get_state()) is not held
    assert dynamodb.copy.copy is copy.copy


@pytest.mark.usefixtures("sharing")
def test_what_is_saved_of_a_table_is_what_stock_saves(table: dict[str, Any]) -> None:
    stock = json.dumps(dynamodb.get_state(), default=persistence._json_default)
    table["items"]["a"] = PackedItems(table["items"]["a"])
    with uncopied():
        save_state("dynamodb", dynamodb.get_state())
    read = persistence.load_state("dynamodb")
    assert json.dumps(read, default=persistence._json_default) == stock
    assert "_index_members" in table


@pytest.mark.usefixtures("sharing", "table")
def test_states_that_are_given_as_they_are_stay_as_they_were() -> None:
    before = {module: copy.deepcopy(module.get_state()) for module in GROWING}
    with uncopied():
        for number, module in enumerate(GROWING):
            save_state(f"state{number}", module.get_state())
    for module in GROWING:
        told = [json.dumps(state, default=persistence._json_default) for state in (before[module], module.get_state())]
        assert told[0] == told[1], module.__name__
    assert lambda_svc not in GROWING  # takes the code out of what it has copied


def test_a_table_whose_items_come_and_go_meanwhile_can_be_saved() -> None:
    items: dict[str, dict[str, Any]] = {}
    stop = threading.Event()

    def change() -> None:
        number = 0
        while not stop.is_set():
            items[f"{number % 997}"] = {"-": {"number": {"N": str(number)}}}
            items.pop(f"{(number * 7) % 997}", None)
            number += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(50):
            save_state("dynamodb", {"tables": {"t": {"items": items}}})
            read = persistence.load_state("dynamodb")
            assert read is not None
            assert all(set(partition["-"]["number"]) == {"N"} for partition in read["tables"]["t"]["items"].values())
    finally:
        stop.set()
        thread.join()


def in_another_thread(what: Callable[[], bool]) -> bool:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(what()))
    thread.start()
    thread.join()
    return found == [True]


@pytest.mark.usefixtures("sharing")
@pytest.mark.parametrize("save", [save_state, persistence.save_state], ids=["while it runs", "at a stop"])
def test_what_is_of_our_own_types_is_saved(save: Callable[[str, Any], None], tmp_path: Path) -> None:
    lines, records = LineLog(tmp_path / "lines"), RecordLog(tmp_path / "records")
    lines.append({"timestamp": 7, "message": "a line", "ingestionTime": 7})
    point = {"Timestamp": 1.0, "Value": 2.0, "Unit": "Count", "Dimensions": {}}
    state = AccountRegionScopedDict()
    state.set_scoped("000000000000", "eu-west-1", "own", {"records": records, "points": [MetricPoint(point)]})
    state.set_scoped("000000000000", "eu-west-1", "logs", {"streams": {"s": {"events": lines}}})
    save("kinesis", {"all": state})
    read = persistence.load_state("kinesis")
    assert read is not None
    logs = {"streams": {"s": {"events": copy.deepcopy(lines)}}}
    assert read["all"].get_scoped("000000000000", "eu-west-1", "logs") == logs
    own = {"records": copy.deepcopy(records), "points": [point]}
    assert read["all"].get_scoped("000000000000", "eu-west-1", "own") == own
