"""The catalog behind the local Athena, when Glue answers a part."""

from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.athena.errors import QueryError
from infra.local.athena.reading.glue_tables import Catalog, Table


class Partly:
    """A Glue that leaves the last key unanswered, and the configuration that leads to it."""

    meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_: None, unregister=lambda *_: None))

    def client(self, service: str) -> "Partly":
        assert service == "glue"
        return self

    def batch_get_partition(self, *, PartitionsToGet: list[Any], **_: str) -> Any:  # noqa: N803  # boto3's name
        found = [{"Values": key["Values"], "StorageDescriptor": {"Location": "s3://b/p"}} for key in PartitionsToGet]
        return {"Partitions": found[:-1], "UnprocessedKeys": PartitionsToGet[-1:]}


def test_partitions_without_an_answer_are_not_left_out_of_a_result() -> None:
    config: Any = Partly()
    with pytest.raises(QueryError, match="Glue left 1 partitions of t unanswered"):
        Catalog(config).partitions_with(Table({"DatabaseName": "d", "Name": "t"}), [["01", "02"]])
