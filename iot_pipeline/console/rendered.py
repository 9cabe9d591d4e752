"""HTML from the package's templates, everything that is put into them escaped."""

from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

_TEMPLATES = Environment(
    loader=PackageLoader("iot_pipeline.console", "templates"), autoescape=True, undefined=StrictUndefined
)


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of a template and the values it names. Raises jinja2's errors for one that is missing."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(values), status, {"Cache-Control": "no-store"})
