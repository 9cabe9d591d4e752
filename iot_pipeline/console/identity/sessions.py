"""Sessions: kept in the table under a hash of their id, which the browser alone has."""

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass

from iot_pipeline.console.identity.known import Known
from iot_pipeline.console.identity.people import Person
from iot_pipeline.console.identity.recent import Recent
from iot_pipeline.console.store import Store

# OWASP's session management cheat sheet: an id of 64 bits of entropy at least; idle and absolute time-outs.
_ID = re.compile(r"[A-Za-z0-9_-]{43}")
IDLE_SECONDS = 60 * 60
ABSOLUTE_SECONDS = 12 * 60 * 60
# How often a session's last use is written down.
SEEN_SECONDS = 60
# Another process of the console may have ended a session; it is believed for at most so long.
CACHE_SECONDS = 3.0


@dataclass(frozen=True)
class _Session:
    subject: str
    role: str
    tenant: str | None
    began: int
    seen: int

    def over(self, now: float) -> bool:
        return now >= min(self.began + ABSOLUTE_SECONDS, self.seen + IDLE_SECONDS)


class Sessions:
    """Begins, knows and ends sessions. An id is a secret: whoever has it is signed in."""

    def __init__(self, store: Store, known: Known) -> None:
        self._store, self._known = store, known
        self._recent: Recent[_Session] = Recent(CACHE_SECONDS, 10_000)

    def begin(self, person: Person) -> str:
        """A new session's id."""
        session_id = secrets.token_urlsafe(32)
        now = int(time.time())
        self._write(session_id, _Session(person.subject, person.role, person.tenant, now, now))
        return session_id

    def person(self, session_id: str) -> Person | None:
        """Whose session it is; None for one that is over, has never been, or whose person's role has changed since."""
        if not _ID.fullmatch(session_id):
            return None
        session = self._recent.get(session_id) or self._read(session_id)
        now = int(time.time())
        if session is None or session.over(now):
            return None
        person = self._known.person(session.subject)
        if person is None or (person.role, person.tenant) != (session.role, session.tenant):
            return None
        if now - session.seen >= SEEN_SECONDS:
            self._write(session_id, _Session(session.subject, session.role, session.tenant, session.began, now))
        return person

    def end(self, session_id: str) -> None:
        """End a session; no error if there is none."""
        self._store.remove(_key(session_id))
        self._recent.drop(session_id)

    def _read(self, session_id: str) -> _Session | None:
        item = self._store.get(_key(session_id))
        if item is None:
            return None
        session = _Session(item["subject"], item["role"], item.get("tenant"), int(item["began"]), int(item["seen"]))
        self._recent.put(session_id, session)
        return session

    def _write(self, session_id: str, session: _Session) -> None:
        values = {name: value for name, value in vars(session).items() if value is not None}
        expires = min(session.began + ABSOLUTE_SECONDS, session.seen + IDLE_SECONDS)
        self._store.put(_key(session_id), "-", values | {"expires": expires})
        self._recent.put(session_id, session)


def csrf_token(session_id: str) -> str:
    """The token that a change carries: whoever has the session's id can tell it, and nobody else."""
    return hmac.new(session_id.encode(), b"csrf", hashlib.sha256).hexdigest()


def _key(session_id: str) -> str:
    return f"session#{hashlib.sha256(session_id.encode()).hexdigest()}"
