"""Each escape is refused by name, or what the guard makes of it shows no foreign row."""

from pyathena.error import OperationalError

from iot_pipeline.console.query.guard import RefusedError, Scope, guard
from iot_pipeline_tests.support.athena import LocalAthena
from iot_pipeline_tests.support.escapes import ESCAPES
from iot_pipeline_tests.support.guarded import BOTH, OWN, foreign_in
from iot_pipeline_tests.support.sql_fuzz import check_tokens

SCOPE = Scope(BOTH, OWN, 1000)


def _passing() -> list[str]:
    passed = []
    for text in ESCAPES:
        try:
            guard(text, SCOPE)
        except RefusedError:
            continue
        passed.append(text)
    return passed


PASSING = _passing()


def test_tables_hold_foreign_rows(two_tenants: LocalAthena) -> None:
    """Else no test here could fail."""
    for table in SCOPE.visible():
        assert foreign_in(two_tenants.rows(f"SELECT * FROM {table}", BOTH)), table


def test_escapes_that_pass_show_no_foreign_row(two_tenants: LocalAthena) -> None:
    """Each is run, but for the exceptions that the engine refuses."""
    ran = 0
    for text in PASSING:
        made = guard(text, SCOPE).sql
        check_tokens(made)
        try:
            found = two_tenants.rows(made, "default")
        except OperationalError:
            continue
        assert foreign_in(found) == [], text
        ran += 1
    print(
        f"\n{len(ESCAPES)} escapes: {len(ESCAPES) - len(PASSING)} refused by the guard, {ran} run without a foreign row"
    )
    assert ran >= len(PASSING) * 2 // 3
