"""A legal hold refuses erasures by name, is on record for good, and a tenant goes whole once it is lifted."""

import pytest
from psycopg.errors import InsufficientPrivilege, RaiseException
from typer.testing import CliRunner, Result

from iot_pipeline.erasure_commands import app
from iot_pipeline.registry import erasures, holds
from iot_pipeline.registry.commands import app as registry_app
from iot_pipeline.registry.errors import RegistryError
from iot_pipeline_tests.integration.erasure.conftest import Fleet


def command(fleet: Fleet, *arguments: str) -> Result:
    """A command of erasures, in this process; it looks at what this test has written."""
    return CliRunner().invoke(app, [*arguments, "--since", fleet.since.isoformat()])


def test_what_is_held_is_not_erased_and_a_tenant_goes_whole_when_it_is_lifted(fleet: Fleet) -> None:
    registry, eraser = fleet.registry, fleet.eraser()
    planned = command(fleet, "plan", "--tenant", fleet.tenant, "--by", "ada", "--reason", "the contract has ended")
    assert planned.exit_code == 0, planned.output
    (erasure,) = [each for each in erasures.all_erasures(registry) if each.subject == fleet.tenant]
    assert erasure.erasure_id in planned.output
    runner = CliRunner()
    assert runner.invoke(registry_app, ["hold", fleet.tenant, "--by", "bob", "--reason", "case 12"]).exit_code == 0
    with pytest.raises(RegistryError, match="is in force already"):
        holds.place(registry, fleet.tenant, "bob", "case 13")
    for refused in (
        lambda: eraser.run(erasure.erasure_id),
        lambda: eraser.plan("device", fleet.goes, "ada", "request"),
        lambda: eraser.plan("tenant", fleet.tenant, "ada", "request"),
    ):
        with pytest.raises(holds.HoldError, match=rf"{fleet.tenant} is under a legal hold .+ by bob \(case 12\)"):
            refused()
    # Nor does the registry's own function, whoever calls it; and nobody else may delete.
    erasures.note(registry, erasure.erasure_id)
    with pytest.raises(RaiseException, match="a legal hold is in force"):
        erasures.erase(registry, erasure.erasure_id)
    with pytest.raises(InsufficientPrivilege), registry.transaction():
        registry.execute("DELETE FROM registry.tenants")
    assert registry.execute("SELECT 1 FROM registry.tenants WHERE tenant_id = %s", (fleet.tenant,)).fetchall()
    registry.commit()

    refusal = command(fleet, "run", erasure.erasure_id)
    assert refusal.exit_code == 2
    assert "is under a legal hold" in refusal.output
    assert runner.invoke(registry_app, ["unhold", fleet.tenant, "--by", "eve", "--reason", "closed"]).exit_code == 0
    wanted = ("proof", "--tenant", fleet.tenant, "--also", fleet.goes, "--also", fleet.stays)
    assert command(fleet, *wanted).exit_code == 1, "all of it is there still"
    done = command(fleet, "run", erasure.erasure_id)
    assert done.exit_code == 0, done.output
    proved = command(fleet, *wanted)
    assert proved.exit_code == 0, proved.output
    assert "nothing else is left" in proved.output
    assert fleet.lake.touched([fleet.arrival]) == []
    (record,) = [hold for hold in holds.all_holds(registry) if hold.reason == "case 12"]
    assert record.tenant_id == f"erased:{erasure.digest}"
    assert (record.placed_by, record.lifted_by, record.lift_reason) == ("bob", "eve", "closed")
