"""The pages: the frame that the server draws. What is in it comes from the API, by the scripts in `static/`."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from iot_pipeline.console import access
from iot_pipeline.console.authorisation import SignedIn
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.viewer import Viewer

_templates = Jinja2Templates(Path(__file__).with_name("templates"))
# The pages in the order of the navigation: address, template, what it is called.
_NAVIGATION = (
    ("/", "live.html", "Fleet"),
    ("/pipeline", "pipeline.html", "Pipeline"),
    ("/queries", "queries.html", "Queries"),
    ("/admin", "admin.html", "Administration"),
    ("/keys", "keys.html", "API keys"),
    ("/api/docs", "api.html", "API"),
)
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
def live(request: Request, viewer: SignedIn) -> HTMLResponse:
    """The fleet as it is now."""
    return _page(request, viewer, "/")


@router.get("/pipeline")
def pipeline(request: Request, viewer: SignedIn) -> HTMLResponse:
    """Whether the pipeline is well."""
    return _page(request, viewer, "/pipeline")


@router.get("/queries")
def queries(request: Request, viewer: SignedIn) -> HTMLResponse:
    """SQL on demand."""
    return _page(request, viewer, "/queries")


@router.get("/admin")
def admin(request: Request, viewer: SignedIn) -> HTMLResponse:
    """Devices and alert rules, changed."""
    return _page(request, viewer, "/admin")


@router.get("/keys")
def keys(request: Request, viewer: SignedIn) -> HTMLResponse:
    """API keys."""
    return _page(request, viewer, "/keys")


@router.get("/api/docs")
def api(request: Request, viewer: SignedIn) -> HTMLResponse:
    """The API, described."""
    return _page(request, viewer, "/api/docs")


@router.get("/devices/{device}")
def device(request: Request, viewer: SignedIn, device: str) -> HTMLResponse:
    """One device. Whether the viewer may see it, the API says to the page's script."""
    return _page(request, viewer, "/devices/{device}", "device.html", device=device)


def _page(request: Request, viewer: Viewer, path: str, template: str = "", **also: Any) -> HTMLResponse:
    links = [(to, name) for to, _, name in _NAVIGATION if viewer.role in (access.of_route("GET", to).roles or ())]
    template = template or next(name for to, name, _ in _NAVIGATION if to == path)
    csrf = parts_of(request).identity.csrf(request)
    given = {"viewer": viewer, "links": links, "path": path, "csrf": csrf, **also}
    return _templates.TemplateResponse(request, template, given, headers={"Cache-Control": "no-store"})
