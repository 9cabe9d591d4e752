"""The devices' live state made anew from the raw zone, for a table that is lost: the handler's fold, once more."""

from collections.abc import Iterable

from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.alerting.episodes import Change, merged
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.batch import Record, fold
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.state_store import StateConflictError, StateStore


class StateRebuild:
    """Folds lines of the raw zone into the states of devices that have none."""

    def __init__(self, states: StateStore, rules: RuleSet, judge: Judge) -> None:
        self._states, self._rules, self._judge = states, rules, judge
        self._lost: dict[str, DeviceState | None] = {}
        self._changes: dict[str, list[Change]] = {}
        self._taken = 0

    def take(self, lines: Iterable[bytes]) -> int:
        """Fold lines, each device's in the order in which they came; how many there have been by now.

        A device that has a state keeps it: it was heard of since, or was never lost. Raises botocore's errors and
        StatesUnreadError.
        """
        for line in lines:
            self._taken += 1
            readings = self._judge.line(line)
            device = readings[0].message.device_id
            state = None if device is None else self._lost_state(device)
            if device is None or state is None:
                continue
            # The stream's own sequence numbers are far larger, so that what comes live is taken after this.
            changes = fold(state, [Record(self._taken, str(self._taken), readings)], self._rules)
            if changes:
                self._changes[device] = merged([*self._changes.get(device, []), *changes])
        return self._taken

    def save(self, now_ms: int) -> tuple[int, list[str]]:
        """Write the states, with their alerts: how many, and the devices that were heard of meanwhile.

        Alerts that are on record already are found to be so. Raises botocore's errors; saving again goes on.
        """
        written, heard = 0, []
        for device, state in self._lost.items():
            if state is None or state.version > 0:
                continue
            try:
                self._states.save(state, self._changes.get(device, []), now_ms)
            except StateConflictError:
                heard.append(device)
            else:
                written += 1
        return written, heard

    def _lost_state(self, device: str) -> DeviceState | None:
        if device not in self._lost:
            state = self._states.load([device])[device]
            self._lost[device] = state if state.version == 0 else None
        return self._lost[device]
