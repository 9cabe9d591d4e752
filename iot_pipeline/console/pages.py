"""The pages: the frame that the server draws. What is in it comes from the API, by the scripts in `static/`."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from iot_pipeline.console import access
from iot_pipeline.console.authorisation import SignedIn
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.rendered import page
from iot_pipeline.console.viewer import Viewer

# The pages in the order of the navigation: address, template, what it is called.
_NAVIGATION = (
    ("/", "live.html", "Fleet"),
    ("/pipeline", "pipeline.html", "Pipeline"),
    ("/queries", "queries.html", "Queries"),
    ("/admin", "admin.html", "Administration"),
    ("/keys", "keys.html", "API keys"),
    ("/api/docs", "api.html", "API"),
)
_TEMPLATES = {path: template for path, template, _ in _NAVIGATION}
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


def navigated(request: Request, viewer: SignedIn) -> HTMLResponse:
    """A page of the navigation: the one of the request's address."""
    return _framed(request, viewer, _TEMPLATES[request.url.path])


for _path in _TEMPLATES:
    router.add_api_route(_path, navigated)


@router.get("/devices/{device}")
def device(request: Request, viewer: SignedIn, device: str) -> HTMLResponse:
    """One device. Whether the viewer may see it, the API says to the page's script."""
    return _framed(request, viewer, "device.html", device=device)


def _framed(request: Request, viewer: Viewer, template: str, **also: Any) -> HTMLResponse:
    """A page with the links that its viewer may follow."""
    links = [(to, name) for to, _, name in _NAVIGATION if viewer.role in (access.of_route("GET", to).roles or ())]
    csrf = parts_of(request).identity.csrf(request)
    return page(template, viewer=viewer, links=links, path=request.url.path, csrf=csrf, **also)
