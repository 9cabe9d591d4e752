"""Every route has its row, and the row decides."""

from collections.abc import Callable

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from infra.local.servers.checkout import CHECKOUT
from iot_pipeline.console import access
from iot_pipeline.console.access_docs import markdown
from iot_pipeline.console.app import create_app
from iot_pipeline.console.audit import Audit
from iot_pipeline.console.parts import Parts
from iot_pipeline.console.store import Store
from iot_pipeline.console.viewer import Role, Viewer


class Signed:
    """An identity whose viewer the test sets."""

    def __init__(self, viewer: Viewer | None = None) -> None:
        self.known = viewer

    def viewer(self, request: Request) -> Viewer | None:
        return self.known

    def check_csrf(self, request: Request) -> None:
        return None

    def csrf(self, request: Request) -> str:
        return ""


def _parts() -> Parts:
    # No route that is asked here reads the table.
    store = Store(None, "unused")
    return Parts(Signed(), store, Audit(store))


def test_the_service_answers_without_a_sign_in() -> None:
    answer = TestClient(create_app(_parts())).get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_route_without_a_row_keeps_the_service_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "ROUTES", {("GET", "/forgotten"): access.Access(None)})
    with pytest.raises(ValueError, match=r"without a row: .*healthz.*; without a route: .*forgotten"):
        create_app(_parts())


@pytest.mark.parametrize(
    ("make", "why"),
    [(lambda: Viewer("ada", Role.TENANT), "ada"), (lambda: Viewer("ada", Role.ADMIN, "acme"), "ada")],
)
def test_a_viewer_has_a_tenant_if_and_only_if_of_a_tenant(make: Callable[[], Viewer], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make()


def test_unknown_paths_are_problem_documents() -> None:
    answer = TestClient(create_app(_parts())).get("/nowhere")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "not_found"


def test_the_written_table_is_the_current_one() -> None:
    written = (CHECKOUT / "docs" / "console-access.md").read_text(encoding="utf-8")
    assert written == markdown(), "run `make docs`"
