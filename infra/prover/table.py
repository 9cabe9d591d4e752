"""docs/permissions.md: who may do what, and why."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra.iam.one_or_many import listed
from infra.prover.deployed import Environment
from infra.prover.let_in import Entry, entries, trusts
from infra.prover.proof import lines
from infra.prover.proving import Proved

_PREFACE = """# Who may do what on AWS, and why

Made by `make docs` from the templates of every size and from what is called; `make prove` says whether the two agree.
`<name>` is the environment's name. A call is made by our code (the modules that call), or by AWS itself (the page that
says so). Calls of our code are found in its source; what they are on was recorded from a demo and from tests
(`make prove-record`). A line is proved to be needed: without its action, or without the statement, a test fails.
"""
_SERVICES = """## Services of AWS that are let in

By the policies of roles (their trust), keys, buckets, queues, topics and functions; each for this account alone where
the service says for whom it acts.
"""
_HASH = re.compile(r"(?<=[A-Za-z])[0-9A-F]{8}\b")
# The CDK names the file of an asset by the hash of its content, which every change of code changes.
_ASSET = re.compile(r"(?<=-assets/)[0-9a-f]{64}(?=\.)")
_ARN = re.compile(r"arn:aws:([a-z0-9-]+):[a-z0-9-]*:\d*:")


@dataclass(frozen=True)
class Row:
    """A statement of a role: its actions, on what, and why it is there."""

    role: str
    statement: str
    actions: tuple[str, ...]
    on: tuple[str, ...]
    why: tuple[str, ...]


def rows(proved: Proved) -> Iterator[Row]:
    """Every statement of every role of an environment."""
    environment = proved.environment
    for role, needs in proved.roles.items():
        by_statement = defaultdict(list)
        for line in lines(role, needs):
            by_statement[line.statement].append(line)
        for title, made in by_statement.items():
            whys = {shown_why(need.why) for line in made for need in line.needs}
            yield Row(
                shown(role.name, environment),
                title,
                tuple(dict.fromkeys(line.action for line in made)),
                tuple(sorted({shown(line.resource, environment) for line in made})),
                tuple(sorted(whys)),
            )
        for number, statement in enumerate(role.statements):
            if statement["Effect"] == "Deny":
                title, denied = f"{role.title(number)} (denied)", tuple(listed(statement["Action"]))
                yield Row(shown(role.name, environment), title, denied, ("*",), ())
        for name in role.managed:
            whys = {shown_why(need.why) for need in needs}
            yield Row(shown(role.name, environment), name, ("AWS's own policy",), ("*",), tuple(sorted(whys)))


def page(proved: Iterable[Proved]) -> str:
    """The whole page, of one environment a size."""
    sizes: dict[Row, list[str]] = defaultdict(list)
    let_in: dict[tuple[str, ...], list[str]] = defaultdict(list)
    unproved: dict[str, str] = {}
    for each in proved:
        unproved |= {shown(name, each.environment): why for name, why in each.unproved.items()}
        size = each.environment.config.size.value
        for row in rows(each):
            sizes[row].append(size)
        for key in dict.fromkeys(_entries(each)):
            let_in[key].append(size)
    tables = [*_role_tables(sizes), *_unproved(unproved), _SERVICES, *_service_table(let_in)]
    return "\n".join([_PREFACE, *tables, ""])


def _role_tables(sizes: Mapping[Row, Sequence[str]]) -> Iterator[str]:
    by_role: dict[str, list[Row]] = defaultdict(list)
    for row in sizes:
        by_role[row.role].append(row)
    for role, own in sorted(by_role.items()):
        yield f"## {role}\n"
        yield "| Statement | Actions | On | Why | Sizes |\n|---|---|---|---|---|"
        for row in own:
            cells = (row.statement, _code(row.actions), _code(row.on), "; ".join(row.why), ", ".join(sizes[row]))
            yield f"| {' | '.join(cells)} |"
        yield ""


def _unproved(roles: Mapping[str, str]) -> Iterator[str]:
    """The roles of which nothing above says anything."""
    if roles:
        yield "## Roles that are not proved\n\n| Role | Why |\n|---|---|"
        yield from (f"| {role} | {why} |" for role, why in sorted(roles.items()))
        yield ""


def _service_table(let_in: Mapping[tuple[str, ...], Sequence[str]]) -> Iterator[str]:
    yield "| What | Service | Actions | For | Why | Sizes |\n|---|---|---|---|---|---|"
    for (at, service, actions, source, why), sizes in sorted(let_in.items()):
        yield f"| `{at}` | {service} | {actions} | {source} | {why} | {', '.join(sizes)} |"


def _entries(proved: Proved) -> Iterator[tuple[str, ...]]:
    made = proved.environment
    found = [entry for role in proved.roles for entry in trusts(made, role)] + entries(made)
    together: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for entry in found:
        together[(shown(entry.at, made), entry.service, entry.why)].append(entry)
    for (at, service, why), same in sorted(together.items()):
        actions = ", ".join(f"`{action}`" for action in sorted({entry.action for entry in same}))
        kinds = sorted({_kind(entry.source) for entry in same})
        yield at, service, actions, ", ".join(kinds), why


def _kind(arn: str) -> str:
    service, resource = arn.split(":")[2], arn.split(":", 5)[5]
    kind = re.split("[:/]", resource)[0]
    return f"{service} {kind}" if kind != resource else service


def shown(text: str, environment: Environment) -> str:
    """A name or ARN without account, region and the hashes of CloudFormation and of assets, and with `<name>` for the
    environment's.

    Of a key its alias.
    """
    config = environment.config
    for alias in environment.of_type("AWS::KMS::Alias"):
        key = alias.properties["TargetKeyId"].rpartition("/")[2]
        text = text.replace(f"key/{key}", alias.properties["AliasName"])
    text = text.replace(f"-{config.account}-{config.region}", "")
    text = _ARN.sub(r"\1:", text)
    # Of a role's name the stack's part is kept; what CloudFormation names is told by its own part alone.
    text = re.sub(rf"(?<![A-Za-z]){config.name.capitalize()}(?=[A-Z][A-Za-z]*/)", "", text)
    text = re.sub(rf"(?<![A-Za-z]){config.name.capitalize()}[A-Z][A-Za-z]*-(?=[A-Z])", "", text)
    text = re.sub(rf"(?<![a-z]){config.name}(?![a-z])", "<name>", text)
    text = re.sub(rf"(?<![a-z]){config.name.capitalize()}(?=[A-Z])", "<Name>", text)
    return _HASH.sub("", _ASSET.sub("<hash>", text))


def shown_why(why: str) -> str:
    """A module for a place in the code, or a page with its action."""
    page = re.sub(r"^[a-z0-9]+:[A-Za-z]+: ", "", why)
    module, colon, _ = page.partition(":")
    return f"`{module}`" if colon and re.fullmatch(r"[a-z_.]+", module) else page


def _code(texts: Sequence[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)
