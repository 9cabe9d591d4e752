"""Rules as data: what is taken, what is refused and with which words, and which of several holds."""

import pytest

from iot_pipeline.alerting.device_rules import Override, RuleError, RuleSet, compiled, parsed
from iot_pipeline.alerting.rule_kinds import KINDS
from iot_pipeline.contract import METRICS


def _override(number: int, scope: dict[str, str], **parameters: float | None) -> Override:
    return Override(number, "range", "temperature", scope, parameters)


def test_the_narrowest_override_wins_and_among_equals_the_newest() -> None:
    rules = RuleSet(
        1,
        (
            _override(5, {"device": "d1"}, warning_above=10.0),
            _override(1, {"tenant": "acme"}, warning_above=40.0, warning_below=-5.0),
            _override(2, {"tenant": "acme", "site": "bern"}, warning_above=30.0),
            _override(3, {"model": "m1"}, warning_above=20.0),
            _override(4, {"model": "m1"}, warning_above=21.0),
        ),
        models={"d2": "m1"},
    )

    def above(tenant: str, site: str, device: str) -> float:
        return rules.of(tenant, site, device).metrics["temperature"].warning_above

    assert above("other", "bern", "d9") == float("inf")
    assert above("acme", "basel", "d9") == 40
    assert above("acme", "bern", "d9") == 30
    assert above("acme", "bern", "d2") == 21
    assert above("acme", "bern", "d1") == 10
    assert rules.of("acme", "bern", "d1").metrics["temperature"].warning_below == -5
    assert rules.of("acme", "basel", "d8") is rules.of("acme", "basel", "d9")


def test_a_document_says_what_it_was_made_of() -> None:
    rules = RuleSet(7, (_override(1, {"tenant": "acme"}, warning_above=None),), {"d1": "m"}, frozenset(["d2"]))
    read = parsed(rules.document())
    assert (read.version, read.overrides, read.models, read.retired) == (
        7,
        rules.overrides,
        rules.models,
        rules.retired,
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 1, "overrides": [{}], "models": {}, "retired": [], "intervals": {}}']
)
def test_a_document_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RuleError, match="no document of rules"):
        parsed(text)


@pytest.mark.parametrize(
    ("rule", "metric", "scope", "parameters", "words"),
    [
        ("heat", "", {"tenant": "a"}, {"x": 1}, "no rule is called 'heat'; there are range, rate"),
        ("range", "co2", {"tenant": "a"}, {"warning_above": 1}, "expected one of the metrics temperature"),
        ("silence", "humidity", {"tenant": "a"}, {"minutes": 1}, "for a device as a whole"),
        ("range", "humidity", {}, {"warning_above": 1}, "at least one of tenant, site, model, device"),
        ("range", "humidity", {"site": "bern"}, {"warning_above": 1}, "needs its tenant"),
        ("range", "humidity", {"tenant": ""}, {"warning_above": 1}, "expected a name"),
        ("range", "humidity", {"tenant": "a"}, {}, "no parameter is set"),
        ("range", "humidity", {"tenant": "a"}, {"above": 1}, "no parameter 'above'; it has warning_below"),
        ("range", "humidity", {"tenant": "a"}, {"warning_above": "1"}, "expected a number, got '1'"),
        ("range", "humidity", {"tenant": "a"}, {"warning_above": True}, "expected a number, got True"),
        ("range", "humidity", {"tenant": "a"}, {"warning_above": float("nan")}, "expected a number, got nan"),
        ("stuck", "humidity", {"tenant": "a"}, {"minutes": None}, "expected a number, got None"),
        ("stuck", "humidity", {"tenant": "a"}, {"minutes": 0}, "expected 0.01 to 10080 min, got 0"),
        ("stuck", "humidity", {"tenant": "a"}, {"severity": 1.5}, "expected 0 (off), 1 (warning) or 2 (critical)"),
    ],
)
def test_what_is_refused_says_what_was_expected(
    rule: str, metric: str, scope: dict[str, str], parameters: dict[str, float | None], words: str
) -> None:
    with pytest.raises(RuleError) as refused:
        Override(1, rule, metric, scope, parameters)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"warning_above": 10.0, "warning_below": 20.0}, "no value breaks no limit"),
        ({"warning_above": 20.0, "warning_below": 10.0, "clear_margin": 6.0}, "leaves no value that is clear"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(parameters: dict[str, float | None], words: str) -> None:
    with pytest.raises(RuleError) as refused:
        compiled([_override(1, {"tenant": "a"}, **parameters)])
    assert words in str(refused.value)


def test_the_defaults_take_every_metric_of_the_contract_and_keep_to_their_own_bounds() -> None:
    assert set(compiled([]).metrics) == {metric.name for metric in METRICS}
    for kind in KINDS.values():
        for metric in kind.metrics or ("",):
            for parameter in kind.parameters:
                value = kind.default(metric, parameter.name)
                assert (
                    value is None
                    if parameter.optional and value is None
                    else (value is not None and parameter.minimum <= value <= parameter.maximum)
                ), (kind.name, metric, parameter.name)


def test_rules_that_contradict_each_other_are_in_force_nowhere_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rules = RuleSet(
        1, (_override(1, {"tenant": "a"}, warning_above=10.0), _override(2, {"device": "d"}, warning_below=20.0))
    )
    assert rules.of("a", "s", "d") == compiled(())
    assert rules.of("a", "s", "e").metrics["temperature"].warning_above == 10
    assert "Device d has its rules by default: (1, 2) contradict each other" in caplog.text
