"""Messages of PostgreSQL's protocol 3, which Redshift speaks: https://www.postgresql.org/docs/16/protocol-message-formats.html."""

import asyncio
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

CANCEL_REQUEST = 80877102
SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
PROTOCOL_3 = 196608

# Four times the largest statement; PostgreSQL's own bound for what begins a connection.
MOST_BYTES = 64 * 1024 * 1024
MOST_STARTUP_BYTES = 10_000

JSONB, SUPER, INTERVAL = 3802, 4000, 1186
_DAY = 24 * 3600 * 1_000_000
SUPER_MODIFIER = 16_384_000

_HEADER = struct.Struct("!cI")
_FIELD = struct.Struct("!IhIhih")


@dataclass(eq=False)
class SqlError(Exception):
    """An error as it is sent: https://www.postgresql.org/docs/16/protocol-error-fields.html."""

    message: str
    sqlstate: str = "XX000"
    detail: str | None = None

    def encode(self) -> bytes:
        """The whole ErrorResponse."""
        fields = {"S": "ERROR", "V": "ERROR", "C": self.sqlstate, "M": self.message, "D": self.detail}
        return message(b"E", _fields(fields))


def notice(text: str) -> bytes:
    """A NoticeResponse of severity INFO."""
    return message(b"N", _fields({"S": "INFO", "V": "INFO", "C": "00000", "M": text}))


def parameter_status(name: str, value: str) -> bytes:
    """A ParameterStatus: what the server says of itself when a client connects."""
    return message(b"S", name.encode() + b"\0" + value.encode() + b"\0")


def _fields(fields: Mapping[str, str | None]) -> bytes:
    return b"".join(k.encode() + v.encode() + b"\0" for k, v in fields.items() if v is not None) + b"\0"


def message(kind: bytes, body: bytes = b"") -> bytes:
    """A message with its header."""
    return _HEADER.pack(kind, len(body) + 4) + body


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """(type, body) of the next message.

    Raises asyncio.IncompleteReadError at the end, SqlError for a length that no message has.
    """
    kind, length = _HEADER.unpack(await reader.readexactly(5))
    _check_length(length - 4, MOST_BYTES)
    return kind, await reader.readexactly(length - 4)


def _check_length(length: int, most: int) -> None:
    if not 0 <= length <= most:
        raise SqlError(f"invalid length of message: {length} bytes; expected 0 to {most}", "08P01")


async def read_startup(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """(code, body after the code) of a message without a type, as the first ones of a connection are.

    Raises as `read_message`.
    """
    length, code = struct.unpack("!II", await reader.readexactly(8))
    _check_length(length - 8, MOST_STARTUP_BYTES)
    return code, await reader.readexactly(length - 8)


def startup(code: int, body: bytes) -> bytes:
    """A message without a type."""
    return struct.pack("!II", len(body) + 8, code) + body


def text(body: bytes, start: int = 0) -> tuple[str, int]:
    """(the zero-terminated text at `start`, where the rest begins)."""
    end = body.index(b"\0", start)
    return body[start:end].decode(), end + 1


def parse(name: str, sql: str, rest: bytes = b"\0\0") -> bytes:
    """Parse; `rest` is the parameters' types as they came."""
    return message(b"P", name.encode() + b"\0" + sql.encode() + b"\0" + rest)


def bind(portal: str, statement: str) -> bytes:
    """Bind without parameters, results as text."""
    return message(b"B", portal.encode() + b"\0" + statement.encode() + b"\0" + b"\0\0" * 3)


def execute(portal: str) -> bytes:
    """Execute without a limit."""
    return message(b"E", portal.encode() + b"\0" + b"\0\0\0\0")


def close(what: bytes, name: str) -> bytes:
    """Close a statement (`what` S) or a portal (P); one that is not there is fine."""
    return message(b"C", what + name.encode() + b"\0")


def row(body: bytes) -> list[str | None]:
    """The values of a DataRow in text format."""
    values: list[str | None] = []
    position = 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        (length,) = struct.unpack_from("!i", body, position)
        position += 4
        values.append(None if length < 0 else body[position : position + length].decode())
        position += max(length, 0)
    return values


Turned = list[tuple[int, int]]


def as_redshift(body: bytes, output_name: Callable[[str], str]) -> tuple[bytes, Turned]:
    """(a RowDescription as Redshift gives it, the places and types of the columns whose values are to be turned).

    PostgreSQL's jsonb is Redshift's SUPER: clients give it as text, not as objects. Names go through `output_name`.
    """
    changed, turned, position = [body[:2]], [], 2
    for n in range(struct.unpack_from("!h", body)[0]):
        name, position = text(body, position)
        field = bytearray(body[position : position + _FIELD.size])
        position += _FIELD.size
        table, column, kind, size, _, form = _FIELD.unpack(field)
        if kind == JSONB:
            _FIELD.pack_into(field, 0, table, column, SUPER, size, SUPER_MODIFIER, form)
        if kind in (JSONB, INTERVAL):
            turned.append((n, kind))
        changed.append(output_name(name).encode() + b"\0" + field)
    return b"".join(changed), turned


def result_formats(body: bytes) -> tuple[int, ...]:
    """The formats that a Bind asks for its columns: none (all text), one for all, or one for each; 1 is binary."""
    position = text(body, text(body)[1])[1]
    (formats,) = struct.unpack_from("!h", body, position)
    position += 2 + 2 * formats
    (values,) = struct.unpack_from("!h", body, position)
    position += 2
    for _ in range(values):
        (length,) = struct.unpack_from("!i", body, position)
        position += 4 + max(length, 0)
    (count,) = struct.unpack_from("!h", body, position)
    return struct.unpack_from(f"!{count}h", body, position + 2)


# A text within JSON, and the blank after a comma or a colon that PostgreSQL writes and Redshift does not.
_TEXT_OR_BLANK = re.compile(rb'"(?:[^"\\]++|\\.)*+"?| ')


def turned_row(body: bytes, turned: Turned, formats: tuple[int, ...]) -> bytes:
    """A DataRow with SUPER columns without blanks between their parts, and binary intervals as Redshift has them."""
    kinds = dict(turned)
    changed, position = [body[:2]], 2
    for n in range(struct.unpack_from("!h", body)[0]):
        (length,) = struct.unpack_from("!i", body, position)
        value = body[position + 4 : position + 4 + max(length, 0)]
        position += 4 + max(length, 0)
        if length > 0 and n in kinds:
            binary = bool(formats and formats[n if len(formats) > 1 else 0])
            value = _compact(value) if kinds[n] == JSONB else _interval(value) if binary else value
            length = len(value)
        changed.append(struct.pack("!i", length) + value)
    return b"".join(changed)


def _compact(value: bytes) -> bytes:
    return _TEXT_OR_BLANK.sub(lambda found: b"" if found[0] == b" " else found[0], value)


def _interval(value: bytes) -> bytes:
    """PostgreSQL 8.0 counts days among the microseconds, and sends no days of their own."""
    microseconds, days, months = struct.unpack("!qii", value)
    return struct.pack("!qi", microseconds + days * _DAY, months)
