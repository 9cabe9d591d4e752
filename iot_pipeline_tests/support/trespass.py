"""What one device of the fleet tries that only another device, or nobody, may do; each attempt by its kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iot_pipeline.contract import topic
from iot_pipeline_tests.support.intruder import Intruder
from iot_pipeline_tests.support.raw_mqtt import V5, V311

Attempt = tuple[str, str, bool]


@dataclass(frozen=True)
class Place:
    """A device, and where it stands."""

    device: str
    tenant: str
    site: str

    @property
    def topic(self) -> str:
        """The one topic on which it may publish."""
        return topic(self.tenant, self.site, self.device)


@dataclass(frozen=True)
class Grounds:
    """What there is to trespass on: all devices, the provisioning template, the rules of Basic Ingest."""

    places: Sequence[Place]
    template: str
    rules: Sequence[str]

    def others(self, me: Place) -> list[Place]:
        """Every place but one's own."""
        return [place for place in self.places if place != me]

    def neighbour(self, me: Place) -> Place:
        """A device of the other tenant."""
        return next(place for place in self.places if place.tenant != me.tenant)


def attempts(intruder: Intruder, me: Place, grounds: Grounds, payload: bytes) -> Iterator[Attempt]:
    """(kind, what was tried, whether it was let) for all that a device tries over MQTT."""
    for other in grounds.others(me):
        yield "another device's topic", other.topic, intruder.publishes(other.topic, payload)
        yield "another device's topic, retained", other.topic, intruder.publishes(other.topic, payload, retain=True)
        yield "another device's topic, MQTT 3.1.1", other.topic, intruder.publishes(other.topic, payload, V311)
        yield "subscription to another device", other.topic, intruder.subscribes(other.topic)
    for name in wrong_topics(me, grounds.neighbour(me)):
        yield "wrong tenant, site or form of its own topic", name, intruder.publishes(name, payload)
    yield "its own topic, retained", me.topic, intruder.publishes(me.topic, payload, retain=True)
    for name in wildcard_topics(me):
        yield "publication to a wildcard", name, intruder.publishes(name, payload)
    for version, filters in ((V5, filters_of(me)), (V311, filters_of(me))):
        for name in filters:
            yield "subscription by wildcard, or to its own topic", name, intruder.subscribes(name, version)
    for name in shared_filters(me):
        yield "shared subscription", name, intruder.subscribes(name)
    for name in reserved_topics(me, grounds):
        yield "publication to $aws", name, intruder.publishes(name, payload)
    for name in reserved_filters(me, grounds):
        yield "subscription to $aws", name, intruder.subscribes(name)
    yield from aliased(intruder, me, grounds, payload)


def aliased(intruder: Intruder, me: Place, grounds: Grounds, payload: bytes) -> Iterator[Attempt]:
    """Topic aliases of MQTT 5: one that stands for another device's topic, after one for the device's own."""
    for other in (grounds.neighbour(me), grounds.others(me)[0]):
        named, by_alias = intruder.publishes_by_alias(other.topic, payload, 1)
        yield "topic alias, with the name", other.topic, named
        yield "topic alias, by the alias alone", other.topic, by_alias


def client_ids(me: Place, grounds: Grounds) -> list[str]:
    """Ids that are not the device's: all the others', and forms that a careless match would take."""
    names = [other.device for other in grounds.others(me)]
    crafted = [f"{me.device}x", me.device[:-1], me.device.upper(), f"{me.device}/", "*", "sensor-*", "?", "claim-1", ""]
    return [*names, *crafted, "${iot:Connection.Thing.ThingName}", "${iot:ClientId}", "$aws"]


def wills(me: Place, grounds: Grounds) -> list[tuple[str, bool]]:
    """(topic, retained) of wills that are not the device's to leave."""
    neighbour = grounds.neighbour(me)
    foreign = [other.topic for other in grounds.others(me)]
    shadow = f"$aws/things/{neighbour.device}/shadow/update"
    return [*((name, False) for name in foreign), (neighbour.topic, True), (me.topic, True), (shadow, False)]


def wrong_topics(me: Place, neighbour: Place) -> list[str]:
    """Its own topic with another tenant or site, or in another form."""
    own = me.topic
    variables = "dt/${iot:Connection.Thing.Attributes[tenant]}/${iot:Connection.Thing.Attributes[site]}"
    other_site = "lima" if me.site == "oslo" else "oslo"
    return [
        topic(neighbour.tenant, me.site, me.device),
        topic(me.tenant, other_site, me.device),
        topic(neighbour.tenant, other_site, me.device),
        f"dt/{me.tenant}/{me.device}/telemetry",
        f"dt//{me.site}/{me.device}/telemetry",
        f"{own}/",
        f"/{own}",
        f"{own}/more",
        own.upper(),
        own.removesuffix("telemetry"),
        f"{variables}/{me.device}/telemetry",
        f"cmd/{me.device}/reboot",
        "dt",
    ]


def wildcard_topics(me: Place) -> list[str]:
    """Names that are filters: nobody publishes to them."""
    return ["#", "dt/+/+/+/telemetry", f"dt/{me.tenant}/{me.site}/+/telemetry", f"dt/{me.tenant}/#"]


def filters_of(me: Place) -> list[str]:
    """Filters that would let it read others, or itself: a device reads nothing."""
    return ["#", "+/#", "dt/#", "dt/+/+/+/telemetry", f"dt/{me.tenant}/#", f"dt/+/+/{me.device}/telemetry", me.topic]


def shared_filters(me: Place) -> list[str]:
    """The same by a shared subscription."""
    return [f"$share/readers/{name}" for name in ("#", "dt/+/+/+/telemetry", f"dt/{me.tenant}/#", me.topic)]


def reserved_topics(me: Place, grounds: Grounds) -> Iterator[str]:
    """Shadows, jobs, defender, certificates, provisioning, commands, events and Basic Ingest."""
    for device in (me.device, grounds.neighbour(me).device):
        thing = f"$aws/things/{device}"
        yield from (f"{thing}/shadow/{verb}" for verb in ("update", "get", "delete", "name/config/update"))
        yield from (f"{thing}/jobs/{verb}" for verb in ("get", "start-next", "job-1/update"))
        yield f"{thing}/defender/metrics/json"
        yield f"$aws/commands/things/{device}/executions/1/response/json"
        yield f"$aws/events/presence/disconnected/{device}"
    yield from ("$aws/certificates/create/json", "$aws/certificates/create-from-csr/json")
    yield f"$aws/provisioning-templates/{grounds.template}/provision/json"
    for rule in grounds.rules:
        yield from (f"$aws/rules/{rule}/{place.topic}" for place in (me, grounds.neighbour(me)))


def reserved_filters(me: Place, grounds: Grounds) -> Iterator[str]:
    """What AWS IoT answers and tells under `$aws`."""
    for device in (me.device, grounds.neighbour(me).device, "+"):
        yield from (f"$aws/things/{device}/shadow/#", f"$aws/things/{device}/jobs/#")
        yield f"$aws/commands/things/{device}/executions/+/request"
    yield from ("$aws/#", "$aws/events/#", "$aws/certificates/create/json/accepted")
    yield f"$aws/provisioning-templates/{grounds.template}/provision/json/accepted"
