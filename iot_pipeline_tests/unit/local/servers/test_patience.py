"""A wait lasts while something changes, and says what it waits for."""

from itertools import count

import pytest

from infra.local.servers import patience
from infra.local.servers.local_server import LocalError
from infra.local.servers.patience import wait_while_it_moves


def test_a_wait_lasts_as_long_as_the_state_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty looks take longer than the state may stand still."""
    monkeypatch.setattr(patience, "STALLED_SECONDS", 0.05)
    states = count()
    assert wait_while_it_moves("the count", lambda: next(states), lambda state: state == 20, 0.01) == 20


def test_what_stands_still_is_given_up_with_its_name_and_state(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(patience, "STALLED_SECONDS", 0.2)
    monkeypatch.setattr(patience, "TELL_SECONDS", 0.05)
    with pytest.raises(LocalError, match="the stack: nothing has changed for 0 s; it stands at CREATING"):
        wait_while_it_moves("the stack", lambda: "CREATING", lambda _state: False, 0.01)
    assert "waiting for the stack, 0 s so far: CREATING" in capsys.readouterr().err


def test_the_whole_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "OVERALL_SECONDS", 0.1)
    states = count()
    with pytest.raises(LocalError, match="the count: not there after 0 s"):
        wait_while_it_moves("the count", lambda: next(states), lambda _state: False, 0.01)
