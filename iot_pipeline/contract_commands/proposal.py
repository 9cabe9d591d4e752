"""From what devices send to an edit of the contract: what may be proposed, and what a person has to say.

Nothing is guessed. A field becomes a metric only if all that was sent in it are numbers. Its unit is the one that its
devices state, or one that a person does; a conversion a person gives. Its range is proposed from what was seen, and
marked as such.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from iot_pipeline.contract import Contract, Metric, Unit
from iot_pipeline.contract.judge import PREFIXES
from iot_pipeline.contract_commands.source_edit import with_metric, with_unit


@dataclass(frozen=True)
class Sent:
    """What was sent in a field that the contract does not know. `units`: readings by the unit that they state, as JSON
    text, None where they state none. The values are those that are numbers: least, 1%, median, 99%, greatest.
    """

    name: str
    readings: int
    devices: int
    first_seen: datetime
    numbers: int
    values: Sequence[float] = ()
    units: Mapping[str | None, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """What a person says, by field: its unit, its meaning, and for units of known metrics factor and offset."""

    units: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    conversions: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposal:
    """What is proposed for a field: a metric, or a unit of one that is there; else only what stands in its way."""

    name: str
    metric: Metric | None = None
    unit: Unit | None = None
    notes: Sequence[str] = ()


def of_field(contract: Contract, sent: Sent, said: Said) -> Proposal:
    """What is proposed for an unknown field."""
    if sent.name.startswith(PREFIXES):
        return Proposal(sent.name, notes=["not a field of the reading itself: it stays in `extras`"])
    if sent.numbers < sent.readings:
        left = f"{sent.readings - sent.numbers} of {sent.readings} values are no numbers: a metric is one; it stays in"
        return Proposal(sent.name, notes=[f"{left} `extras`"])
    unit, note = _unit(sent, said)
    if unit is None:
        return Proposal(sent.name, notes=[note])
    low, high = proposed_range(sent.values)
    meaning = said.meanings.get(sent.name, "As devices send it; nobody has said yet what it means.")
    metric = Metric(sent.name, (Unit(unit),), low, high, high - low, meaning)
    try:
        replace(contract, metrics=(*contract.metrics, metric))
    except ValueError as error:
        return Proposal(sent.name, notes=[str(error)])
    least, below, middle, above, greatest = sent.values
    notes = [
        note,
        f"range {low:g} to {high:g} is a proposal, from 1% {below:g}, median {middle:g}, 99% {above:g}",
        "the largest change a minute is the whole range: no change raises an alert",
    ]
    if least < low or greatest > high:
        notes.append(f"seen {least:g} to {greatest:g}: what lies outside of the range would be quarantined")
    return Proposal(sent.name, metric, notes=notes)


def of_unit(metric: Metric, symbol: str, readings: int, said: Said) -> Proposal:
    """What is proposed for a unit that the contract does not know, of a metric that it knows."""
    conversion = said.conversions.get((metric.name, symbol))
    if conversion is None:
        how = f"--convert {metric.name}:{symbol}=FACTOR,OFFSET (value in {metric.unit} = sent * factor + offset)"
        return Proposal(metric.name, notes=[f"{readings} readings in {symbol!r}: say how it is converted, {how}"])
    return Proposal(metric.name, unit=Unit(symbol, *conversion), notes=[f"{readings} readings in {symbol!r}"])


def proposed_range(values: Sequence[float]) -> tuple[float, float]:
    """A range around what was seen: half of the spread of 98% beyond it on either side, rounded outwards to two digits.

    Never below zero where nothing was seen there.
    """
    least, below, middle, above, _ = values
    spread = (above - below) or abs(middle) or 1.0
    low, high = _outwards(below - spread / 2, math.floor), _outwards(above + spread / 2, math.ceil)
    return (max(low, 0.0) if least >= 0 else low), high


def edited(source: str, proposals: Sequence[Proposal], today: datetime) -> str:
    """The source of the metrics with what is proposed. Raises EditError."""
    for proposal in proposals:
        if proposal.metric is not None:
            remark = (
                f"Proposed on {today:%Y-%m-%d} from what devices sent: range and largest change are to be confirmed."
            )
            source = with_metric(source, proposal.metric, remark)
        if proposal.unit is not None:
            source = with_unit(source, proposal.name, proposal.unit)
    return source


def _unit(sent: Sent, said: Said) -> tuple[str | None, str]:
    """The unit of a field, and how it is known; None, and what is to be said, if it is not."""
    if sent.name in said.units:
        return said.units[sent.name], f"unit {said.units[sent.name]}, as you say"
    stated = {text: count for text, count in sent.units.items() if text is not None}
    symbols = {text.strip('"') for text in stated if text.startswith('"')}
    ask = f"say which it is: --unit {sent.name}=SYMBOL"
    if len(symbols) == 1 and len(stated) == 1:
        (symbol,), silent = symbols, sent.units.get(None, 0)
        rest = f"; {silent} readings state none and are taken to be in it" if silent else ""
        return symbol, f"unit {symbol}, as {sum(stated.values())} readings state{rest}"
    if stated:
        return None, f"devices state several units ({', '.join(sorted(stated))}); {ask}"
    return None, f"no device states its unit; {ask}"


def _outwards(value: float, rounding: Callable[[float], int]) -> float:
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    # To the digits of the step, since 3 * 0.1 is not 0.3.
    return float(f"{rounding(value / step) * step:.12g}")
