"""Jobs over any set of hours: what they report, and what their sensors and sweeps ask for."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg
import pytest

from iot_pipeline.defs.scattered_hours import (
    FAILED_RUNS_REMEMBERED,
    Built,
    ScatteredHours,
    hours_of_failed_runs,
    in_turn,
    report,
    request_news,
    request_swept,
    requested_hours,
    run_request,
)
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import hours, hours_of, partition_key

WATCHED, BUILT = dg.AssetKey("watched"), dg.AssetKey("built")
FIRST = Hour(datetime(2026, 3, 1, 12, tzinfo=UTC))
SCATTERED = [FIRST, FIRST + 400, FIRST + 401]
OUTSIDE = Hour(datetime(2020, 2, 2, 12, tzinfo=UTC))


class Books(dg.ConfigurableResource[None]):
    """Whether the checks of the job below pass."""

    balance: bool = True


@dg.op
def build_any(context: dg.OpExecutionContext, config: ScatteredHours, books: Books) -> None:
    """Report hours as built, and two checks, of which one may fail."""
    report(
        context,
        Built(
            [dg.AssetMaterialization(BUILT, partition=key) for key in config.hours],
            [
                dg.AssetCheckResult(asset_key=BUILT, check_name="unique", passed=True),
                dg.AssetCheckResult(
                    asset_key=BUILT, check_name="balance", passed=books.balance, description="2 are missing"
                ),
            ],
            {"rows": 7},
        ),
    )


@dg.job
def build_anything() -> None:
    build_any()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance on disk, since the contexts of schedules refuse any other."""
    with dg.instance_for_test() as opened:
        yield opened


def execute(instance: dg.DagsterInstance, wanted: Sequence[Hour], *, balance: bool) -> dg.ExecuteInProcessResult:
    """Do the run that is requested for these hours."""
    return build_anything.execute_in_process(
        run_request(build_any, wanted).run_config,
        instance=instance,
        resources={"books": Books(balance=balance)},
        raise_on_error=False,
    )


def evaluations(instance: dg.DagsterInstance) -> dict[str, bool]:
    """The check evaluations that the instance has kept."""
    filtered = dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    events = [record.event_log_entry.dagster_event for record in instance.get_event_records(filtered, limit=10)]
    checks = [event.asset_check_evaluation_data for event in events if event]
    return {check.check_name: check.passed for check in checks}


def test_a_run_builds_hours_however_far_apart_and_reports_each_once(instance: dg.DagsterInstance) -> None:
    assert execute(instance, SCATTERED, balance=True).success
    assert instance.get_runs_count() == 1
    assert hours_of(instance.get_materialized_partitions(BUILT)) == SCATTERED
    assert evaluations(instance) == {"unique": True, "balance": True}


def test_a_failed_check_fails_the_run_and_is_kept_and_no_hour_counts_as_built(instance: dg.DagsterInstance) -> None:
    result = execute(instance, SCATTERED, balance=False)
    assert not result.success
    failure = result.failure_data_for_node(build_any.name)
    assert failure
    assert failure.user_failure_data
    assert failure.user_failure_data.description == "checks failed: balance: 2 are missing"
    assert instance.get_materialized_partitions(BUILT) == set()
    assert evaluations(instance) == {"unique": True, "balance": False}


def test_what_is_requested_can_be_read_back() -> None:
    assert requested_hours(run_request(build_any, SCATTERED)) == SCATTERED


class Watch:
    """The ticks of a sensor that finds some hours stale."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.stale: set[Hour] = set()
        self.cursor: str | None = None

    def tick(self) -> list[Hour]:
        """Evaluate once; the hours that are asked for."""
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        result = request_news(context, WATCHED, build_any, lambda found: [hour for hour in found if hour in self.stale])
        if not isinstance(result, dg.SensorResult):
            return []
        self.cursor = result.cursor
        return [hour for request in result.run_requests or [] for hour in requested_hours(request)]

    def materialize(self, *wanted: Hour) -> None:
        """Tell of these hours."""
        for hour in wanted:
            self.instance.report_runless_asset_event(dg.AssetMaterialization(WATCHED, partition=partition_key(hour)))


def test_news_are_asked_for_once_and_only_those_that_are_stale(instance: dg.DagsterInstance) -> None:
    watch = Watch(instance)
    assert watch.tick() == []
    watch.stale = {SCATTERED[0], SCATTERED[2]}
    watch.materialize(*SCATTERED, SCATTERED[0])
    assert [watch.tick(), watch.tick()] == [[SCATTERED[0], SCATTERED[2]], []]
    watch.materialize(SCATTERED[1])
    assert watch.tick() == [], "it is up to date"
    watch.materialize(SCATTERED[2])
    assert watch.tick() == [SCATTERED[2]]


def test_an_hour_without_partition_is_left_out_and_does_not_stop_the_others(instance: dg.DagsterInstance) -> None:
    watch = Watch(instance)
    watch.stale = {OUTSIDE, FIRST}
    assert not hours.has_partition_key(partition_key(OUTSIDE))
    watch.materialize(OUTSIDE, FIRST)
    assert watch.tick() == [FIRST]


def swept(instance: dg.DagsterInstance, stale: Sequence[Hour]) -> list[Hour] | str | None:
    """What a sweep asks for, or why it asks for nothing."""
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=FIRST.start) as context:
        result = request_swept(context, build_anything, build_any, lambda: stale)
    return requested_hours(result) if isinstance(result, dg.RunRequest) else result.skip_message


def test_a_sweep_asks_for_what_is_stale_unless_a_run_may_be_building_it(instance: dg.DagsterInstance) -> None:
    assert swept(instance, []) == "every hour looked at is up to date"
    assert swept(instance, [OUTSIDE, *SCATTERED]) == SCATTERED
    run = instance.create_run_for_job(build_anything, run_config=run_request(build_any, SCATTERED).run_config)
    assert (
        swept(instance, SCATTERED) == "a run of build_anything is unfinished; what it leaves is found by the next sweep"
    )
    instance.report_run_canceled(run)
    assert swept(instance, SCATTERED) == SCATTERED


NOW = Hour(datetime(2026, 11, 28, 15, tzinfo=UTC))


@pytest.mark.parametrize("span", [0, 1, 5, 17, 18, 24, 100, 24 * 31, 24 * 366])
def test_every_hour_has_its_turn_and_no_sweep_looks_at_more_than_a_day(span: int) -> None:
    first = NOW + -span
    sweeps = 64 if span <= 24 * 31 else 512
    # The history grows by an hour from one sweep to the next.
    looked_at = [in_turn(first, NOW + n) for n in range(sweeps)]
    assert {first + n for n in range(span + 1)} <= {hour for hours in looked_at for hour in hours}
    assert max(len(hours) for hours in looked_at) <= 24
    assert all({NOW + n + -age for age in range(6)} & {*hours} for n, hours in enumerate(looked_at))
    assert all(first <= hour <= NOW + n for n, hours in enumerate(looked_at) for hour in hours)


def test_every_hour_of_a_window_that_moves_has_its_turn_before_it_leaves() -> None:
    age = 24 * 30
    looked_at = {hour for n in range(age) for hour in in_turn(NOW + (n - age), NOW + n)}
    assert {NOW + -n for n in range(age - 64)} <= looked_at


def failing_run(instance: dg.DagsterInstance, hours: object) -> None:
    """A run of the job with this list in its configuration, that failed."""
    config = {"ops": {build_any.name: {"config": {"hours": hours}}}}
    run = instance.create_run_for_job(build_anything, run_config=config)
    instance.report_run_failed(run)


@pytest.fixture
def schedule_context(instance: dg.DagsterInstance) -> Iterator[dg.ScheduleEvaluationContext]:
    """The context of a sweep that is evaluated now."""
    with dg.build_schedule_context(instance, scheduled_execution_time=datetime.now(UTC)) as context:
        yield context


def failed_hours(context: dg.ScheduleEvaluationContext) -> list[Hour]:
    return hours_of_failed_runs(context, {build_anything: build_any})


def test_a_sweep_knows_what_failed_runs_should_have_built(
    instance: dg.DagsterInstance, schedule_context: dg.ScheduleEvaluationContext
) -> None:
    assert failed_hours(schedule_context) == []
    execute(instance, SCATTERED[:1], balance=True)
    assert failed_hours(schedule_context) == [], "a run that succeeded has built what it should"
    execute(instance, SCATTERED[1:], balance=False)
    assert failed_hours(schedule_context) == SCATTERED[1:]


@pytest.mark.parametrize(
    "hours", [["xx"], [""], ["2026-02-30-12:00"], [partition_key(OUTSIDE)], [{"env": "SOME_HOUR"}], []], ids=str
)
def test_a_failed_run_that_a_person_configured_wrongly_stops_no_sweep(
    instance: dg.DagsterInstance,
    schedule_context: dg.ScheduleEvaluationContext,
    hours: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_HOUR", "any")
    failing_run(instance, hours)
    failing_run(instance, [partition_key(FIRST)])
    assert failed_hours(schedule_context) == [FIRST]


def test_a_run_that_failed_long_ago_is_left_to_the_turns(instance: dg.DagsterInstance) -> None:
    failing_run(instance, [partition_key(FIRST)])
    with dg.build_schedule_context(
        instance, scheduled_execution_time=datetime.now(UTC) + FAILED_RUNS_REMEMBERED * 2
    ) as context:
        assert failed_hours(context) == []
