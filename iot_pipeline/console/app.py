"""The service, assembled: its routes, who may call them, its errors."""

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from iot_pipeline.console import access, problems
from iot_pipeline.console.authorisation import authorise
from iot_pipeline.console.parts import Parts
from iot_pipeline.console.query.routes import router as queries

STATIC = "/static"


def create_app(parts: Parts) -> FastAPI:
    """The ASGI application on these parts. Raises ValueError if a route and the table of access do not agree."""
    app = FastAPI(
        title="Telemetry console",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(authorise)],
    )
    app.state.parts = parts
    app.add_exception_handler(problems.ProblemError, problems.of_problem)
    app.add_exception_handler(HTTPException, problems.of_http)
    app.add_exception_handler(RequestValidationError, problems.of_validation)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The service answers."""
        return {"status": "ok"}

    app.include_router(queries)

    @app.get("/api/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        """The description of the API for programs (OpenAPI)."""
        return JSONResponse(app.openapi())

    app.mount(STATIC, StaticFiles(packages=[("iot_pipeline.console", "static")]), "static")
    access.check(app)
    return app
