"""The verdict, the planted mistakes and the quotas as text."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from infra.stacks.checks import Finding, Synthesised
from infra.stacks.checks.quotas import Reaching, reaching
from infra.verdict.judging import Verdict
from infra.verdict.planted.mistake import Mistake, Outcome

_COLUMNS = ("environment", "size", "stacks", "resources", "findings", "accepted")


def verdict_lines(verdicts: Mapping[str, Verdict]) -> Iterator[str]:
    """A row an environment, then every finding, then what was accepted and why."""
    rows = [
        (
            name,
            verdict.environment.config.size.value,
            len(verdict.environment.templates),
            sum(1 for _ in verdict.environment.resources),
            len(verdict.findings),
            len(verdict.acknowledgements),
        )
        for name, verdict in verdicts.items()
    ]
    yield from _table(_COLUMNS, rows)
    for name, verdict in verdicts.items():
        yield from (f"{name}: {_line(finding)}" for finding in verdict.findings)
    yield ""
    yield "accepted, in how many places, why:"
    places: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for name, verdict in verdicts.items():
        for accepted in verdict.acknowledgements:
            places[accepted.family, accepted.reason][name] += 1
    for (rule, reason), where in sorted(places.items()):
        yield f"  {max(where.values()):2} x {rule}: {reason}"


def planted_lines(results: Iterable[tuple[Mistake, list[Outcome]]]) -> Iterator[str]:
    """A row a mistake, as Markdown: where it was planted, how often its check has found it, by which check."""
    yield "| Mistake | Places | Caught | By |"
    yield "|---|---:|---:|---|"
    for mistake, outcomes in results:
        caught = sum(outcome.caught for outcome in outcomes)
        yield f"| {mistake.says} | {len(outcomes)} | {caught} | `{mistake.check}` |"


def quota_lines(environment: Synthesised) -> Iterator[str]:
    """A row a quota, as Markdown: the resource that is nearest to it, how near, and the page that the limit is from."""
    nearest: dict[str, Reaching] = {}
    for found in reaching(environment):
        if found.quota.name not in nearest or found.reached > nearest[found.quota.name].reached:
            nearest[found.quota.name] = found
    yield "| Quota | AWS takes | Reached | By | Page |"
    yield "|---|---:|---:|---|---|"
    for found in sorted(nearest.values(), key=lambda f: -f.reached / f.quota.limit):
        at = f"{found.stack} {found.resource}"
        yield f"| {found.quota.name} | {found.quota.limit:,} | {found.reached:,} | {at} | {found.quota.page} |"


def _line(finding: Finding) -> str:
    return f"{finding.check}: {finding.stack} {finding.resource}: {finding.problem}"


def _table(columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> Iterator[str]:
    texts = [columns, *(tuple(map(str, row)) for row in rows)]
    widths = [max(len(text[i]) for text in texts) for i in range(len(columns))]
    for text in texts:
        yield "  ".join(cell.ljust(width) for cell, width in zip(text, widths, strict=True)).rstrip()
