"""The service, assembled: its routes, who may call them, its errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from iot_pipeline.console import access, changes, kept_layout, pages, problems
from iot_pipeline.console.admin import device_changes, people_changes, rule_changes
from iot_pipeline.console.authorisation import SignInError, authorise, to_sign_in
from iot_pipeline.console.devices import routes as devices
from iot_pipeline.console.health import routes as health
from iot_pipeline.console.identity import routes as identity
from iot_pipeline.console.live import routes as live
from iot_pipeline.console.parts import Parts
from iot_pipeline.console.query import routes as queries

STATIC = "/static"
ROUTERS = (
    identity.router,
    pages.router,
    live.router,
    kept_layout.router,
    queries.router,
    health.router,
    devices.router,
    device_changes.router,
    rule_changes.router,
    people_changes.router,
)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    async with parts.live.running():
        yield


def create_app(parts: Parts) -> FastAPI:
    """The ASGI application on these parts. Raises ValueError if a route and the table of access do not agree.

    It raises ValueError too if a route that changes something declares no record of it.
    """
    app = FastAPI(
        title="Telemetry console",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(authorise)],
        lifespan=_lifespan,
        responses=problems.RESPONSES,
    )
    app.state.parts = parts
    app.add_exception_handler(problems.ProblemError, problems.of_problem)
    app.add_exception_handler(SignInError, to_sign_in)
    app.add_exception_handler(HTTPException, problems.of_http)
    app.add_exception_handler(RequestValidationError, problems.of_validation)
    app.add_exception_handler(Exception, problems.of_failure)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The service answers."""
        return {"status": "ok"}

    for router in ROUTERS:
        app.include_router(router)
    app.mount(STATIC, StaticFiles(packages=[("iot_pipeline.console", "static")]), "static")
    routes = list(chain(app.routes, *(router.routes for router in ROUTERS)))
    access.check(routes)
    changes.check(routes)
    return app
