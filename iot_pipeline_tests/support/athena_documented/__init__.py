"""Statements of Trino's documentation and their kin, with what Athena answers.

The pages give the rules and most examples. Where a page gives no value for exactly the arguments here, the value
follows from its rule, and every value was held against a Trino 476 server on 2026-11-29 (plain SELECTs). What this
server does not do although Trino does is `Refused("NOT_SUPPORTED_LOCALLY: ...")`; other refusals are Trino's own.
Timestamps are in Athena's result files with three digits of a second at least (Athena user guide, "Data types").
"""

from importlib import import_module
from pkgutil import iter_modules

from iot_pipeline_tests.support.athena_documented.case import Case

TABLES: dict[str, list[Case]] = {
    module.name: import_module(f"{__name__}.{module.name}").CASES
    for module in iter_modules(__path__)
    if module.name != "case"
}
