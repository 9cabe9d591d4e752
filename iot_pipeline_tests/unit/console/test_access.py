"""Every route has its row, and the row decides."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from iot_pipeline.console import access
from iot_pipeline.console.app import create_app
from iot_pipeline.console.viewer import Role, Viewer
from iot_pipeline_tests.support.console_parts import Signed, unopened


def test_the_service_answers_without_a_sign_in() -> None:
    answer = TestClient(create_app(unopened(Signed()))).get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_route_without_a_row_keeps_the_service_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "ROUTES", {("GET", "/forgotten"): access.Access(None)})
    with pytest.raises(ValueError, match=r"without a row: .*healthz.*; without a route: .*forgotten"):
        create_app(unopened(Signed()))


@pytest.mark.parametrize(
    ("make", "why"),
    [(lambda: Viewer("ada", Role.TENANT), "ada"), (lambda: Viewer("ada", Role.ADMIN, "acme"), "ada")],
)
def test_a_viewer_has_a_tenant_if_and_only_if_of_a_tenant(make: Callable[[], Viewer], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make()


def test_unknown_paths_are_problem_documents() -> None:
    answer = TestClient(create_app(unopened(Signed()))).get("/nowhere")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "not_found"
