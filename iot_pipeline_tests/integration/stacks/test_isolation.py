"""20 devices of 2 tenants, each trying all that is not its own, with the deployed policy on the real broker.

Nothing may be let, nothing may arrive, and each device must still be served afterwards: a broker that refused
everything, or had closed the connection, would pass otherwise.
"""

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import ClientError

from infra.stacks.config import DEFAULT_NAME
from iot_pipeline_tests.support.emulator import LocalAws, Session, eventually
from iot_pipeline_tests.support.intruder import Intruder
from iot_pipeline_tests.support.onboarded import onboarded
from iot_pipeline_tests.support.raw_mqtt import EVERYTHING, V5, V311
from iot_pipeline_tests.support.trespass import Grounds, Place, attempts, client_ids, wills

pytestmark = pytest.mark.integration
DEVICES = 20
OWN, FOREIGN = "own", "intruder"


@dataclass
class Fleet:
    """The devices, what they may trespass on, and all that a reader of every topic has seen."""

    running: LocalAws
    outputs: dict[str, str]
    grounds: Grounds
    intruders: dict[Place, Intruder]
    seen: list[tuple[str, bytes]] = field(default_factory=list)
    listener: Session | None = None

    def foreign(self) -> list[tuple[str, bytes]]:
        """What has arrived on any topic that no device may have sent."""
        return [(name, payload) for name, payload in self.seen if FOREIGN.encode() in payload]

    def own(self) -> list[str]:
        """The topics on which devices were heard that published as themselves, sorted."""
        return sorted(name for name, payload in self.seen if f'"{OWN}"'.encode() in payload)


def payload(what: str, me: Place) -> bytes:
    """A message of telemetry, so that the rules would take it; it says who sent it, and whether it may."""
    return json.dumps({"v": 1, "readings": [], what: me.device}).encode()


@pytest.fixture(scope="module")
def fleet(aws: tuple[LocalAws, dict[str, str]]) -> Iterator[Fleet]:
    """Ten devices of each tenant, at two sites, onboarded; and a reader that may do everything."""
    running, outputs = aws
    places = [Place(f"sensor-{n:02d}", ("acme", "globex")[n % 2], ("oslo", "lima")[n // 2 % 2]) for n in range(DEVICES)]
    devices = {place: onboarded(running, outputs, place.device, place.tenant, place.site) for place in places}
    grounds = Grounds(places, outputs["ProvisioningTemplate"], (DEFAULT_NAME, f"{DEFAULT_NAME}_malformed"))
    made = Fleet(running, outputs, grounds, {p: Intruder(running, device) for p, device in devices.items()})
    made.listener = running.connect_device(running.device(policy=EVERYTHING))
    made.listener.client.on_message = lambda *found: made.seen.append((found[2].topic, found[2].payload))
    made.listener.client.subscribe("#", 1)
    assert made.listener.wait("suback") == ["Granted QoS 1"]
    yield made
    for intruder in made.intruders.values():
        intruder.close()
    made.listener.close()


@pytest.fixture(autouse=True)
def control(fleet: Fleet) -> Iterator[None]:
    """Before and after each test, every device publishes on its own topic, and the reader of all topics gets it."""
    for moment in ("before", "after"):
        fleet.seen.clear()
        for me, intruder in fleet.intruders.items():
            assert intruder.publishes(me.topic, payload(OWN, me)), f"{moment}: {me.device} on its own topic"
        eventually(lambda: len(fleet.own()) >= DEVICES)
        assert fleet.own() == sorted(me.topic for me in fleet.grounds.places)
        if moment == "before":
            yield
            assert fleet.foreign() == []


def tell(title: str, tried: Counter[str], let: list[tuple[str, str, str]]) -> None:
    """Print how often each kind was tried, and fail naming what was let."""
    print(f"\n{title}: {tried.total()} attempts of {DEVICES} devices, {len(let)} successes")
    for kind, count in tried.items():
        print(f"  {count:6d}  {kind}")
    assert tried.total() > 0
    assert let == []


def test_no_device_does_what_is_anothers_or_nobodys(fleet: Fleet) -> None:
    tried: Counter[str] = Counter()
    let: list[tuple[str, str, str]] = []
    for me, intruder in fleet.intruders.items():
        for kind, what, success in attempts(intruder, me, fleet.grounds, payload(FOREIGN, me)):
            tried[kind] += 1
            if success:
                let.append((me.device, kind, what))
        assert intruder.is_served()
        assert intruder.overheard == 0
    assert tried["another device's topic"] == DEVICES * (DEVICES - 1)
    tell("MQTT", tried, let)


def test_no_device_connects_as_another_or_ends_its_session(fleet: Fleet) -> None:
    tried: Counter[str] = Counter()
    let: list[tuple[str, str, str]] = []
    for me, intruder in fleet.intruders.items():
        assert intruder.is_served()
        for name in client_ids(me, fleet.grounds):
            for version in (V5, V311):
                tried["foreign client id"] += 1
                if intruder.connects_as(name, version):
                    let.append((me.device, "foreign client id", name))
    assert all(intruder.is_served() for intruder in fleet.intruders.values()), "a session was taken over"
    tell("Client ids", tried, let)


def test_no_will_of_a_device_is_left_on_a_foreign_topic(fleet: Fleet) -> None:
    tried: Counter[str] = Counter()
    let: list[tuple[str, str, str]] = []
    for me, intruder in fleet.intruders.items():
        for name, retain in wills(me, fleet.grounds):
            tried["will, retained" if retain else "will"] += 1
            if intruder.leaves_a_will(name, payload(FOREIGN, me), retain=retain):
                let.append((me.device, "will", name))
    tell("Wills", tried, let)


def test_a_will_on_its_own_topic_arrives(fleet: Fleet) -> None:
    """The control of the test above: a connection that breaks off does have its will published."""
    me, intruder = next(iter(fleet.intruders.items()))
    fleet.seen.clear()
    assert intruder.leaves_a_will(me.topic, payload(OWN, me))
    assert eventually(lambda: (me.topic, payload(OWN, me)) in fleet.seen)


def test_an_alias_of_its_own_topic_is_taken(fleet: Fleet) -> None:
    """The control of the aliases among the attempts."""
    fleet.seen.clear()
    for me, intruder in fleet.intruders.items():
        assert intruder.publishes_by_alias(me.topic, payload(OWN, me), 1) == (True, True)
    assert eventually(lambda: Counter(fleet.own()) == {me.topic: 2 for me in fleet.intruders})


def test_a_certificate_alone_publishes_nothing_by_http(fleet: Fleet) -> None:
    """By HTTP a request is signed with AWS credentials, which no device has.

    On AWS a certificate may publish on port 8443 as well, under the same policy, in which a thing's name is filled for
    MQTT alone (AWS IoT developer guide, "Device communication protocols", "Thing policy variables"). The local AWS has
    no such port.
    """
    tried: Counter[str] = Counter()
    let: list[tuple[str, str, str]] = []
    for me, intruder in fleet.intruders.items():
        for name in (me.topic, *(other.topic for other in fleet.grounds.others(me))):
            tried["unsigned request"] += 1
            connection = http.client.HTTPConnection("127.0.0.1", fleet.running.emulator.port, timeout=60)
            connection.request("POST", f"/topics/{name}?qos=1", payload(FOREIGN, me))
            if connection.getresponse().status != 403:
                let.append((me.device, "unsigned request", name))
            connection.close()
        tried["HTTP to the MQTT port"] += 1
        if b"200" in intruder.posts(f"/topics/{me.topic}?qos=1", payload(FOREIGN, me)):
            let.append((me.device, "HTTP to the MQTT port", me.topic))
    tell("HTTP", tried, let)


def test_nothing_foreign_is_kept_or_in_the_lake(fleet: Fleet) -> None:
    """After all of the above: nothing retained, no shadow, and each line of the lake from where its device stands."""
    data, bucket = fleet.running.client("iot-data"), fleet.outputs["LakeBucket"]
    assert data.list_retained_messages()["retainedTopics"] == []
    for me in fleet.grounds.places:
        with pytest.raises(ClientError) as missing:
            data.get_thing_shadow(thingName=me.device)
        assert missing.value.response["Error"]["Code"] == "ResourceNotFoundException"

    def lines() -> list[str]:
        return fleet.running.lines(bucket, "raw/telemetry/")

    assert eventually(lambda: len(lines()) >= 2 * DEVICES)
    assert not [line for line in lines() if FOREIGN in line]
    stands = {me.device: (me.tenant, me.site) for me in fleet.grounds.places}
    for found in map(json.loads, lines()):
        assert (found["iot_tenant"], found["iot_site"]) == stands[found[OWN]]
        assert found["iot_device"] == found[OWN]


def test_each_kind_of_attempt_succeeds_where_a_policy_allows_it(fleet: Fleet) -> None:
    """The control of all kinds, the last of this module since it does leave things: a device that may do everything.

    Nobody publishes to a wildcard (MQTT 5.0, 4.7.1).
    """
    device, me = fleet.running.device(policy=EVERYTHING), fleet.grounds.places[0]
    intruder = Intruder(fleet.running, device)
    let: Counter[str] = Counter()
    for kind, _what, success in attempts(intruder, me, fleet.grounds, payload("allowed", me)):
        let[kind] += success
    assert [kind for kind, count in let.items() if not count] == ["publication to a wildcard"]
    assert intruder.overheard > 0
    assert intruder.connects_as(f"{device.name}x")
    assert intruder.leaves_a_will(fleet.grounds.neighbour(me).topic, payload("allowed", me), retain=True)
    intruder.close()
