"""The faults, by name: what each does, how often by default, and how the command line chooses them."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a fault's rate is a share of."""

    READING = "readings"
    MESSAGE = "messages"
    SPELL = "time"
    DEVICE = "water meters"


@dataclass(frozen=True)
class Fault:
    """A fault. `rate` is its share in the default mix (`--faults all`), of what `scope` says."""

    name: str
    scope: Scope
    rate: float
    effect: str


_ALL = (
    Fault("duplicate", Scope.READING, 0.01, "the reading is sent again, in the same or the next message: a duplicate"),
    Fault("conflict", Scope.READING, 0.002, "its key is sent again with another value: the last received wins"),
    Fault("out_of_order", Scope.READING, 0.01, "the reading comes one message late, after newer ones: valid"),
    Fault("late", Scope.READING, 0.005, "taken 1 hour to 25 days before: valid, re-opens an old event hour"),
    Fault("too_late", Scope.READING, 0.001, "older than the lateness bound: too_late"),
    Fault("missing_field", Scope.READING, 0.001, "ts or seq absent or null: missing_ts, missing_seq"),
    Fault("invalid_ts", Scope.READING, 0.001, "ts is no time, or a time without a zone: invalid_ts"),
    Fault("invalid_seq", Scope.READING, 0.001, "seq is text or a fraction: invalid_seq"),
    Fault("extra_field", Scope.READING, 0.01, "fields unknown to the contract: valid, kept as extras"),
    Fault("fahrenheit", Scope.READING, 0.03, "temperature in degF, and says so: valid, converted"),
    Fault("unknown_unit", Scope.READING, 0.001, "temperature in a unit nobody agreed on: unknown_unit"),
    Fault("out_of_range", Scope.READING, 0.002, "a metric that cannot be: out_of_range"),
    Fault(
        "invalid_value", Scope.READING, 0.001, "text, true, [] where a number is due, or a bad location: invalid_value"
    ),
    Fault("no_metrics", Scope.READING, 0.001, "ts and seq, and nothing measured: no_metrics"),
    Fault(
        "not_an_object", Scope.READING, 0.0005, "a number, text, null or array in place of the reading: not_an_object"
    ),
    Fault("clock_skew", Scope.READING, 0.005, "up to 30 s off: valid; one in five a week to a month ahead: in_future"),
    Fault("epoch_ms", Scope.READING, 0.02, "ts as epoch milliseconds: valid"),
    Fault("ts_offset", Scope.READING, 0.02, "ts in ISO-8601 with an offset such as +02:00: valid"),
    Fault("malformed", Scope.MESSAGE, 0.001, "truncated JSON, text, newlines, invalid UTF-8, CBOR: malformed_json"),
    Fault("not_a_message", Scope.MESSAGE, 0.001, "JSON without readings, an empty array, no object: no_readings"),
    Fault("unsupported_version", Scope.MESSAGE, 0.001, "v is not the contract's: unsupported_version, each reading"),
    Fault("device_mismatch", Scope.MESSAGE, 0.001, "device_id is another device's: device_mismatch, each reading"),
    Fault("stuck", Scope.SPELL, 0.01, "temperature and humidity repeat themselves for 100 readings: valid"),
    Fault("outage", Scope.SPELL, 0.02, "silent for 4 messages' time, then sends the backlog (live runs only): valid"),
    Fault("leak", Scope.DEVICE, 0.05, "the flow never returns to zero: valid"),
)
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
SPELL_READINGS = 100
STICKING = ("temperature", "humidity")
OUTAGE_MESSAGES = 4


def choose_faults(preset: str, overrides: Iterable[str]) -> dict[str, float]:
    """The rate of every fault, from `--faults all|none` and any number of `--fault name=rate`.

    Raises ValueError naming the bad part: an unknown preset or name, a rate that is not a share, or shares of the
    readings (or of the messages) that add up to more than one, since each can have one such fault only.
    """
    if preset not in ("all", "none"):
        raise ValueError(f"--faults {preset!r}: expected all or none (single ones: --fault duplicate=0.01)")
    rates = {name: fault.rate if preset == "all" else 0.0 for name, fault in FAULTS.items()}
    for override in overrides:
        name, _, text = override.partition("=")
        if name not in FAULTS:
            raise ValueError(f"--fault {override!r}: no fault is called {name!r}; there are {', '.join(FAULTS)}")
        rates[name] = _share(override, text)
    for scope in (Scope.READING, Scope.MESSAGE):
        total = sum(rates[name] for name in of_scope(scope))
        if total > 1:
            raise ValueError(
                f"the faults of {scope} add up to {total:g} of them; lower their rates to at most 1 together"
            )
    return rates


def _share(override: str, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        raise ValueError(f"--fault {override!r}: expected NAME=RATE with a rate such as 0.01") from None
    if not 0 <= rate <= 1:
        raise ValueError(f"--fault {override!r}: a rate is a share from 0 to 1")
    return rate


def of_scope(scope: Scope) -> tuple[str, ...]:
    """The names of the faults of a scope, in their order."""
    return tuple(fault.name for fault in _ALL if fault.scope is scope)


def strikes(seed: int, fault: str, device_id: str, spell: int, rate: float) -> bool:
    """Whether a lasting fault is on for a device during a spell: the same answer each time it is asked."""
    return zlib.crc32(f"{seed}/{fault}/{device_id}/{spell}".encode()) < rate * 2**32
