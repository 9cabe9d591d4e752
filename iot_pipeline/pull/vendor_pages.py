"""The pages of a window: what to ask for, and by the answer where the next one is."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from iot_pipeline.contract.json_text import NotJsonError, parsed_within_depth
from iot_pipeline.pull.json_pointer import ABSENT, found_at
from iot_pipeline.pull.vendor import PagingKind, Resource, TimeFormat, Vendor
from iot_pipeline.pull.vendor_client import VendorError
from iot_pipeline.pull.vendor_http import Response

# A cursor, a page's number or a URL, as text; "" is the first page.
FIRST = ""
_LONGEST_POSITION = 4096
# RFC 8288, section 3: `<url>; rel="next"`, several behind commas; a relation may stand among others.
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[!#-+.^-z|~-]+\s*=\s*(?:"[^"]*"|[^\s",;]+))*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))', re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """What one answer holds: its items, where the next page is (None after the last) and the total of the window."""

    items: list[Any]
    next: str | None
    total: int | None


def page_url(vendor: Vendor, resource: Resource, from_ms: int, position: str) -> str:
    """The URL of a page of the window that begins at a time (epoch milliseconds UTC)."""
    window, paging = resource.window, resource.paging
    if paging.kind is PagingKind.LINK and position != FIRST:
        return position
    parameters = dict(resource.constants)
    parameters[window.from_parameter] = _time_text(from_ms, window.format)
    parameters[window.to_parameter] = _time_text(from_ms + window.length_ms, window.format)
    parameters[paging.size_parameter] = str(paging.size)
    if paging.kind is PagingKind.PAGE:
        parameters[paging.parameter] = position or str(paging.first)
    elif position != FIRST:
        parameters[paging.parameter] = position
    return f"{vendor.base_url}{resource.path}?{urlencode(parameters)}"


def page_of(url: str, resource: Resource, position: str, answer: Response, seen: int) -> Page:
    """What an answer to `page_url` holds; `seen` items came before it in the window.

    Raises VendorError with the body where it is not what the vendor's file says.
    """
    try:
        document = parsed_within_depth(answer.body.decode("utf-8-sig"))
        return _page(url, resource, position, document, answer.headers.get_all("Link") or [], seen)
    except (UnicodeDecodeError, NotJsonError) as error:
        raise VendorError("a page is no JSON, or nested too deep", body=answer.body) from error
    except _UnexpectedError as error:
        raise VendorError(f"a page is not as the vendor's file says: {error}", body=answer.body) from error


def items_of(resource: Resource, body: bytes) -> list[Any]:
    """The items of an answer's body alone. Raises VendorError as `page_of`."""
    try:
        items = found_at(parsed_within_depth(body.decode("utf-8-sig")), resource.mapping.items)
    except (UnicodeDecodeError, NotJsonError) as error:
        raise VendorError("no JSON, or nested too deep", body=body) from error
    if not isinstance(items, list):
        raise VendorError(f"items: expected an array, got {_named(items)}", body=body)
    return items


class _UnexpectedError(Exception):
    """A part of a page, what was expected, what was found."""


def _page(url: str, resource: Resource, position: str, document: Any, links: list[str], seen: int) -> Page:
    items = found_at(document, resource.mapping.items)
    if not isinstance(items, list):
        raise _UnexpectedError(f"items: expected an array, got {_named(items)}")
    total = _total(document, resource)
    paging = resource.paging
    if paging.kind is PagingKind.PAGE:
        # Without a total, a page that is not full is the last one.
        more = bool(items) and (len(items) >= paging.size if total is None else seen + len(items) < total)
        return Page(items, str(int(position or paging.first) + 1) if more else None, total)
    following = _cursor(document, resource) if paging.kind is PagingKind.CURSOR else _next_url(url, links)
    if following is not None and len(following) > _LONGEST_POSITION:
        raise _UnexpectedError(f"next: expected at most {_LONGEST_POSITION} characters, got {len(following)}")
    if following in (position, url):
        raise _UnexpectedError("the next page is the same page again")
    return Page(items, following, total)


def _total(document: Any, resource: Resource) -> int | None:
    if resource.paging.total is None:
        return None
    total = found_at(document, resource.paging.total)
    if type(total) is not int or total < 0:
        raise _UnexpectedError(f"total: expected a whole number, got {_named(total)}")
    return total


def _cursor(document: Any, resource: Resource) -> str | None:
    found = found_at(document, resource.paging.next)
    if found is ABSENT or found is None or found == "":
        return None
    if type(found) is not int and not isinstance(found, str):
        raise _UnexpectedError(f"next: expected a text, got {_named(found)}")
    return str(found)


def _next_url(url: str, links: list[str]) -> str | None:
    link = _next_link(links)
    if link is None:
        return None
    following = urljoin(url, link)
    if _origin(following) != _origin(url):
        raise _UnexpectedError(f"the next link leads to another host: {following[:200]}")
    return following


def _next_link(headers: list[str]) -> str | None:
    for header in headers:
        for link in _LINK.finditer(header):
            relation = _REL.search(link[2])
            if relation and "next" in (relation[1] or relation[2] or "").lower().split():
                return link[1]
    return None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    try:
        return parts.scheme, parts.hostname, parts.port
    except ValueError as error:
        raise _UnexpectedError(f"the next link is no URL: {url[:200]}") from error


def _time_text(ms: int, form: TimeFormat) -> str:
    if form is TimeFormat.EPOCH_MS:
        return str(ms)
    if form is TimeFormat.EPOCH_S:
        return str(ms // 1000)
    return datetime.fromtimestamp(ms / 1000, UTC).strftime(
        "%Y-%m-%dT%H:%M:%S" + ("Z" if form is TimeFormat.ISO else "")
    )


def _named(value: Any) -> str:
    if value is ABSENT:
        return "nothing at its place"
    return {dict: "an object", list: "an array", type(None): "null"}.get(type(value), repr(value)[:80])
