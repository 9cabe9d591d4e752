"""What is left of an object without a subject's part of it: records that failed, journals of imports, results."""

import base64
import csv
import io
import json
from typing import Any

from iot_pipeline.erasure.bucket_search import FAILURES, IMPORTS, REFUSED, UNDELIVERED
from iot_pipeline.erasure.stored import packed, text_of
from iot_pipeline.erasure.subject import Subject

# Of a journal, where the registry had each device (iot_pipeline/bulk_import/journal.py).
_PLACES = "/registry.json"


def without(subject: Subject, zone: str, key: str, body: bytes) -> bytes:
    """The object of a zone and key as it is to be written, empty where nothing of it is another's.

    A result of a query goes whole, since whoever asked can ask again; so does the journal of an import that is named
    after the subject. It is compressed as it was.
    """
    text = text_of(body)
    if zone in (UNDELIVERED, REFUSED):
        left = _without_lines(subject, text)
    elif zone == FAILURES:
        left = _without_records(subject, text)
    elif zone == IMPORTS and not subject.mentioned_in(key):
        left = _without_rows(subject, text) if key.endswith(".csv.gz") else _of_journal(subject, key, text)
    else:
        left = b""
    return packed(key, left) if left else b""


def _without_lines(subject: Subject, text: bytes) -> bytes:
    kept = [line for line in text.split(b"\n") if not subject.mentions(line)]
    return b"\n".join(kept) if any(kept) else b""


def _without_records(subject: Subject, text: bytes) -> bytes:
    """Lambda's record of a batch that was given up, without the subject's records; nothing of any other form."""
    try:
        held = json.loads(text)
        payload = json.loads(held["payload"]) if isinstance(held["payload"], str) else held["payload"]
        kept = [it for it in payload["Records"] if not _is_theirs(subject, it)]
    except (ValueError, KeyError, TypeError):
        return b""
    if not kept:
        return b""
    payload["Records"] = kept
    held["payload"] = json.dumps(payload) if isinstance(held["payload"], str) else payload
    left = json.dumps(held).encode()
    return b"" if subject.mentions(left) else left


def _is_theirs(subject: Subject, record: dict[str, Any]) -> bool:
    data = base64.b64decode(record["kinesis"]["data"])
    return subject.mentions(data) or subject.mentions(json.dumps(record).encode())


def _without_rows(subject: Subject, text: bytes) -> bytes:
    """Rejected rows of an import: a row may have several lines. Of those that are left the file may be named after the
    subject: then a word stands in its place.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    for number, (file, *cells) in enumerate(csv.reader(io.StringIO(text.decode(), newline=""))):
        if number == 0 or not any(subject.mentioned_in(cell) for cell in cells):
            writer.writerow([subject.redacted(file), *cells])
    return out.getvalue().encode()


def _of_journal(subject: Subject, key: str, text: bytes) -> bytes:
    """The devices' places without those of the subject; of anything else the names, such as those of files."""
    if not key.endswith(_PLACES):
        return subject.redacted(text.decode()).encode()
    held: dict[str, list[list[Any]]] = json.loads(text)
    # A place is since, until, tenant, site.
    kept = {
        device: [place for place in places if not subject.owns_names(device, place[2])]
        for device, places in held.items()
    }
    return json.dumps({device: places for device, places in kept.items() if places}).encode()
