"""From fleet, plan, faults and state to batches of messages, each with the rows that are expected of it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from simulator.block import READING_FAULT_NAMES, Block, BlockMaker, bodies, choose
from simulator.encode import check_size, encode, message
from simulator.faults import OUTAGE_MESSAGES, Scope, of_scope, strikes
from simulator.fleet import Fleet
from simulator.message_faults import MESSAGE_FAULTS
from simulator.plan import Plan
from simulator.reading_faults import READING_FAULTS, other_values
from simulator.rows import Row, rows_table
from simulator.state import State

_MESSAGE_FAULT_NAMES = of_scope(Scope.MESSAGE)


@dataclass(frozen=True)
class OutMessage:
    """A message to send: of which device (index), its number among the device's messages, bytes, when (epoch ms)."""

    device: int
    number: int
    payload: bytes
    due_ms: int


@dataclass(frozen=True)
class Batch:
    """Messages in the order of sending. `rows` has ROWS_SCHEMA's columns, `message_index` and `position` (from 1)."""

    messages: list[OutMessage]
    rows: pa.Table


class Generator:
    """Makes the batches of a plan, one after the other. The same arguments give the same bytes."""

    def __init__(self, fleet: Fleet, plan: Plan, faults: Mapping[str, float], state: State) -> None:
        """Prepare a plan from batch `state.batch` on."""
        self._fleet, self._plan, self._faults = fleet, plan, faults
        self._blocks = BlockMaker(fleet, plan, faults)
        self.state = state

    @property
    def finished(self) -> bool:
        """Whether the plan has no further batch."""
        return self.state.batch >= self._plan.batches

    def next_batch(self) -> Batch:
        """Make the next batch and advance the state. Raises ValueError for a message that would be too large."""
        # Drawn from the batch's number, not from a running stream: a restart needs no generator state.
        rng = np.random.default_rng([self._fleet.seed, 4, self._plan.start_ms, self.state.batch])
        block = self._blocks.make(self.state, rng)
        batch = _Assembler(self._fleet, self._plan, self._faults, self.state, block, rng).batch()
        self.state.batch += 1
        return batch


class _Assembler:
    """Packs one block's readings into messages and works the single faults in."""

    def __init__(
        self,
        fleet: Fleet,
        plan: Plan,
        faults: Mapping[str, float],
        state: State,
        block: Block,
        rng: np.random.Generator,
    ) -> None:
        self._fleet, self._plan, self._faults, self._state = fleet, plan, faults, state
        self._block, self._rng = block, rng
        self._bodies = bodies(fleet, block)
        self._slots = -(-block.readings // plan.pack)
        self._hits: dict[tuple[int, int], list[tuple[int, str]]] = defaultdict(list)
        for d, k in np.argwhere(block.kind < len(READING_FAULT_NAMES)).tolist():
            self._hits[d, k // plan.pack].append((k, READING_FAULT_NAMES[block.kind[d, k]]))

    def batch(self) -> Batch:
        """All messages of the block, slot by slot, and their rows."""
        count = len(self._fleet.devices)
        kinds = choose(self._rng, self._faults, _MESSAGE_FAULT_NAMES, (count, self._slots))
        messages: list[OutMessage] = []
        rows: list[list[int | Row]] = []
        for slot in range(self._slots):
            for d in range(count):
                made = self._message(d, slot, int(kinds[d, slot]))
                if made is not None:
                    messages.append(made[0])
                    rows.append(made[1])
        return Batch(messages, self._table(rows))

    def _message(self, d: int, slot: int, kind: int) -> tuple[OutMessage, list[int | Row]] | None:
        due_ms = self._due_ms(d, slot)
        readings, rows = self._readings(d, slot)
        if not readings:
            return None
        device = self._fleet.devices[d]
        content = message(device, due_ms if self._plan.paced else self._plan.end_ms, readings)
        if kind < len(_MESSAGE_FAULT_NAMES):
            known = [self._row(row) for row in rows]
            payload, broken = MESSAGE_FAULTS[_MESSAGE_FAULT_NAMES[kind]](content, known, self._rng)
            check_size(device, payload)
            rows = list(broken)
        else:
            payload = encode(device, content)
        number = self._state.number[d]
        self._state.number[d] += 1
        return OutMessage(d, number, payload, due_ms), rows

    def _due_ms(self, d: int, slot: int) -> int:
        """When the message is complete, or at an outage's end; marks the readings that an outage delays.

        A backlog is due at once.
        """
        plan, block = self._plan, self._block
        index = block.first // plan.pack + slot
        if plan.paced:
            spell = index // OUTAGE_MESSAGES
            name = f"outage/{plan.start_ms}"
            if strikes(self._fleet.seed, name, self._fleet.devices[d].device_id, spell, self._faults["outage"]):
                index = min((spell + 1) * OUTAGE_MESSAGES, plan.messages) - 1
                span = slice(slot * plan.pack, (slot + 1) * plan.pack)
                block.faults[d, span] = [f"{known},outage".strip(",") for known in block.faults[d, span]]
        else:
            return plan.start_ms
        last = min((index + 1) * plan.pack, plan.readings)
        return plan.start_ms + round((last + d / plan.devices) * plan.step_ms)

    def _readings(self, d: int, slot: int) -> tuple[list[Any], list[int | Row]]:
        """What a message carries, with the faults of its readings, and the row of each: its own, or a base index."""
        block, pack = self._block, self._plan.pack
        begin = slot * pack
        readings: list[Any] = self._bodies[d][begin : begin + pack]
        start = d * block.readings + begin
        rows: list[int | Row] = list(range(start, start + len(readings)))
        is_last = block.first + begin + pack >= self._plan.readings
        held_before = self._state.held[d]
        hold = self._state.held[d] = []
        moved = []
        for k, fault in self._hits.get((d, slot), ()):
            i = k - begin
            if fault == "out_of_order":
                moved.append(i)
            elif fault in ("duplicate", "conflict"):
                copy = self._copy(fault, readings[i], block.row(d, k))
                later = not is_last and self._rng.random() < 0.6
                if later:
                    hold.append(copy)
                else:
                    readings.append(copy[0])
                    rows.append(copy[1])
            elif fault != "late":  # those are made late before their values are measured
                now_ms = int(block.ts_ms[d, k]) if self._plan.paced else self._plan.end_ms
                readings[i], rows[i] = READING_FAULTS[fault](readings[i], block.row(d, k), now_ms, self._rng)
        for i in reversed(moved):
            reading, row = readings.pop(i), self._row(rows.pop(i)).also("out_of_order")
            if is_last:
                readings.append(reading)
                rows.append(row)
            else:
                hold.append((reading, row))
        readings += [reading for reading, _ in held_before]
        rows += [row for _, row in held_before]
        return readings, rows

    def _copy(self, fault: str, reading: dict[str, Any], row: Row) -> tuple[dict[str, Any], Row]:
        if fault == "conflict":
            reading, row = other_values(reading, row, self._rng)
        return dict(reading), row.also(fault)

    def _row(self, row: int | Row) -> Row:
        return row if isinstance(row, Row) else self._block.row(*divmod(row, self._block.readings))

    def _table(self, rows: list[list[int | Row]]) -> pa.Table:
        base = self._block.table()
        own: list[Row] = []
        index = []
        for row in (row for of_message in rows for row in of_message):
            if isinstance(row, Row):
                index.append(base.num_rows + len(own))
                own.append(row)
            else:
                index.append(row)
        table = pa.concat_tables([base, rows_table(own)]).take(pa.array(index, pa.int64()))
        sizes = [len(of_message) for of_message in rows]
        positions = [np.arange(1, size + 1, dtype=np.int32) for size in sizes]
        return table.append_column(
            "message_index", pa.array(np.repeat(np.arange(len(rows), dtype=np.int32), sizes), pa.int32())
        ).append_column("position", pa.array(np.concatenate([np.empty(0, np.int32), *positions]), pa.int32()))
