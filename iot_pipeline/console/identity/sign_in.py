"""The authorization code flow with PKCE (RFC 6749, 7636; OpenID Connect Core 1.0)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from iot_pipeline.console.identity.people import Person, person
from iot_pipeline.console.identity.provider import Provider, ProviderError, with_query
from iot_pipeline.console.identity.tokens import Tokens


class SignInError(Exception):
    """A sign-in does not come about; the text says why, to the person who tried."""


@dataclass(frozen=True)
class SignIn:
    """Sends people to the provider, and receives them back. `client_secret` is None for a public client."""

    provider: Provider
    tokens: Tokens
    callback_url: str
    client_secret: Callable[[], str | None]

    def begin(self, back: str) -> tuple[str, dict[str, str]]:
        """Where to send the browser, and what it is to keep until it comes back. Raises ProviderError.

        `back` is the path of the console where it goes then.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.provider.settings.client_id,
            "redirect_uri": self.callback_url,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "back": back}
        return with_query(self.provider.endpoints().authorization, query), kept

    def finish(self, answer: Mapping[str, str], kept: Mapping[str, str]) -> tuple[Person, str]:
        """Who comes back with `answer` in the address, and the path to go to. `kept` is what the browser has kept.

        Raises SignInError, ProviderError, TokenError, and RoleError.
        """
        if not kept.keys() >= {"state", "nonce", "verifier", "back"}:
            raise SignInError("this browser has begun no sign-in within the last 10 minutes, or keeps no cookies")
        # compare_digest takes ASCII alone as text.
        if not hmac.compare_digest(answer.get("state", "").encode(), kept["state"].encode()):
            raise SignInError("this answer belongs to another sign-in than the one this browser began last")
        if "error" in answer:
            told = answer.get("error_description") or "no reason given"
            raise SignInError(f"the provider refuses: {answer['error'][:100]} ({told[:300]})")
        if not answer.get("code"):
            raise SignInError("the provider's answer has no code")
        return person(self.tokens.claims(self._redeem(answer["code"], kept["verifier"]), kept["nonce"])), kept["back"]

    def _redeem(self, code: str, verifier: str) -> str:
        client_id, secret = self.provider.settings.client_id, self.client_secret()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback_url,
            "client_id": client_id,
            "code_verifier": verifier,
        }
        answer = self.provider.redeem(form, None if secret is None else (client_id, secret))
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("the provider's answer has no ID token")
        return token


def local_path(text: str | None) -> str:
    """A path of the console, to go back to; `/` for what would lead a browser elsewhere."""
    if not text or not text.startswith("/") or text.startswith("//") or len(text) > 1024:
        return "/"
    # A browser reads `/\\host` as `//host`, and drops tabs and line ends before it looks.
    return "/" if any(char == "\\" or ord(char) <= 32 or ord(char) == 127 for char in text) else text
