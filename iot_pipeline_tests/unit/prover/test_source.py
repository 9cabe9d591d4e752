"""Calls of clients found in the source: the forms they come in, and those that were recorded."""

from pathlib import Path

import pytest

from infra.prover.product import found_calls
from infra.prover.recorded import read_recorded
from infra.prover.source import code
from infra.prover.source.client_calls import client_calls, mentioned_calls, services_of
from infra.prover.source.code import module, script
from infra.prover.source.reach import Reach, reached

# The functions of the edge, by their logical ids.
FUNCTIONS = {
    "Edge.Handler886CB40B": "iot_pipeline.edge.handler",
    "Edge.Sweep576358E8": "iot_pipeline.edge.sweep",
    "Edge.Notify29C25B1B": "iot_pipeline.edge.notify",
    "Edge.Deliver72E7B226": "iot_pipeline.edge.deliver",
}
SOURCE = """
import boto3

class Store:
    def __init__(self, client):
        self._client = client
        self.scan = 3

    def all(self):
        return self._client.get_paginator("list_objects_v2").paginate(Bucket="b")

    def wait(self):
        self._client.get_waiter("object_exists").wait(Bucket="b", Key="k")

    def keep(self, items):
        return [self.scan, *map(self._client.put_object, items)]

    def never(self):
        self._client.delete_bucket(Bucket="b")

def helper(table):
    table.query(TableName="t")

def handler(event, context):
    store = Store(boto3.client("s3"))
    store.all()
    store.keep(event)
    boto3.client("s3").upload_file("f", "b", "k")
    helper(boto3.client("dynamodb"))
"""


@pytest.fixture
def found(tmp_path: Path) -> set[tuple[str, str]]:
    file = tmp_path / "one_file.py"
    file.write_text(SOURCE)
    pieces = reached(script(file), "handler")
    return {(call.operation, call.function) for call in client_calls(pieces, services_of(pieces))}


def test_calls_are_found_in_all_their_forms(found: set[tuple[str, str]]) -> None:
    parts = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload")
    assert found == {
        ("ListObjectsV2", "Store.all"),
        ("PutObject", "Store.keep"),
        ("PutObject", "handler"),
        *((part, "handler") for part in parts),
        ("Query", "helper"),
    }


def test_an_entry_that_there_is_none_of_is_told(tmp_path: Path) -> None:
    file = tmp_path / "other_file.py"
    file.write_text(SOURCE)
    with pytest.raises(ValueError, match="has no function handle"):
        reached(script(file), "handle")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_was_recorded_of_a_function_is_found_in_its_source(function: str) -> None:
    start = module(FUNCTIONS[function])
    assert start is not None
    found = {(call.site, f"{call.service}:{call.operation}") for call in found_calls(start, "handle")}
    recorded = {(row.site, row.call) for row in read_recorded() if row.who == function}
    assert recorded
    assert recorded - {(site, call) for site, call in found} == set()


def test_each_function_reaches_its_own_calls_alone() -> None:
    calls = {
        name: {f"{call.service}:{call.operation}" for call in found_calls(start, "handle")}
        for name, path in FUNCTIONS.items()
        if (start := module(path)) is not None
    }
    assert "dynamodb:Scan" not in calls["Edge.Handler886CB40B"]
    assert {"dynamodb:Scan", "kinesis:GetRecords"} <= calls["Edge.Sweep576358E8"]
    assert "sns:Publish" in calls["Edge.Notify29C25B1B"] & calls["Edge.Deliver72E7B226"]
    assert not {name for name in calls["Edge.Handler886CB40B"] if name.startswith(("sns:", "kinesis:"))}


def test_functions_that_a_framework_calls_are_entered(tmp_path: Path) -> None:
    file = tmp_path / "routes.py"
    file.write_text(
        "import boto3\nrouter = object()\nclient = boto3.client('s3')\n\n"
        "@router.get('/a')\ndef shown():\n    client.get_object(Bucket='b', Key='k')\n\n"
        "def never():\n    client.delete_bucket(Bucket='b')\n"
    )
    pieces = list(Reach().enter_registered(script(file), ("router.get",)).pieces)
    assert {call.operation for call in client_calls(pieces, services_of(pieces))} == {"GetObject"}


def test_a_method_that_is_named_without_a_call_is_found(tmp_path: Path) -> None:
    file = tmp_path / "people.py"
    file.write_text(
        "import boto3\n\ndef change(on):\n    client = boto3.client('cognito-idp')\n"
        "    made = client.admin_enable_user if on else client.admin_disable_user\n    made()\n"
    )
    pieces = reached(script(file), "change")
    assert {call.operation for call in mentioned_calls(pieces, services_of(pieces))} == {
        "AdminEnableUser",
        "AdminDisableUser",
    }


TWO_OF_A_NAME = """
import boto3

class Kept:
    def __init__(self, client):
        self._client = client

    def remove(self):
        self._client.put_object(Bucket="b", Key="k")

class Gone:
    def __init__(self, client):
        self._client = client

    def remove(self):
        self._client.delete_object(Bucket="b", Key="k")

class Holder:
    kept: Kept

    def first(self) -> Gone:
        return Gone(boto3.client("s3"))

def handler(event, context):
    Gone, Kept(boto3.client("s3"))
    {call}

def typed(kept: Kept, names: list[str], holder: Holder, unknown, maybe: Kept | None):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("kept.remove()", {"PutObject"}),
        ("maybe.remove()", {"PutObject"}),
        ("holder.kept.remove()", {"PutObject"}),
        ("holder.first().remove()", {"DeleteObject"}),
        ("made = Gone(boto3.client('s3')); made.remove()", {"DeleteObject"}),
        ("names.remove('a')", set()),
        ("[name for name in names].remove('a')", set()),
        # What cannot be told may be either.
        ("unknown.remove()", {"PutObject", "DeleteObject"}),
        ("made = kept if names else unknown; made.remove()", {"PutObject", "DeleteObject"}),
        ("for made in holder: made.remove()", {"PutObject", "DeleteObject"}),
    ],
)
def test_a_method_is_of_the_class_that_it_is_called_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, found: set[str]
) -> None:
    name = f"two_of_a_name_{abs(hash(body))}"
    text = TWO_OF_A_NAME.replace("{call}", "typed(1, 2, 3, 4, 5)").replace("{body}", body)
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setattr(code, "REPOSITORY", tmp_path)
    start = module(name)
    assert start is not None
    pieces = list(Reach((name,)).enter(start, "handler").pieces)
    assert {call.operation for call in client_calls(pieces, services_of(pieces))} == found


def test_what_a_framework_is_given_runs_where_that_calls_it(tmp_path: Path) -> None:
    file = tmp_path / "given.py"
    file.write_text(
        "import boto3\nimport dagster as dg\nclient = boto3.client('s3')\n\n"
        "@dg.op\ndef step():\n    client.put_object(Bucket='b', Key='k')\n\n"
        "@dg.job\ndef work():\n    step()\n\n"
        "@dg.sensor(job=work)\ndef look():\n    client.get_object(Bucket='b', Key='k')\n\n"
        "defs = dg.Definitions(jobs=[work], sensors=[look])\n"
    )

    def calls(*decorators: str) -> set[str]:
        closed = ("dg.op", "dg.job", "dg.sensor")
        pieces = list(Reach().enter_registered(script(file), decorators, closed).pieces)
        return {call.operation for call in client_calls(pieces, services_of(pieces))}

    assert calls("dg.sensor") == {"GetObject"}
    assert calls("dg.job") == {"PutObject"}
