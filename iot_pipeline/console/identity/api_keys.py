"""API keys for scripts: shown once, kept as a hash, with scopes and an end, and never worth more than their owner."""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass

from iot_pipeline.console.identity.known import Known
from iot_pipeline.console.identity.people import Person
from iot_pipeline.console.store import Item, Store

PREFIX = "iotk"
_SHAPE = re.compile(rf"{PREFIX}_([0-9a-f]{{16}})_([A-Za-z0-9_-]{{43}})")
LONGEST_DAYS = 365
# One partition: keys are few, and an administrator lists them all.
_KEYS = "api-key"


@dataclass(frozen=True)
class ApiKey:
    """What is known of a key; its secret is not."""

    id: str
    name: str
    owner: str
    subject: str
    role: str
    tenant: str | None
    scopes: frozenset[str]
    made: int
    expires: int


class ApiKeys:
    """Makes, knows and revokes keys."""

    def __init__(self, store: Store, known: Known) -> None:
        self._store, self._known = store, known

    def make(self, owner: Person, name: str, scopes: Iterable[str], days: int) -> tuple[ApiKey, str]:
        """A new key, and its text, which cannot be had again."""
        secret, now = secrets.token_urlsafe(32), int(time.time())
        key = ApiKey(
            id=secrets.token_hex(8),
            name=name,
            owner=owner.name,
            subject=owner.subject,
            role=owner.role.value,
            tenant=owner.tenant,
            scopes=frozenset(scopes),
            made=now,
            expires=now + days * 24 * 60 * 60,
        )
        values = {field: value for field, value in vars(key).items() if value is not None}
        values |= {"scopes": sorted(key.scopes), "hash": _hash(secret)}
        self._store.put(_KEYS, key.id, values, new=True)
        return key, f"{PREFIX}_{key.id}_{secret}"

    def presented(self, text: str) -> tuple[ApiKey, Person] | None:
        """The key of a text and its owner; None for one that is forged, expired, revoked, or of a person whose role or
        tenant is another now.
        """
        shape = _SHAPE.fullmatch(text)
        item = self._store.get(_KEYS, shape[1]) if shape else None
        if shape is None or item is None or not hmac.compare_digest(item["hash"], _hash(shape[2])):
            return None
        key = _of_item(item)
        owner = self._known.person(key.subject)
        if time.time() >= key.expires or owner is None or (owner.role, owner.tenant) != (key.role, key.tenant):
            return None
        return key, owner

    def find(self, key_id: str) -> ApiKey | None:
        """A key by its id; None if there is none, or not any more."""
        item = self._store.get(_KEYS, key_id)
        return None if item is None or time.time() >= item["expires"] else _of_item(item)

    def all(self) -> list[ApiKey]:
        """All keys that have not expired, the newest first."""
        keys = (_of_item(item) for item in self._store.below(_KEYS))
        return sorted((key for key in keys if key.expires > time.time()), key=lambda key: key.made, reverse=True)

    def revoke(self, key_id: str) -> None:
        """Remove a key: from now on nobody is known by it."""
        self._store.remove(_KEYS, key_id)


def _hash(secret: str) -> str:
    # A secret of 256 random bits needs no slow hash: nobody can try them all.
    return hashlib.sha256(secret.encode()).hexdigest()


def _of_item(item: Item) -> ApiKey:
    return ApiKey(
        id=item["id"],
        name=item["name"],
        owner=item["owner"],
        subject=item["subject"],
        role=item["role"],
        tenant=item.get("tenant"),
        scopes=frozenset(item["scopes"]),
        made=int(item["made"]),
        expires=int(item["expires"]),
    )
