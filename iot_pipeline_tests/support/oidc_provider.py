"""A small OpenID Connect provider: another than Cognito, whose keys and tokens a test decides on."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from iot_pipeline_tests.support.json_server import Asked, serving_json

CLIENT = "the-console"


class OidcProvider:
    """Its address is its issuer. `token` makes the ID token that it answers to any code, by the nonce.

    With a `secret` its client is a confidential one, which has to say it (RFC 6749, section 2.3.1).
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.nonce = ""
        self.secret: str | None = None
        self.token: Callable[[], str] = self.honest
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.rotate("first")

    def rotate(self, kid: str) -> None:
        """Sign with a new key from now on, and publish no other."""
        self.keys = {kid: rsa.generate_private_key(public_exponent=65537, key_size=2048)}

    @property
    def kid(self) -> str:
        """The id of the key that signs."""
        return next(iter(self.keys))

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Those of a good token, but for what is changed; what is None is left out."""
        now = int(time.time())
        good = {
            "iss": self.url,
            "sub": "subject-1",
            "aud": CLIENT,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "cognito:groups": ["analyst"],
        }
        return {name: value for name, value in (good | changed).items() if value is not None}

    def honest(self, **changed: Any) -> str:
        """A token signed with the provider's key."""
        return jwt.encode(self.claims(**changed), self.keys[self.kid], "RS256", {"kid": self.kid})

    def public_pem(self) -> bytes:
        """The public key, as anybody can write it down."""
        return self.keys[self.kid].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def knows(self, authorization: str | None) -> bool:
        """Whether the client may redeem codes."""
        if self.secret is None:
            return authorization is None
        return authorization == "Basic " + base64.b64encode(f"{CLIENT}:{self.secret}".encode()).decode()

    def document(self, path: str) -> Mapping[str, Any] | None:
        """What is answered to a GET."""
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        if path == "/keys":
            algorithm = jwt.algorithms.RSAAlgorithm
            return {
                "keys": [
                    {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": "RS256"}
                    for kid, key in self.keys.items()
                ]
            }
        return None


@contextmanager
def oidc_provider() -> Iterator[OidcProvider]:
    """The provider on a free port of this machine."""

    def answer(asked: Asked) -> tuple[int, Mapping[str, Any]]:
        if asked.method == "POST":
            provider.asked.append(asked.path)
            provider.forms.append({name: values[0] for name, values in parse_qs(asked.body.decode()).items()})
            if not provider.knows(asked.headers.get("Authorization")):
                return 401, {"error": "invalid_client"}
            return 200, {"id_token": provider.token(), "access_token": "opaque", "token_type": "Bearer"}
        path = urlsplit(asked.path).path
        provider.asked.append(path)
        document = provider.document(path)
        return (404, {}) if document is None else (200, document)

    with serving_json(answer) as url:
        provider = OidcProvider(url)
        yield provider


def forgeries(provider: OidcProvider) -> dict[str, Callable[[], str]]:
    """Tokens that must be refused, by what is wrong with them."""
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = int(time.time())

    def unsigned() -> str:
        return jwt.encode(provider.claims(), "", "none", {"kid": provider.kid})

    def signed_with_the_public_key() -> str:
        # PyJWT refuses to make such a token, so it is made by hand.
        header = _part({"alg": "HS256", "typ": "JWT", "kid": provider.kid})
        payload = _part(provider.claims())
        signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
            f"{header}.{payload}".encode(), provider.public_pem()
        )
        return f"{header}.{payload}.{jwt.utils.base64url_encode(signature).decode()}"

    def changed_afterwards() -> str:
        header, _, signature = provider.honest().split(".")
        return f"{header}.{_part(provider.claims(**{'cognito:groups': ['admin']}))}.{signature}"

    def signed(key: rsa.RSAPrivateKey, kid: str) -> str:
        return jwt.encode(provider.claims(), key, "RS256", {"kid": kid})

    return {
        "unsigned": unsigned,
        "signed with the public key": signed_with_the_public_key,
        "changed afterwards": changed_afterwards,
        "another's key by our id": lambda: signed(stranger, provider.kid),
        "another's key": lambda: signed(stranger, "unknown"),
        "no key id": lambda: jwt.encode(provider.claims(), stranger, "RS256"),
        "expired": lambda: provider.honest(exp=now - 3600),
        "not yet valid": lambda: provider.honest(nbf=now + 3600),
        "without an end": lambda: provider.honest(exp=None),
        "for another client": lambda: provider.honest(aud="another"),
        "for other clients too": lambda: provider.honest(aud=[CLIENT, "another"]),
        "given to another client": lambda: provider.honest(azp="another"),
        "for nobody": lambda: provider.honest(aud=None),
        "of another issuer": lambda: provider.honest(iss="https://evil.example"),
        "an access token": lambda: provider.honest(token_use="access", aud=None, client_id=CLIENT),
        "an access token with an audience": lambda: provider.honest(token_use="access"),
        "of another sign-in": lambda: provider.honest(nonce="other"),
        "without a nonce": lambda: provider.honest(nonce=None),
        "too long": lambda: provider.honest(padding="x" * 100_000),
        "no token": lambda: "a.b",
        "empty": lambda: "",
    }


def _part(content: Mapping[str, Any]) -> str:
    return jwt.utils.base64url_encode(json.dumps(content).encode()).decode()
