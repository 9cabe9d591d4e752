"""Reading a vendor's resources, page by page: an object stands in the raw zone before the cursor moves over it."""

import hashlib
import logging
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from iot_pipeline.contract.json_text import json_text
from iot_pipeline.pull.pull_state import PullState, PullStates
from iot_pipeline.pull.pulled_objects import PulledObjects
from iot_pipeline.pull.reading_lines import lines_of
from iot_pipeline.pull.vendor import Resource, Vendor
from iot_pipeline.pull.vendor_client import Clock, OutOfTimeError, VendorClient, VendorError
from iot_pipeline.pull.vendor_pages import FIRST, Page, page_of, page_url

# Two million items a window at pages of 1,000; the digests of so many pages fit into an item of DynamoDB (400 KB,
# DynamoDB guide, "Quotas in Amazon DynamoDB").
MAX_PAGES = 2_000
# For the calls of DynamoDB and S3 after the last answer.
MARGIN_SECONDS = 10.0
log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


@dataclass
class Pulled:
    """What one invocation did with a resource. `error` says why it stopped, "" if it did not.

    `behind_ms` is for how long the oldest window that could be read has been waiting, 0 if none is. `done_to_ms` is
    epoch milliseconds UTC. `is_busy`: another invocation is reading the resource.
    """

    resource: str
    pages: int = 0
    readings: int = 0
    unplaced: int = 0
    repeated: int = 0
    gaps: int = 0
    behind_ms: int = 0
    done_to_ms: int = 0
    is_busy: bool = False
    is_finished: bool = False
    error: str = ""


@dataclass(frozen=True)
class Backfill:
    """A time to be read (again), epoch milliseconds UTC, from one window's beginning to another's.

    `resource` is one of the vendor's, or "" for all of them.
    """

    from_ms: int
    to_ms: int
    resource: str = ""


def back_filled(vendor: Vendor, wanted: Backfill) -> tuple[Resource, ...]:
    """The resources of a back-fill. Raises ValueError for an unknown one, and for a time that is not whole windows."""
    resources = (vendor.resource(wanted.resource),) if wanted.resource else vendor.resources
    if not 0 <= wanted.from_ms < wanted.to_ms:
        raise ValueError(f"a back-fill ends after it begins: {wanted.from_ms}, {wanted.to_ms}")
    for each in resources:
        if wanted.from_ms % each.window.length_ms or wanted.to_ms % each.window.length_ms:
            raise ValueError(
                f"{vendor.name}/{each.name} is read in windows of {each.window.minutes} minutes since midnight UTC: "
                "begin and end at one"
            )
    return resources


class Puller:
    """Reads a vendor into the lake. One a process."""

    def __init__(
        self, vendor: Vendor, client: VendorClient, states: PullStates, objects: PulledObjects, clock: Clock
    ) -> None:
        self._vendor, self._client, self._states = vendor, client, states
        self._objects, self._clock = objects, clock

    def run(self, seconds: float) -> list[Pulled]:
        """Read every resource as far as it goes within so many seconds. Raises botocore's errors and LeaseLostError.

        A resource that fails stops, and says why; the others go on.
        """
        fresh = [PullState(self._name(each), each.window.start_ms) for each in self._vendor.resources]
        return self._in_turn(list(zip(self._vendor.resources, fresh, strict=True)), seconds)

    def backfill(self, wanted: Backfill, seconds: float) -> list[Pulled]:
        """Go on with a back-fill, beside the resources' own cursors. Raises as `run`; ValueError as `back_filled`.

        Asked for again after its end, it is read anew.
        """
        resources = back_filled(self._vendor, wanted)
        for each in resources:
            if wanted.to_ms > (ready := self._ready_ms(each)):
                asked, there = (datetime.fromtimestamp(ms / 1000, UTC).isoformat() for ms in (wanted.to_ms, ready))
                raise ValueError(f"{self._name(each)} can be read up to {there} by now, and {asked} was asked for")
        span = f"{wanted.from_ms}-{wanted.to_ms}"
        fresh = [PullState(f"{self._name(each)}/{span}", wanted.from_ms, end_ms=wanted.to_ms) for each in resources]
        return self._in_turn(list(zip(resources, fresh, strict=True)), seconds)

    def _in_turn(self, wanted: list[tuple[Resource, PullState]], seconds: float) -> list[Pulled]:
        """Each has its share of the time that is left, so that none keeps the others waiting for ever."""
        did, ends = [], self._clock.now() + seconds
        for index, (resource, fresh) in enumerate(wanted):
            share = (ends - self._clock.now()) / (len(wanted) - index)
            did.append(self._read(resource, fresh, self._clock.now() + share - MARGIN_SECONDS))
        return did

    def _name(self, resource: Resource) -> str:
        return f"{self._vendor.name}/{resource.name}"

    def _now_ms(self) -> int:
        return int(self._clock.now() * 1000)

    def _read(self, resource: Resource, fresh: PullState, deadline: float) -> Pulled:
        did, now_ms = Pulled(self._name(resource)), self._now_ms()
        # Until this invocation must have ended; a lease that ends later would keep the next one out.
        lease_ends = int((deadline + MARGIN_SECONDS) * 1000)
        state = self._states.acquire(fresh, secrets.token_hex(8), now_ms, lease_ends)
        if state is None:
            did.is_busy = True
            log.warning("%s is read by another invocation", fresh.id)
            return did
        if state.is_finished:
            state = replace(fresh, lease=state.lease)
        if now_ms >= state.not_before_ms:
            state = self._windows(resource, state, deadline, lease_ends, did)
        did.done_to_ms, did.is_finished = state.done_to_ms, state.is_finished
        did.behind_ms = max(0, (state.end_ms or self._ready_ms(resource)) - state.done_to_ms)
        self._states.release(state, self._now_ms())
        return did

    def _ready_ms(self, resource: Resource) -> int:
        """The end of the last window that the vendor has in full by now."""
        window = resource.window
        return (self._now_ms() - window.settle_minutes * 60_000) // window.length_ms * window.length_ms

    def _windows(
        self, resource: Resource, state: PullState, deadline: float, lease_ends: int, did: Pulled
    ) -> PullState:
        # Of a page whose time of arrival an invocation before this one noted, the object may stand already.
        inherited = state.arrival_ms
        try:
            while state.done_to_ms < (state.end_ms or self._ready_ms(resource)):
                if not state.arrival_ms:
                    state = replace(state, arrival_ms=self._now_ms())
                    self._states.save(state, lease_ends)
                state = self._page(resource, state, deadline, did)
                self._states.save(state, lease_ends)
        except OutOfTimeError:
            log.info("%s: the time is up; the next invocation goes on", state.id)
        except VendorError as error:
            did.error = str(error)
            kept = self._keep(state, did, error)
            log.error("%s stops at the window of %d: %s%s", state.id, state.done_to_ms, error, kept)  # noqa: TRY400  the text names the resource and the cause
            state = replace(
                state, error=str(error), failures=state.failures + 1, not_before_ms=error.not_before_ms or 0
            )
        return state if state.arrival_ms == inherited else replace(state, arrival_ms=0)

    def _keep(self, state: PullState, did: Pulled, error: VendorError) -> str:
        if not error.body:
            return ""
        return f"; the answer is kept in {self._objects.keep_unreadable(did.resource, state.done_to_ms, error.body)}"

    def _page(self, resource: Resource, state: PullState, deadline: float, did: Pulled) -> PullState:
        """Read one page: ask, land, and the state after it. What is raised is raised before the landing."""
        if len(state.pages) >= MAX_PAGES:
            raise VendorError(f"a window has more than {MAX_PAGES} pages: make windows shorter, or pages larger")
        url = page_url(self._vendor, resource, state.done_to_ms, state.position)
        answer = self._client.get(url, deadline)
        page = page_of(url, resource, state.position, answer, state.items)
        place = f"{did.resource} {state.done_to_ms} {state.position}"
        lines = lines_of(self._vendor, resource, page.items, place, state.arrival_ms)
        self._objects.land(did.resource, state.done_to_ms, state.arrival_ms, lines)
        did.pages += 1
        did.readings += lines.readings
        did.unplaced += lines.unplaced
        if lines.unplaced:
            log.error("%s: %d items are of no device in the vendor's file: quarantined", state.id, lines.unplaced)
        return self._after(resource, state, page, did)

    def _after(self, resource: Resource, state: PullState, page: Page, did: Pulled) -> PullState:
        content = _content(page)
        is_repeated = bool(page.items) and content in state.pages
        if is_repeated:
            did.repeated += 1
            log.error("%s: the vendor gave a page twice, at %r; its readings count once", state.id, state.position)
        items = state.items + (0 if is_repeated else len(page.items))
        state = replace(state, failures=0, error="", not_before_ms=0, items=items, total=page.total)
        if page.next is not None:
            pages = (*state.pages, content)
            return replace(state, position=page.next, pages=pages, arrival_ms=self._now_ms())
        self._close(resource, state, did)
        return replace(
            state,
            done_to_ms=state.done_to_ms + resource.window.length_ms,
            position=FIRST,
            arrival_ms=0,
            items=0,
            total=None,
            pages=(),
        )

    def _close(self, resource: Resource, state: PullState, did: Pulled) -> None:
        """Hold the items of a whole window against what the vendor said."""
        begin, end = state.done_to_ms, state.done_to_ms + resource.window.length_ms
        if state.total is not None and state.total != state.items:
            did.gaps += 1
            log.error("%s: of window %d the vendor said %d items, gave %d", state.id, begin, state.total, state.items)
            self._states.note_gap(did.resource, begin, end, state.total, state.items)
        elif state.end_ms:
            self._states.close_gap(did.resource, begin)


def _content(page: Page) -> str:
    return hashlib.sha256(json_text(page.items).encode()).hexdigest()[:16]
