"""People: let in, given another role, shut out. The provider has them; what they could do here ends with a change."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, model_validator

from iot_pipeline.console.admin.means import explained
from iot_pipeline.console.authorisation import SignedIn
from iot_pipeline.console.changes import Reason, Recorded, Why
from iot_pipeline.console.identity.directory import Directory, Entry
from iot_pipeline.console.identity.people import RoleError, group_of, role_of
from iot_pipeline.console.identity.routes import Service
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.problems import ProblemError
from iot_pipeline.console.viewer import Role, Viewer
from iot_pipeline.registry import sites

router = APIRouter(prefix="/api/admin/people", tags=["admin"])


class Somebody(BaseModel):
    """Somebody of the user pool. `problem` says why a sign-in would be refused; then there is no role."""

    name: str
    role: Role | None
    tenant: str | None
    enabled: bool
    status: str
    made: datetime
    problem: str | None


class Assignment(BaseModel):
    """A role; `tenant` with the role `tenant`, and with no other."""

    role: Role
    tenant: str | None = None
    reason: Reason

    @model_validator(mode="after")
    def _has_a_tenant_or_none(self) -> Self:
        if (self.role is Role.TENANT) != (self.tenant is not None):
            raise ValueError(f"the role {Role.TENANT.value} comes with a tenant, and no other does")
        return self


class Newcomer(Assignment):
    """Somebody to let in; the name is what is typed at the sign-in."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}$")]


class LetIn(BaseModel):
    """The password for the first sign-in, which is shown this once."""

    name: str
    password: str


@router.get("")
def people(request: Request) -> list[Somebody]:
    """Everybody of the user pool, by name."""
    with explained():
        return [_shown(entry) for entry in _directory(request).people()]


@router.post("", status_code=201)
def let_in(request: Request, response: Response, record: Recorded, given: Newcomer) -> LetIn:
    """Let somebody in, with one role."""
    response.headers["Cache-Control"] = "no-store"
    with explained():
        password = _directory(request).add(given.name, _group(request, given))
    record("let somebody in", given.name, _why(given))
    return LetIn(name=given.name, password=password)


@router.put("/{name}/role")
def assign(
    request: Request, identity: Service, viewer: SignedIn, record: Recorded, name: str, given: Assignment
) -> Somebody:
    """Give somebody one role in place of what was. Sessions and keys of before end."""
    directory = _directory(request)
    with explained():
        group, entry = _group(request, given), _other(directory, viewer, name)
        try:
            directory.assign(entry, group)
        finally:
            # After it, or a sign-in meanwhile would keep the former role.
            identity.known.forget(entry.subject)
        record("give a role", name, _why(given))
        return _shown(directory.find(name))


@router.post("/{name}/disable")
def disable(request: Request, identity: Service, viewer: SignedIn, record: Recorded, name: str, given: Why) -> Somebody:
    """Shut somebody out: no sign-in any more, and sessions and keys end."""
    directory = _directory(request)
    with explained():
        entry = _other(directory, viewer, name)
        directory.enable(entry, enabled=False)
        identity.known.forget(entry.subject)
        record("shut somebody out", name, given.reason)
        return _shown(directory.find(name))


@router.post("/{name}/enable")
def enable(request: Request, record: Recorded, name: str, given: Why) -> Somebody:
    """Let somebody sign in again."""
    directory = _directory(request)
    with explained():
        directory.enable(directory.find(name), enabled=True)
        record("let somebody in again", name, given.reason)
        return _shown(directory.find(name))


def _directory(request: Request) -> Directory:
    found = parts_of(request).admin.directory
    if found is None:
        raise ProblemError(404, "no_directory", "the console's people are changed at its provider: see docs/console.md")
    return found


def _group(request: Request, given: Assignment) -> str:
    if given.tenant is not None:
        with parts_of(request).admin.connect() as connection:
            sites.require_tenant(connection, given.tenant, "role")
    return group_of(given.role, given.tenant)


def _other(directory: Directory, viewer: Viewer, name: str) -> Entry:
    # Or the last administrator could leave nobody who can undo it. Cognito's names do not differ by case.
    if name.casefold() == viewer.name.casefold():
        raise ProblemError(409, "own_role", f"{name} is you: another administrator changes that")
    return directory.find(name)


def _why(given: Assignment) -> str:
    return f"{group_of(given.role, given.tenant)}: {given.reason}"


def _shown(entry: Entry) -> Somebody:
    try:
        role, tenant = role_of(entry.name, entry.groups)
        problem = None
    except RoleError as error:
        role, tenant, problem = None, None, str(error)
    return Somebody(
        name=entry.name,
        role=role,
        tenant=tenant,
        enabled=entry.enabled,
        status=entry.status,
        made=entry.made,
        problem=problem,
    )
