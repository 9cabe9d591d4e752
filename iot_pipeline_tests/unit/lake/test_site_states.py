"""Which sites are missed: those of the registry that were heard of and are in use, and no other."""

from datetime import UTC, datetime, timedelta

import pytest

from iot_pipeline.lake.site_states import Name, RegisteredSite, State, not_registered, state_of

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LIMIT = NOW - timedelta(minutes=30)
RECENT, OLD = NOW, NOW - timedelta(hours=2)


@pytest.mark.parametrize(
    ("in_use", "heard", "state"),
    [
        (True, RECENT, State.SENDS),
        (True, OLD, State.SILENT),
        (True, None, State.NEVER_HEARD_OF),
        (False, RECENT, State.SENDS),
        (False, OLD, State.OUT_OF_USE),
        (False, None, State.OUT_OF_USE),
        (True, LIMIT, State.SENDS),
    ],
)
def test_a_site_of_the_registry(in_use: bool, heard: datetime | None, state: State) -> None:
    assert state_of(RegisteredSite("acme", "denver", in_use), heard, LIMIT) is state


@pytest.mark.parametrize(
    ("tenant", "site", "known_tenant", "like"),
    [
        ("acme", "Denver", "known", "acme/denver"),
        ("Acme", "denver", "not in the registry", "acme/denver"),
        ("acme", "denver ", "known", "acme/denver"),
        (" acme", "den ver", "not in the registry", "acme/denver"),
        ("acme", "denverr", "known", "acme/denver"),
        ("acme", "atlantis", "known", ""),
        ("globex", "atlantis", "not in the registry", ""),
        ("acme", None, "known", ""),
    ],
)
def test_a_name_that_is_not_in_the_registry(tenant: str, site: str | None, known_tenant: str, like: str) -> None:
    sites = [RegisteredSite("acme", "denver", in_use=True)]
    heard: dict[Name, datetime] = {("acme", "denver"): RECENT, (tenant, site): OLD}
    assert not_registered(heard, sites) == [(repr(tenant), repr(site), known_tenant, like, OLD)]
