"""What S3 keeps in memory of an object: what most have in common is there once."""

from pathlib import Path
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import s3

from infra.local.emulator.s3 import _persist_object


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "DATA_DIR", str(tmp_path))


def kept(key: str, content_type: str, **headers: str) -> dict[str, Any]:
    """The record of an object as ministack makes it, after it was kept."""
    record: dict[str, Any] = {"body": b"1", "content_type": content_type, "metadata": {}, "checksums": {"CRC32": key}}
    with request_scope("000000000000", "eu-west-1"):
        record["preserved_headers"] = dict(headers)
        _persist_object("bucket", key, record)
    return record


def test_records_share_what_they_have_in_common_and_nothing_else() -> None:
    one, two = (kept(key, b"text/csv".decode()) for key in "ab")
    own = kept("c", "text/plain", **{"cache-control": "no-store"})
    assert one["content_type"] is two["content_type"]
    assert one["metadata"] is two["metadata"] is one["preserved_headers"] is own["metadata"] == {}
    assert (one["checksums"], two["checksums"]) == ({"CRC32": "a"}, {"CRC32": "b"})
    assert own["preserved_headers"] == {"cache-control": "no-store"}


def test_nothing_is_added_to_what_is_shared() -> None:
    shared = kept("a", "text/csv")["metadata"]
    for add in (shared.update, shared.__ior__):
        with pytest.raises(TypeError, match="headers of every object"):
            add({"x-amz-meta-source": "imported"})
    with pytest.raises(TypeError, match="headers of every object"):
        shared["x-amz-meta-source"] = "imported"
    with pytest.raises(TypeError, match="headers of every object"):
        shared.setdefault("x-amz-meta-source", "imported")
    assert shared == {}
