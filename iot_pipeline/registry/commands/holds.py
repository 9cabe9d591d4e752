"""Legal holds: placing, lifting, looking."""

from typing import Annotated

import typer

from iot_pipeline.command_line import out, table_of
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.registry.commands.app import app
from iot_pipeline.registry.commands.support import explained
from iot_pipeline.registry.holds import all_holds, lift, place

TenantArgument = Annotated[str, typer.Argument(help="Tenant id.")]
ByOption = Annotated[str, typer.Option("--by", help="Who says so.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why: the case, the court, the ticket.")]


@app.command()
def hold(tenant: TenantArgument, by: ByOption, reason: ReasonOption) -> None:
    """Place a legal hold: until it is lifted retention removes no hour with data of the tenant, and no erasure runs."""
    with explained(), open_registry() as connection:
        place(connection, tenant, by, reason)
    out.print(f"{tenant} is under a legal hold")


@app.command()
def unhold(tenant: TenantArgument, by: ByOption, reason: ReasonOption) -> None:
    """Lift the legal hold of a tenant. That it was there, and who lifted it, stays on record."""
    with explained(), open_registry() as connection:
        lift(connection, tenant, by, reason)
    out.print(f"the legal hold of {tenant} is lifted")


@app.command()
def holds() -> None:
    """Every legal hold there ever was."""
    with explained(), open_registry() as connection:
        found = all_holds(connection)
    table = table_of("tenant", "placed", "by", "reason", "lifted", "by", "reason")
    for it in found:
        lifted = f"{it.lifted_at:%Y-%m-%d %H:%M}Z" if it.lifted_at else "in force"
        placed = f"{it.placed_at:%Y-%m-%d %H:%M}Z"
        table.add_row(it.tenant_id, placed, it.placed_by, it.reason, lifted, it.lifted_by or "", it.lift_reason or "")
    out.print(table)
