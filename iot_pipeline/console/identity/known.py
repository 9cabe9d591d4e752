"""The people who have signed in, as their last sign-in showed them: their sessions and keys never allow more."""

from iot_pipeline.console.identity.people import Person
from iot_pipeline.console.identity.recent import Recent
from iot_pipeline.console.store import Store
from iot_pipeline.console.viewer import Role

CACHE_SECONDS = 3.0


class Known:
    """Remembers people by their subject."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: Recent[Person] = Recent(CACHE_SECONDS, 1000)

    def remember(self, person: Person) -> None:
        """Note who somebody is now."""
        values = {"name": person.name, "role": person.role.value}
        if person.tenant is not None:
            values["tenant"] = person.tenant
        self._store.put(_key(person.subject), "-", values)
        self._recent.put(person.subject, person)

    def forget(self, subject: str) -> None:
        """End what somebody can do by a session or a key of before; the next sign-in begins anew.

        Another process of the console believes its memory for CACHE_SECONDS more.
        """
        self._store.remove(_key(subject))
        self._recent.drop(subject)

    def person(self, subject: str) -> Person | None:
        """Who somebody was at the last sign-in; None for somebody unknown."""
        if (found := self._recent.get(subject)) is not None:
            return found
        item = self._store.get(_key(subject))
        if item is None:
            return None
        person = Person(subject, item["name"], Role(item["role"]), item.get("tenant"))
        self._recent.put(subject, person)
        return person


def _key(subject: str) -> str:
    return f"person#{subject}"
