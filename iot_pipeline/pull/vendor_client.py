"""Asking a vendor's API: signed in, no faster than it may be asked, and again where that may help."""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode

from iot_pipeline.contract.json_text import NotJsonError, parsed_within_depth
from iot_pipeline.pull.vendor import OAuth, Vendor
from iot_pipeline.pull.vendor_http import Response, TransportError

Send = Callable[[str, str, Mapping[str, str], bytes | None, float], Response]

ATTEMPTS = 4
# Before the second attempt; twice as long before each further one.
FIRST_PAUSE_SECONDS = 1.0
# A longer `Retry-After` is not waited for: the next call of the schedule asks again, and not before.
LONGEST_PAUSE_SECONDS = 30.0
REQUEST_SECONDS = 60.0
# With less, a request is not begun.
_LEAST_SECONDS = 1.0
# A token is fetched anew so long before its end, so that it does not end under way.
_TOKEN_MARGIN_SECONDS = 30.0
# RFC 6749, section 5.1: where there is no `expires_in`, the vendor's documentation has it. A 401 has it fetched anew.
_TOKEN_SECONDS = 300.0
_TRY_AGAIN = (429, 500, 502, 503, 504)
_UNAUTHORIZED = 401
_OK = 200
_EXCERPT = 200


class VendorError(Exception):
    """A vendor does not answer as it should. `not_before_ms` is when it may be asked again, where it says so.

    `body` is an answer that could not be read.
    """

    def __init__(self, text: str, *, not_before_ms: int | None = None, body: bytes | None = None) -> None:
        super().__init__(text)
        self.not_before_ms = not_before_ms
        self.body = body


class OutOfTimeError(Exception):
    """The time of this invocation does not suffice for another attempt. Nothing is wrong: the next goes on."""


@dataclass(frozen=True)
class Clock:
    """Time and waiting for it, seconds since 1970."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class VendorClient:
    """GETs of one vendor. Keeps the token and the time of the last request, so that one is made a process."""

    def __init__(self, vendor: Vendor, secret: Mapping[str, str], send: Send, clock: Clock) -> None:
        self._vendor, self._secret, self._send, self._clock = vendor, secret, send, clock
        self._token, self._token_ends = "", 0.0
        self._asked_at = float("-inf")

    def get(self, url: str, deadline: float) -> Response:
        """The answer with status 200. `deadline` in seconds since 1970. Raises VendorError and OutOfTimeError."""
        renewed = False
        pause = FIRST_PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            problem, wait = "", pause
            try:
                answer = self._asked("GET", url, self._signed_in(deadline), None, deadline)
            except TransportError as error:
                problem = str(error)
            else:
                if answer.status == _OK:
                    return answer
                if answer.status == _UNAUTHORIZED and isinstance(self._vendor.auth, OAuth) and not renewed:
                    renewed, self._token_ends = True, 0.0
                    continue
                problem = f"status {answer.status}: {_excerpt(answer.body)}"
                if answer.status not in _TRY_AGAIN:
                    raise VendorError(problem, body=answer.body)
                wait = self._asked_to_wait(answer) or pause
            if wait > LONGEST_PAUSE_SECONDS:
                raise VendorError(problem, not_before_ms=round((self._clock.now() + wait) * 1000))
            if attempt < ATTEMPTS:
                self._wait(wait, deadline)
                pause *= 2
        raise VendorError(f"{problem}; given up after {ATTEMPTS} attempts")

    def _signed_in(self, deadline: float) -> dict[str, str]:
        auth = self._vendor.auth
        headers = {"Accept": "application/json", "User-Agent": "iot-pipeline-pull"}
        if not isinstance(auth, OAuth):
            return headers | {auth.header: auth.prefix + self._of_secret("key")}
        if self._clock.now() >= self._token_ends:
            self._fetch_token(auth, deadline)
        return headers | {"Authorization": f"Bearer {self._token}"}

    def _fetch_token(self, auth: OAuth, deadline: float) -> None:
        """RFC 6749, sections 2.3.1 (the client's password by HTTP Basic, both parts encoded as in forms) and 4.4."""
        client = ":".join(quote(self._of_secret(name), safe="") for name in ("client_id", "client_secret"))
        headers = {
            "Authorization": "Basic " + base64.b64encode(client.encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        form = {"grant_type": "client_credentials", **({"scope": auth.scope} if auth.scope else {})}
        began = self._clock.now()
        answer = self._asked("POST", auth.token_url, headers, urlencode(form).encode(), deadline)
        if answer.status != _OK:
            if answer.status in _TRY_AGAIN:
                raise TransportError(f"the token's server: status {answer.status}")
            # Not its body: it may repeat what it was sent.
            raise VendorError(f"the token's server refuses our client: status {answer.status}")
        try:
            token = parsed_within_depth(answer.body.decode())
        except (UnicodeDecodeError, NotJsonError) as error:
            raise TransportError("the token's server does not answer with JSON") from error
        text = token.get("access_token") if isinstance(token, dict) else None
        if not isinstance(text, str) or not text.isascii() or not text.isprintable() or not text:
            raise VendorError("the token's server answers without an access_token")
        lasts = token.get("expires_in", _TOKEN_SECONDS)
        if isinstance(lasts, bool) or not isinstance(lasts, int | float) or not lasts > 0:
            raise VendorError(f"the token's server answers with expires_in {lasts!r}: expected seconds")
        self._token, self._token_ends = text, began + max(lasts - _TOKEN_MARGIN_SECONDS, lasts / 2)

    def _of_secret(self, name: str) -> str:
        value = self._secret.get(name)
        if not isinstance(value, str) or not value:
            raise VendorError(f"the secret of {self._vendor.name} has no text {name!r}: write it (docs/api-pull.md)")
        return value

    def _asked(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Response:
        gap = 60.0 / self._vendor.requests_per_minute
        if (wait := self._asked_at + gap - self._clock.now()) > 0:
            self._wait(wait, deadline)
        left = deadline - self._clock.now()
        if left <= _LEAST_SECONDS:
            raise OutOfTimeError
        self._asked_at = self._clock.now()
        return self._send(method, url, headers, body, min(left, REQUEST_SECONDS))

    def _wait(self, seconds: float, deadline: float) -> None:
        if self._clock.now() + seconds + _LEAST_SECONDS >= deadline:
            raise OutOfTimeError
        self._clock.sleep(seconds)

    def _asked_to_wait(self, answer: Response) -> float | None:
        """`Retry-After` in seconds (RFC 9110, section 10.2.3): a number or a date; None where there is no such."""
        text = answer.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdecimal():
            return float(text[:9])
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            return None
        return max(moment.timestamp() - self._clock.now(), 0.0)


def _excerpt(body: bytes) -> str:
    return " ".join(body[:_EXCERPT].decode("utf-8", "replace").split())
