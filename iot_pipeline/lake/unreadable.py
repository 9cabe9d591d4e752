"""Raw objects that no engine can read: a gzip or Parquet that is cut off, or a text under the name of one.

One of them fails the statement that judges its hour, whoever sent the others, and Athena's message names one object at
best. So the hour's objects are then read here, each by itself; what cannot be read is set aside by name, becomes one
record of the quarantine and is counted in the ledger, and the rest of the hour is judged.
"""

import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from iot_pipeline.contract import tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.objects import Objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What else Athena decompresses by an object's name (Athena user guide, "Athena compression support"). Nothing here is
# written so: where a statement has failed, such an object is under suspicion.
_FOREIGN = (".bz2", ".deflate", ".lz4", ".lzo", ".snappy", ".zlib", ".zst", ".zstd")
_CHUNK = 1 << 20
# Magic at both ends, and the footer's length.
_MAGIC, _LEAST_PARQUET = b"PAR1", 12
# The gzip format alone, with its header and its check sum.
_GZIP = 16 + zlib.MAX_WBITS


def unreadable(s3: "S3Client", bucket: str, hours: Iterable[Hour]) -> dict[str, str]:
    """The raw objects (s3://bucket/key) of these arrival hours that cannot be read, and why; reads them all."""
    found = {}
    for hour in hours:
        for item in Objects(s3).at(f"s3://{bucket}/{tables().raw_lines.prefix}{hour.path}"):
            why = _problem(s3, bucket, item.uri.removeprefix(f"s3://{bucket}/"))
            if why:
                found[item.uri] = why
    return found


def is_foreign(name: str) -> bool:
    """Whether an object's name says that it is compressed otherwise than by gzip."""
    return name.endswith(_FOREIGN)


def _problem(s3: "S3Client", bucket: str, key: str) -> str | None:
    """Why an object cannot be read; None if it can. An engine knows a gzip by its name."""
    if is_foreign(key):
        return f"expected gzip or plain text, as Firehose writes; {key.rpartition('.')[2]} cannot be checked here"
    if key.endswith(".parquet"):
        return _problem_of_parquet(s3, bucket, key)
    if not key.endswith(".gz"):
        return None
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    stream, read = zlib.decompressobj(_GZIP), 0
    for chunk in body.iter_chunks(_CHUNK):
        rest = chunk
        while rest:
            if stream.eof:
                stream = zlib.decompressobj(_GZIP)
            try:
                stream.decompress(rest)
            except zlib.error as error:
                return f"expected gzip, as the name says; at byte {read + len(chunk) - len(rest)}: {error}"
            rest = stream.unused_data
        read += len(chunk)
    if read and not stream.eof:
        return f"expected gzip, as the name says; it is cut off after {read} bytes"
    return None


def _problem_of_parquet(s3: "S3Client", bucket: str, key: str) -> str | None:
    """Why an object is no whole Parquet, by its ends (Apache Parquet, "File format": magic, data, footer, its length,
    magic). What lies between is not looked at: a page that is damaged fails the statement, loudly.
    """
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    if not body:
        return None
    if len(body) < _LEAST_PARQUET or not body.startswith(_MAGIC) or not body.endswith(_MAGIC):
        return f"expected Parquet, as the name says; its {len(body)} bytes do not begin and end with {_MAGIC.decode()}"
    footer = int.from_bytes(body[-8:-4], "little")
    if footer + _LEAST_PARQUET > len(body):
        return f"expected Parquet, as the name says; its footer would have {footer} bytes of {len(body)}"
    return None
