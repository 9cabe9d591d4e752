"""What makes of an analyst's SELECT the one that is run: parsed, checked, filtered to the viewer's tenant. Pure."""

from iot_pipeline.console.query.guard.checked import Guarded, guard
from iot_pipeline.console.query.guard.refusal import RefusedError
from iot_pipeline.console.query.guard.scope import Scope

__all__ = ["Guarded", "RefusedError", "Scope", "guard"]
