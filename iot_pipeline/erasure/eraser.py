"""An erasure from its plan to its proof: the steps in their order, each of which may be repeated."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from iot_pipeline.contract import tables
from iot_pipeline.contract.layout import EDGE_RULES
from iot_pipeline.contract.tables import registry_history
from iot_pipeline.erasure import bucket_search as zones
from iot_pipeline.erasure.alert_steps import erase_episodes
from iot_pipeline.erasure.bucket_search import BucketSearch
from iot_pipeline.erasure.database_steps import (
    RegistryEraser,
    WarehouseEraser,
    devices_of,
    require_name,
    tenants_of,
)
from iot_pipeline.erasure.edge_steps import EdgeEraser
from iot_pipeline.erasure.found import Found
from iot_pipeline.erasure.history import History, NoHistory
from iot_pipeline.erasure.item_steps import ItemEraser
from iot_pipeline.erasure.lake_steps import ErasureBusyError, LakeEraser, settled
from iot_pipeline.erasure.log_search import LogSearch
from iot_pipeline.erasure.platform import Platform
from iot_pipeline.erasure.stream_steps import StreamEraser
from iot_pipeline.erasure.subject import Subject
from iot_pipeline.lake.hours import Day, Hour
from iot_pipeline.registry import alert_rules, erasures, holds
from iot_pipeline.registry.erasures import Erasure, Kind
from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.warehouse import registry_export


@dataclass
class Work:
    """One erasure at work: whom it erases, and what its steps have found and noted so far."""

    connection: psycopg.Connection[Any]
    erasure: Erasure
    subject: Subject
    progress: dict[str, Any] = field(default_factory=dict)

    def note(self, **progress: Any) -> None:
        """Keep what a step has done, so that a run that is killed goes on from there."""
        self.progress |= progress
        erasures.note(self.connection, self.erasure.erasure_id, **progress)

    def hours(self, name: str) -> list[Hour]:
        """Hours that were noted."""
        return [Hour(datetime.fromisoformat(text)) for text in self.progress.get(name, [])]

    @property
    def days(self) -> list[Day]:
        """Days of alerts that were noted."""
        return [Day(hour.start) for hour in self.hours("days")]

    @property
    def since(self) -> datetime:
        """When the raw zone held nothing of the subject any more."""
        return datetime.fromisoformat(self.progress["raw_done"])


@dataclass(frozen=True)
class Eraser:
    """Plans, carries out and proves erasures on one deployment.

    `since` (aware) leaves objects out that were written before, and log lines: for a device that was onboarded then.
    `history` is Dagster's. `progress` is told what is done; `at_step` is called before each step, with its number, how
    many there are, and its name.
    """

    platform: Platform
    history: History = field(default_factory=NoHistory)
    since: datetime | None = None
    progress: Callable[[str], None] = lambda _: None
    at_step: Callable[[int, int, str], None] = lambda _number, _all, _name: None

    def plan(self, kind: Kind, name: str, author: str, reason: str) -> tuple[Erasure, list[Found]]:
        """What there is of a device or a tenant, by a search through everything; and its erasure, on record.

        Nothing is changed. Raises HoldError if a legal hold is in force, RegistryError for a name that none can have.
        """
        require_name(kind, name)
        with self.platform.registry() as connection:
            subject = self._subject(connection, kind, name)
            self._require_no_hold(connection, subject, frozenset())
            erasure = erasures.begin(connection, kind, name, author, reason)
            found = list(self._found(connection, subject, erasure.erasure_id))
            self._require_no_hold(connection, subject, _tenants(found))
        return erasure, found

    def run(self, erasure_id: str) -> Mapping[str, Any]:
        """Carry out an erasure, or go on with one that was interrupted; what it has counted.

        Raises HoldError if a legal hold is in force, RegistryError if another process works on it or it is done,
        ErasureBusyError and ExportBusyError if something is built at the same time: then run it again.
        """
        with self.platform.registry() as connection:
            erasure = erasures.read(connection, erasure_id)
            if erasure.subject is None:
                raise RegistryError(f"the erasure {erasure_id} was done at {erasure.finished_at:%Y-%m-%d %H:%M}Z")
            with erasures.alone(connection, erasure_id):
                known = frozenset(erasure.progress.get("devices", ()))
                subject = self._subject(connection, erasure.kind, erasure.subject, known)
                work = Work(connection, erasure, subject, dict(erasure.progress))
                self._require_no_hold(connection, subject, frozenset())
                steps = self._steps(work)
                for number, (name, step) in enumerate(steps.items()):
                    self.at_step(number, len(steps), name)
                    step()
                self.at_step(len(steps), len(steps), "done")
        return work.progress

    def proof(self, kind: Kind, name: str, also: Collection[str] = ()) -> list[Found]:
        """Search everything anew. What is found and has no expiry should not be there.

        `also` are further names to search for: of an erased tenant the registry no longer knows the devices.
        """
        require_name(kind, name)
        with self.platform.registry() as connection:
            subject = self._subject(connection, kind, name, frozenset(also))
            own = [it.erasure_id for it in erasures.all_erasures(connection) if it.subject == name and it.kind == kind]
            return list(self._found(connection, subject, own[0] if own else None))

    def _steps(self, work: Work) -> dict[str, Callable[[], None]]:
        """The steps by name, in their order.

        First nothing more may come; then from the raw zone on, since all else is built from it; what is shown in the
        warehouse after the lake and the registry, of which it is a copy; old versions last, when nothing shows them.
        """
        lake = self._lake(work)
        return {
            "search": lambda: self._search_lake(work),
            "devices": lambda: self._note_count(work, "devices ended", self._registry(work).revoke()),
            "raw": lambda: self._erase_raw(work, lake),
            "judged": lambda: self._judge(work, lake),
            "curated": lambda: self._curate(work, lake),
            "streamed": lambda: self._note_count(work, "streamed rows", self._stream(work.subject).erase()),
            "live state and alerts": lambda: self._note_count(work, "items", self._edge(work.subject).erase_items()),
            "console and pulls": lambda: self._note_count(work, "kept items", self._items(work.subject).erase()),
            "alert history": lambda: self._erase_history(work),
            "dead letters and query results": lambda: self._note_count(
                work, "letters", self._edge(work.subject).erase_letters()
            ),
            "registry": lambda: self._erase_registry(work),
            "warehouse": lambda: self._erase_warehouse(work),
            "old versions": lambda: self._remove_versions(work, lake),
            "history of runs": lambda: self._note_count(work, "texts redacted", self.history.redact(work.subject)),
            "books": lambda: self._finish(work, lake),
        }

    def _search_lake(self, work: Work) -> None:
        """Note the hours concerned before anything is changed: a later run does not find what this one has erased."""
        work.note(devices=sorted(work.subject.devices))
        found = list(self._search(work.subject).found())
        self._require_no_hold(work.connection, work.subject, _tenants(found))
        arrivals = {zones.RAW, zones.JUDGED, zones.LEDGER, zones.QUARANTINE}
        hours = {it.hour for it in found if it.hour and it.zone in arrivals and not it.is_mention}
        lake = self.platform.lake
        events = {it.hour for it in found if it.hour and it.zone == zones.CURATED} | set(lake.touched(hours))
        days = {it.hour for it in found if it.hour and it.zone in (zones.ALERTS, zones.DAILY)}
        work.note(
            arrivals=_texts({*hours, *work.hours("arrivals")}),
            events=_texts({*events, *work.hours("events")}),
            days=_texts({*days, *work.hours("days")}),
        )

    def _erase_raw(self, work: Work, lake: LakeEraser) -> None:
        erased = lake.rewrite_raw()
        lines = dict(work.progress.get("lines", {}))
        for hour, count in erased.items():
            key = hour.start.isoformat()
            lines[key] = lines.get(key, 0) + count
        if erased or "raw_done" not in work.progress:
            work.note(lines=lines, raw_done=settled().isoformat())

    def _judge(self, work: Work, lake: LakeEraser) -> None:
        arrivals = {*work.hours("arrivals"), *(Hour(datetime.fromisoformat(text)) for text in work.progress["lines"])}
        events = {*work.hours("events"), *self.platform.lake.touched(arrivals)}
        work.note(arrivals=_texts(arrivals), events=_texts(events))
        touched = lake.judge(sorted(arrivals), work.since)
        work.note(events=_texts({*events, *touched}))

    def _curate(self, work: Work, lake: LakeEraser) -> None:
        """Event hours, and of the days that hold them compacted those that are."""
        lake.curate(work.hours("events"))
        daily = tables(self.platform.lake.contract).daily_telemetry.name
        days = {Day.of(hour.start) for hour in work.hours("events")}
        if compacted := self.platform.lake.catalog.partitions(daily, days):
            self.platform.compaction().compact([Day(hour.start) for hour in compacted], datetime.now(UTC))
            work.note(days=_texts({*compacted, *work.hours("days")}))

    def _erase_history(self, work: Work) -> None:
        erased = erase_episodes(self.platform.exporter(), work.subject, work.days, self.progress)
        self._note_count(work, "episodes", erased)

    def _erase_registry(self, work: Work) -> None:
        registry = self._registry(work)
        registry.remove_things()
        counts = erasures.erase(work.connection, work.erasure.erasure_id)
        lake = self.platform.buckets[0]
        alert_rules.published_if_changed(work.connection, lake.s3, lake.name, EDGE_RULES)
        work.connection.commit()
        history = registry_export.history(work.connection)
        for table in registry_history():
            lake.write(f"{table.prefix}rows.parquet", registry_export.to_parquet(history[table.name]))
        for name, count in counts.items():
            self._note_count(work, f"registry {name}", count)

    def _erase_warehouse(self, work: Work) -> None:
        with self.platform.loading() as loader:
            loader.load(work.hours("events"))
        with self.platform.loading_episodes() as episodes:
            episodes.load(work.days)
        with self.platform.loading_snapshot() as snapshot:
            snapshot.load(work.connection)
        with self.platform.warehouse() as connection:
            self._note_count(work, "rows of models", WarehouseEraser(connection, work.subject, self.progress).erase())

    def _remove_versions(self, work: Work, lake: LakeEraser) -> None:
        removed = lake.remove_versions(work.hours("arrivals"), work.hours("events"), work.days)
        former = (zones.RULES, zones.SNAPSHOTS)
        for bucket, version, found in list(self._search(work.subject).versions()):
            # Rules and snapshots have a version of their own each; the newest no longer names the subject.
            if not version.is_latest or found.zone in former:
                removed += bucket.purge([version])
        removed += self._stream(work.subject).remove_versions(BucketSearch(self.platform.buckets[:1], work.subject))
        self._note_count(work, "old versions", removed)

    def _finish(self, work: Work, lake: LakeEraser) -> None:
        lake.require_erased(work.hours("arrivals"), work.hours("events"), work.since)
        if self._stream(work.subject).erase():
            raise ErasureBusyError("the streaming job has published rows meanwhile; run it again when it has gone on")
        with self.platform.loading() as loader:
            loader.load(work.hours("events"))
        erasures.finish(work.connection, work.erasure.erasure_id)

    def _note_count(self, work: Work, name: str, count: int) -> None:
        counts = dict(work.progress.get("counts", {}))
        counts[name] = counts.get(name, 0) + count
        work.note(counts=counts)

    def _found(self, connection: psycopg.Connection[Any], subject: Subject, own: str | None) -> Iterator[Found]:
        """Everything that mentions the subject, wherever it is searched for."""
        yield from self._search(subject).found()
        edge = self._edge(subject)
        yield from edge.found_items()
        yield from edge.found_letters()
        yield from self._items(subject).found()
        with self.platform.warehouse() as warehouse:
            yield from WarehouseEraser(warehouse, subject, self.progress).found()
        yield from RegistryEraser(connection, self.platform.iot, subject, self.progress).found(own)
        yield from self.history.found(subject)
        yield from self._logs(subject).found()

    def _subject(
        self, connection: psycopg.Connection[Any], kind: Kind, name: str, known: frozenset[str] = frozenset()
    ) -> Subject:
        devices = frozenset({name}) if kind == "device" else devices_of(connection, name)
        return Subject(kind, name, devices | known)

    def _require_no_hold(self, connection: psycopg.Connection[Any], subject: Subject, tenants: frozenset[str]) -> None:
        own = {subject.name} if subject.kind == "tenant" else tenants_of(connection, subject.name)
        holds.require_none(connection, tenants | own)

    def _search(self, subject: Subject) -> BucketSearch:
        return BucketSearch(self.platform.buckets, subject, self.since, self.progress)

    def _lake(self, work: Work) -> LakeEraser:
        lake = self.platform.buckets[0]
        search = BucketSearch((lake,), work.subject, self.since)
        return LakeEraser(self.platform.lake, lake, work.subject, work.erasure.digest, lambda: search, self.progress)

    def _edge(self, subject: Subject) -> EdgeEraser:
        it = self.platform
        search = self._search(subject)
        return EdgeEraser(it.dynamodb, it.sqs, it.states, it.alerts, it.queues, subject, lambda: search, self.progress)

    def _stream(self, subject: Subject) -> StreamEraser:
        return StreamEraser(self.platform.batches(), self.platform.buckets[0], subject, self.progress)

    def _logs(self, subject: Subject) -> LogSearch:
        it = self.platform
        return LogSearch(it.logs, it.lambda_, it.functions, subject, self.since)

    def _items(self, subject: Subject) -> ItemEraser:
        it = self.platform
        return ItemEraser(it.dynamodb, it.console, it.pull, subject, self.progress)

    def _registry(self, work: Work) -> RegistryEraser:
        return RegistryEraser(work.connection, self.platform.iot, work.subject, self.progress)


def _tenants(found: Collection[Found]) -> frozenset[str]:
    return frozenset(tenant for each in found for tenant in each.tenants)


def _texts(hours: Collection[Hour]) -> list[str]:
    return sorted(hour.start.astimezone(UTC).isoformat() for hour in hours)
