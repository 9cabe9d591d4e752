"""Files broken in every way that a hard disk, a proxy or a person knows: read, or refused by name, within seconds."""

import gzip
import io
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iot_pipeline.bulk_import.mapping import MappingError
from iot_pipeline.bulk_import.source_files import SourceError
from iot_pipeline_tests.unit.bulk_import.test_hostile_files import mapping_of, read

HEADER = "device,t,temp,note\n"
ROWS = "".join(f"d{n % 7},{1_700_000_000_000 + n},{n / 10},x\n" for n in range(3_000))
ENCODINGS = ("utf-8", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "shift_jis")


def _texts(rng: random.Random) -> str:
    at, whole = rng.randrange(len(ROWS)), HEADER + ROWS
    return rng.choice(
        [
            whole,
            HEADER.strip(),
            "",
            "\n" * 100_000,
            whole.replace("\n", "\r"),
            whole.replace("\n", "\n\r"),
            whole.replace(",", rng.choice(";\t|")),
            whole.replace("\n", " "),
            f'{whole[:at]}"{whole[at:]}',
            whole[:at] + "\x00" * rng.choice([1, 5_000]) + whole[at:],
            HEADER + "d1,1700000000000,1," + "x" * rng.choice([4_000_000, 5_000_000]),
            HEADER + "a,b\n" * 10_000,
            HEADER + ROWS + "a,b\n" * 10_000 + ROWS,
            '"' * rng.choice([1, 2, 500_001]),
            "," * rng.choice([1, 20_000]),
        ]
    )


def _csv(rng: random.Random) -> bytes:
    body = _texts(rng).encode(rng.choice(ENCODINGS), "replace")
    if rng.random() < 0.2:
        body = body[: rng.randrange(len(body) + 1)]
    return body or rng.randbytes(1_000)


def _gzip(rng: random.Random) -> bytes:
    body = _csv(rng)
    packed = gzip.compress(body, 1)
    at = rng.randrange(len(packed))
    bomb = gzip.compress(HEADER.encode() + b"\n" * 20_000_000, 9)
    return rng.choice(
        [
            packed,
            packed[: at + 1],
            packed + rng.randbytes(rng.choice([1, 8, 1_000])),
            packed + b"\x00" * 10_000,
            packed + gzip.compress(ROWS.encode()),
            packed[:at] + bytes([packed[at] ^ 0xFF]) + packed[at + 1 :],
            bomb,
        ]
    )


def _parquet(rng: random.Random) -> bytes:
    count = rng.choice([0, 1, 20_000])
    columns = {"device": ["d"] * count, "t": range(count), "temp": [1.5] * count, "note": map(str, range(count))}
    written = io.BytesIO()
    table = pa.table({name: list(values) for name, values in columns.items()})
    pq.write_table(table, written, row_group_size=7_000, compression=rng.choice(["none", "snappy", "gzip", "zstd"]))
    body = bytearray(written.getvalue())
    footer = len(body) - 8 - int.from_bytes(body[-8:-4], "little")
    first, last = rng.choice([(0, len(body)), (4, footer), (footer, len(body))])
    for _ in range(rng.choice([0, 1, 5, 50])):
        body[rng.randrange(first, last)] = rng.randrange(256)
    return bytes(rng.choice([body, body[: rng.randrange(1, len(body))], body[: len(body) // 2] + body[-8:]]))


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("name", "broken"), [("a.csv", _csv), ("a.csv.gz", _gzip), ("a.parquet", _parquet)], ids=["csv", "gzip", "parquet"]
)
@pytest.mark.parametrize("seed", range(25))
def test_a_broken_file_is_read_or_refused_by_name(
    name: str, broken: Callable[[random.Random], bytes], seed: int, tmp_path: Path
) -> None:
    """Whatever is refused names the file; a fault of this program raises something else, and a hang ends the test."""
    rng = random.Random(seed)
    (tmp_path / name).write_bytes(broken(rng))
    mapping = mapping_of('format = "epoch_ms"', rng.choice(",;|"), rng.choice(ENCODINGS))
    refusal = name
    try:
        read(tmp_path / name, mapping)
    except (SourceError, MappingError) as error:
        refusal = str(error)
    assert name in refusal
    assert len(refusal) < 10_000
