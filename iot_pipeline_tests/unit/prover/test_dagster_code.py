"""Which of Dagster's definitions run where, and that what was recorded of them is found."""

import re

import pytest

from infra.prover.aws_calls import dagster_code
from infra.prover.aws_calls.dagster_code import own_runs
from infra.prover.recorded import read_recorded
from infra.prover.source.client_calls import client_calls, services_of
from infra.prover.source.code import Piece

OWN = {own.role: own for own in own_runs()}


def _sites(process: str) -> set[tuple[str, str]]:
    pieces = _pieces(process)
    return {(f"{call.service}:{call.operation}", call.site) for call in client_calls(pieces, services_of(pieces))}


def _pieces(process: str) -> tuple[Piece, ...]:
    if process == "code":
        return dagster_code._at_ticks()
    return dagster_code._in_runs() if process == "run" else dagster_code._in_own_runs(OWN[process])


def test_the_jobs_with_roles_of_their_own_begin_with_their_own_functions() -> None:
    begun = {role: {name for job in own.jobs for name in dagster_code.functions_of(job)} for role, own in OWN.items()}
    assert begun == {"DAGSTER_REMOVAL_ROLE": {"retention", "erase"}, "DAGSTER_REPLAY_ROLE": {"replay_dead_letters"}}
    with pytest.raises(ValueError, match="names the job nothing"):
        dagster_code.functions_of("nothing")


@pytest.mark.parametrize(
    ("process", "who"),
    [
        ("code", r"iot_pipeline\.defs\.\w+\.(sensors|budget)"),
        ("run", r"iot_pipeline\.defs\.\w+\.assets"),
        ("DAGSTER_REPLAY_ROLE", r"iot_pipeline\.edge\.replay"),
    ],
)
def test_what_was_recorded_is_found(process: str, who: str) -> None:
    recorded = {(row.call, row.site) for row in read_recorded() if re.match(who, row.who)}
    # Athena's statements are pyathena's, which has no client in our code.
    recorded = {row for row in recorded if row[1] != "iot_pipeline.lake.athena:Athena.run"}
    assert recorded
    assert recorded - _sites(process) == set()


def test_each_runs_its_own_alone() -> None:
    calls = {process: {call for call, _ in _sites(process)} for process in ("code", "run", *OWN)}
    assert "sqs:ReceiveMessage" in calls["code"] - calls["run"]
    assert "glue:StartCrawler" in calls["run"] - calls["code"]
    assert "s3:ListObjectVersions" in calls["DAGSTER_REMOVAL_ROLE"] - calls["run"]
    assert "kinesis:PutRecords" in calls["DAGSTER_REPLAY_ROLE"] - calls["run"] - calls["DAGSTER_REMOVAL_ROLE"]
