"""The provider's public keys, kept, and fetched again when a token names one that is not among them."""

import threading
import time

import jwt

from iot_pipeline.console.identity.provider import Provider, ProviderError

# A key that the provider has withdrawn is believed for at most so long.
KEPT_SECONDS = 600.0
# A token that names a key nobody knows costs the provider a request at most so often.
REFETCH_SECONDS = 10.0


class UnknownKeyError(Exception):
    """A token is signed with a key that the provider does not publish."""


class SigningKeys:
    """Finds the key that a token names."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked_at = float("-inf")

    def key(self, kid: str) -> jwt.PyJWK:
        """The key of an id. Raises UnknownKeyError, and ProviderError if the provider has to be asked in vain."""
        with self._lock:
            age = time.monotonic() - self._asked_at
            if age > KEPT_SECONDS or (kid not in self._keys and age > REFETCH_SECONDS):
                self._fetch()
            if kid not in self._keys:
                raise UnknownKeyError(f"the provider has no key {kid!r}")
            return self._keys[kid]

    def _fetch(self) -> None:
        # Noted first: a provider that fails is not asked for each forged token either.
        self._asked_at = time.monotonic()
        self._keys = {}
        try:
            found = jwt.PyJWKSet.from_dict(self._provider.keys())
        except jwt.PyJWTError as error:
            raise ProviderError(f"the provider's keys cannot be read: {error}") from error
        self._keys = {key.key_id: key for key in found.keys if key.key_id and key.key_type == "RSA"}
