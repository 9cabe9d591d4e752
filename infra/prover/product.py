"""What our own code calls under a role: found in its source, with what it is on from the record of calls."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from infra.prover.actions import OF_TRANSACTIONS, actions_of
from infra.prover.deployed import Environment, Resource
from infra.prover.needed import Need, need
from infra.prover.places import OF_VERSIONS, PLACES
from infra.prover.recorded import Recorded, part_of, read_recorded
from infra.prover.source.client_calls import ClientCall, client_calls, mentioned_calls, services_of
from infra.prover.source.code import PRODUCT, REPOSITORY, Module, Piece, module, script
from infra.prover.source.reach import reached
from infra.prover.unrecorded import LEADING_KEYS, MISSING_IS_AN_ANSWER, NEVER, UNRECORDED

# By site and operation, what it is on, as in infra/prover/places.py.
Places = Mapping[tuple[str, str], tuple[str, ...]]
NO_PLACES: Places = MappingProxyType({})
# How the id of a function ends that has constructs of its own: by its name, and the CDK's hash.
_FUNCTION = re.compile("Function[0-9A-F]{8}$")
# The package of a function that is one file.
_SCRIPTS = REPOSITORY / "infra" / "stacks"
_WITH_VERSIONS = ("s3:DeleteObject", "s3:GetObject")
# Which secret these are called for is said by the variables of the process.
SECRETS_READ = (
    "iot_pipeline.connections.credentials:of_secret",
    "iot_pipeline.console.identity.service:_client_secret",
)


def product_calls(environment: Environment, function: Resource) -> Iterator[Need]:
    """What a Lambda function's code calls; nothing for a function of the CDK's, whose calls `aws_calls` knows."""
    entry = _entry(function.properties.get("Handler", ""))
    if entry is None:
        return
    # The function itself in a demo, its code by itself in a test.
    callers = (part_of(environment, function), entry[0].name)
    for call in found_calls(*entry):
        yield from _needs(environment, callers, call)


def module_calls(
    environment: Environment, start: Module, function: str, roots: tuple[str, ...], secrets: Sequence[Need]
) -> Iterator[Need]:
    """What a function of the product or of our tools calls, as far as it reaches within `roots`.

    `secrets` are the reads of those that the process's variables name (`of_secret` of iot_pipeline/connections).
    """
    yield from piece_calls(environment, (start.name,), reached(start, function, roots), secrets)


def piece_calls(
    environment: Environment,
    callers: tuple[str, ...],
    pieces: tuple[Piece, ...],
    secrets: Sequence[Need],
    never: Collection[str] = (),
) -> Iterator[Need]:
    """What some pieces of code call, but for the sites in `never`; `secrets` as in `module_calls`."""
    for call in _calls_and_mentions(pieces):
        if call.site in never:
            continue
        if call.site in SECRETS_READ:
            yield from secrets
        else:
            yield from _needs(environment, callers, call)


@cache
def _calls_and_mentions(pieces: tuple[Piece, ...]) -> tuple[ClientCall, ...]:
    """The calls of clients in some pieces, each once.

    A method that is named without a call counts where nothing else of the client's is called so: as `enable` and
    `disable`, of which one is chosen by a condition, and as the text by which a paginator is got.
    """
    services = services_of(pieces)
    mentioned = (
        call for call in mentioned_calls(pieces, services) if (call.site, f"{call.service}:{call.operation}") in PLACES
    )
    return tuple(sorted({*client_calls(pieces, services), *mentioned}))


def process_calls(
    environment: Environment, name: str, places: Places = NO_PLACES, never: Collection[str] = ()
) -> Iterator[Need]:
    """What a process of ours calls, started as `python -m` and a module, but for the sites in `never`.

    `places` are the process's own, where they are not those of all who reach a site. Raises ValueError if there is no
    such module.
    """
    found = module(name)
    if found is None:
        raise ValueError(f"python -m {name}: there is no such module")
    for call in found_calls(found, "main"):
        if call.site not in never:
            yield from _needs(environment, (name,), call, places)


@cache
def found_calls(start: Module, function: str) -> tuple[ClientCall, ...]:
    """The calls of clients in all code that a function can reach, each once."""
    pieces = reached(start, function)
    return tuple(sorted(set(client_calls(pieces, services_of(pieces)))))


def recorded_callers(who: re.Pattern[str]) -> tuple[str, ...]:
    """The callers of the record whose names begin so."""
    return tuple(sorted({row.who for row in _rows() if who.match(row.who)}))


def recorded_on(callers: tuple[str, ...], call: ClientCall, rows: tuple[Recorded, ...]) -> list[str]:
    """On what a call was recorded: by one of these callers, or by any other if by none of them."""
    at = [row for row in rows if row.site == call.site and row.call == f"{call.service}:{call.operation}"]
    return sorted({row.on for row in at if row.who in callers} or {row.on for row in at})


@cache
def _rows() -> tuple[Recorded, ...]:
    return tuple(read_recorded())


def _entry(handler: str) -> tuple[Module, str] | None:
    name, _, function = handler.rpartition(".")
    if name.partition(".")[0] == PRODUCT:
        found = module(name)
        if found is None:
            raise ValueError(f"{handler}: there is no module {name}")
        return found, function
    scripts: list[Path] = sorted(_SCRIPTS.rglob(f"lambdas/{name}.py"))
    return (script(scripts[0]), function) if scripts else None


def _needs(
    environment: Environment, callers: tuple[str, ...], call: ClientCall, places: Places = NO_PLACES
) -> Iterator[Need]:
    key = (call.site, f"{call.service}:{call.operation}")
    if key in NEVER:
        return
    said = places.get(key) or PLACES.get(key, ())
    on = list(said) or recorded_on(callers, call, _rows()) or list(UNRECORDED.get(key, ()))
    if not on:
        raise ValueError(
            f"{callers[0] if callers else 'a process'} may call {call.service} {call.operation} in {call.site}, on "
            "what is not known: run make prove-record with a test that reaches it, or say so in "
            "infra/prover/unrecorded.py"
        )
    for each in on:
        place, _, part = each.replace("{own}", _own(callers)).partition("#")
        if call.operation == "TransactWriteItems":
            yield need(OF_TRANSACTIONS[part], _arn(environment, "dynamodb", place)[0], call.site)
            continue
        own = LEADING_KEYS.get(key)
        leading = {"dynamodb__LeadingKeys": own.format(config=environment.config)} if own else {}
        for resource in _arn(environment, call.service, place):
            for action in actions_of(call.service, call.operation):
                yield _on(action, resource, call.site, **leading)
                if call.site in OF_VERSIONS and action in _WITH_VERSIONS:
                    yield _on(f"{action}Version", resource, call.site)
            if call.operation == "GetObject" and call.site in MISSING_IS_AN_ANSWER:
                yield _on("s3:ListBucket", resource, f"{call.site}: that there is no object is told to who may list")


def _own(callers: Sequence[str]) -> str:
    """What the ids of a function's own constructs begin with: `Pull.AcmeFunction0A1B2C3D` has `AcmeSecret`."""
    return _FUNCTION.sub("", callers[0].partition(".")[2]) if callers else ""


def _on(action: str, resource: str, why: str, **context: str) -> Need:
    bucket, slash, key = resource.partition("/")
    if action.startswith("s3:List") and resource.startswith("arn:aws:s3:::") and slash:
        return need(action, bucket, why, **({} if key == "*" else {"s3__prefix": key}))
    return need(action, resource, why, **context)


# What is no resource of a template: things, certificates, the topics of the broker's data endpoint, stacks.
_ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(("iot", "iot-data"), "arn:aws:iot:{region}:{account}:{place}"),
    **{name: f"arn:aws:{name}:{{region}}:{{account}}:{{place}}" for name in ("cloudformation", "logs")},
}


# Stacks that an environment has with its producers and with its vendors. Nothing is called on what it does not have.
_OPTIONAL = ("Intake", "Pull")


def _arn(environment: Environment, service: str, place: str) -> list[str]:
    """The ARNs of a place of the record; of a table of Glue also its database and the catalog, which it is part of."""
    config = environment.config
    if place == "*":
        return ["*"]
    name, slash, inside = place.partition("/")
    part, dot, logical_id = name.partition(".")
    if not dot:
        named = place.format(config=config, warehouse_stack=config.stack("Warehouse"))
        return [_ELSEWHERE[service].format(region=config.region, account=config.account, place=named)]
    stack = config.stack(part)
    found = [one for one in environment.resources if (one.stack, one.logical_id) == (stack, logical_id)]
    if not found and part in _OPTIONAL:
        return []
    if not found:
        raise ValueError(f"{place} is in the record and not in {config.name}: run make prove-record")
    arn = environment.arn(found[0])
    if service == "glue" and ":database/" in arn:
        database = arn.rpartition("/")[2]
        glue = arn.partition(":database/")[0]
        return [f"{glue}:catalog", arn, *([f"{glue}:table/{database}/{inside}"] if inside else [])]
    return [f"{arn}{slash}{inside.format(config=config)}"]
