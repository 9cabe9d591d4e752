"""Whether an ID token is the provider's, for the console, and of this sign-in (OpenID Connect Core 1.0, 3.1.3.7)."""

import hmac
from typing import Any

import jwt

from iot_pipeline.console.identity.signing_keys import SigningKeys, UnknownKeyError

# RS256 alone: with `none` nothing is signed, and with HS256 the public key would be the secret.
ALGORITHMS = ["RS256"]
LEEWAY_SECONDS = 30
# A token is a few kilobytes; more is not parsed.
LONGEST = 64 * 1024


class TokenError(Exception):
    """A token is refused; the text says why, and holds nothing of the token but the names in it."""


class Tokens:
    """Checks the tokens of one issuer for one client."""

    def __init__(self, issuer: str, client_id: str, keys: SigningKeys) -> None:
        self._issuer, self._client_id, self._keys = issuer, client_id, keys

    def claims(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token. Raises TokenError, and ProviderError if its keys cannot be had."""
        if len(token) > LONGEST:
            raise TokenError(f"the token is longer than {LONGEST} bytes")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._keys.key(_key_id(token)),
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._client_id,
                leeway=LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat"], "strict_aud": False},
            )
        except (jwt.PyJWTError, UnknownKeyError) as error:
            raise TokenError(f"the token is refused: {error}") from error
        # Cognito says what its tokens are for; others do not.
        if claims.get("token_use", "id") != "id":
            raise TokenError(f"the token is one for {claims['token_use']!r}, not an ID token")
        # "If a nonce value was sent in the Authentication Request, a nonce Claim MUST be present."
        if not hmac.compare_digest(str(claims.get("nonce")), nonce):
            raise TokenError("the token is of another sign-in: its nonce is not the one that was sent")
        # "If the ID Token contains multiple audiences, the Client SHOULD verify that an azp Claim is present."
        if claims.get("azp", self._client_id) != self._client_id or (
            isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        ):
            raise TokenError("the token is for other clients too")
        return claims


def _key_id(token: str) -> str:
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:
        raise jwt.InvalidAlgorithmError(f"signed by {header.get('alg')!r}; {', '.join(ALGORITHMS)} alone is accepted")
    return str(header.get("kid"))
