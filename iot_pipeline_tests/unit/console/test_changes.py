"""A change that is not recorded keeps the service from starting, or fails."""

from typing import Any, cast

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient

from iot_pipeline.console import access, changes
from iot_pipeline.console.audit import Audit
from iot_pipeline.console.authorisation import SignedIn, authorise
from iot_pipeline.console.changes import Recorded, UnrecordedError
from iot_pipeline.console.store import Store
from iot_pipeline.console.viewer import Role, Viewer
from iot_pipeline_tests.support.console_parts import Signed, unopened

router = APIRouter()


@router.post("/forgetful")
def forgetful(record: Recorded) -> str:
    return "changed"


@router.post("/careful")
def careful(record: Recorded) -> str:
    record("change", "subject", "why")
    return "changed"


@router.post("/silent")
def silent(viewer: SignedIn) -> str:
    return "changed"


@pytest.fixture
def _rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("/forgetful", "/careful", "/silent"):
        monkeypatch.setitem(access.ROUTES, ("POST", path), access.Access(access.EVERYONE, changes=True))


class Written:
    """Stands for the table."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    def put(self, key: str, sort: str, values: Any, *, new: bool = False) -> None:
        self.items.append(values)


def app(written: Written) -> FastAPI:
    store = cast("Store", written)
    made = FastAPI(dependencies=[Depends(authorise)])
    made.state.parts = unopened(Signed(Viewer("ada", Role.ADMIN)), store=store, audit=Audit(store))
    made.include_router(router)
    return made


@pytest.mark.usefixtures("_rows")
def test_a_route_that_declares_no_record_is_named() -> None:
    with pytest.raises(ValueError, match=r"\['POST /silent'\]"):
        changes.check(router.routes)


@pytest.mark.usefixtures("_rows")
def test_a_change_is_recorded_with_who_what_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    written = Written()
    assert TestClient(app(written)).post("/careful").status_code == 200
    (entry,) = written.items
    assert (entry["who"], entry["action"], entry["subject"], entry["reason"]) == ("ada", "change", "subject", "why")


@pytest.mark.usefixtures("_rows")
def test_a_change_that_is_not_recorded_fails() -> None:
    with pytest.raises(UnrecordedError, match="/forgetful has changed something"):
        TestClient(app(Written())).post("/forgetful")
