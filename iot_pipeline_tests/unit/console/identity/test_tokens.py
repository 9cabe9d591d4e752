"""ID tokens against a real provider's keys: what is refused, rotation, and what forged tokens cost the provider."""

import base64
import json
from collections.abc import Iterator

import httpx
import pytest

from iot_pipeline.console.identity import signing_keys
from iot_pipeline.console.identity.provider import Provider, ProviderError
from iot_pipeline.console.identity.signing_keys import SigningKeys
from iot_pipeline.console.identity.tokens import TokenError, Tokens
from iot_pipeline.settings import Console
from iot_pipeline_tests.support.oidc_provider import CLIENT, OidcProvider, forgeries, oidc_provider

NONCE = "nonce-of-this-sign-in"


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with oidc_provider() as running:
        running.nonce = NONCE
        yield running


@pytest.fixture
def asked(provider: OidcProvider) -> Iterator[Provider]:
    with httpx.Client() as http:
        yield Provider(Console(url="http://127.0.0.1:1", host="127.0.0.1", issuer=provider.url, client_id=CLIENT), http)


@pytest.fixture
def tokens(provider: OidcProvider, asked: Provider) -> Tokens:
    return Tokens(provider.url, CLIENT, SigningKeys(asked))


def test_a_good_token_is_believed(provider: OidcProvider, tokens: Tokens) -> None:
    assert tokens.claims(provider.honest(), NONCE)["sub"] == "subject-1"
    assert tokens.claims(provider.honest(token_use="id", aud=[CLIENT], azp=CLIENT), NONCE)["aud"] == [CLIENT]


def test_forged_and_foreign_tokens_are_refused(provider: OidcProvider, tokens: Tokens) -> None:
    believed = []
    for what, forge in forgeries(provider).items():
        try:
            tokens.claims(forge(), NONCE)
        except TokenError:
            continue
        believed.append(what)
    assert believed == []
    assert tokens.claims(provider.honest(), NONCE)["sub"] == "subject-1"


def test_a_new_key_is_fetched_and_a_withdrawn_one_forgotten(
    provider: OidcProvider, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = provider.honest()
    tokens.claims(before, NONCE)
    provider.rotate("second")
    with pytest.raises(TokenError, match="no key 'second'"):
        tokens.claims(provider.honest(), NONCE)  # asked a moment ago
    monkeypatch.setattr(signing_keys, "REFETCH_SECONDS", 0.0)
    assert tokens.claims(provider.honest(), NONCE)["sub"] == "subject-1"
    with pytest.raises(TokenError, match="no key 'first'"):
        tokens.claims(before, NONCE)


def test_a_withdrawn_key_is_forgotten_without_a_new_one(
    provider: OidcProvider, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = provider.honest()
    tokens.claims(before, NONCE)
    provider.rotate("second")
    monkeypatch.setattr(signing_keys, "KEPT_SECONDS", 0.0)
    with pytest.raises(TokenError, match="no key 'first'"):
        tokens.claims(before, NONCE)


def test_a_thousand_tokens_of_unknown_keys_cost_the_provider_one_request(
    provider: OidcProvider, tokens: Tokens
) -> None:
    for number in range(1000):
        with pytest.raises(TokenError):
            tokens.claims(f"{_header(number)}.e30.e30", NONCE)
    assert provider.asked.count("/keys") == 1


def test_a_document_of_another_issuer_is_refused(provider: OidcProvider) -> None:
    settings = Console(
        url="http://127.0.0.1:1",
        host="127.0.0.1",
        issuer="https://login.example.com",
        discovery_url=f"{provider.url}/.well-known/openid-configuration",
        client_id=CLIENT,
    )
    with httpx.Client() as http, pytest.raises(ProviderError, match=r"not 'https://login\.example\.com'"):
        Provider(settings, http).endpoints()


def test_a_provider_that_is_not_there_is_named(provider: OidcProvider) -> None:
    settings = Console(url="http://127.0.0.1:1", host="127.0.0.1", issuer="http://127.0.0.1:9", client_id=CLIENT)
    with httpx.Client() as http, pytest.raises(ProviderError, match=r"127\.0\.0\.1:9/.* does not answer"):
        Provider(settings, http).endpoints()


def _header(number: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": f"k{number}"}).encode()).rstrip(b"=").decode()
