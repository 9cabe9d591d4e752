"""`infra/environments.toml`: what it may say, and the sentence that a mistake in it is answered with."""

from pathlib import Path

import pytest

from infra.stacks.environments import environment, environments, from_process
from infra.stacks.sizes import PARTS, Size


def written(folder: Path, text: str) -> Path:
    file = folder / "environments.toml"
    file.write_text(text)
    return file


def test_every_environment_of_the_file_is_valid_and_every_size_is_in_it() -> None:
    found = {name: environment(name) for name in environments()}
    assert {config.size for config in found.values()} == set(Size) == set(PARTS)
    assert all(config.name == name for name, config in found.items())


def test_environments_do_not_overlap_where_they_could_be_peered() -> None:
    ranges = [c.vpc_cidr for c in map(environment, environments()) if c.parts.databases]
    assert len(set(ranges)) == len(ranges)


def test_a_quantity_of_the_file_wins_over_the_size_s(tmp_path: Path) -> None:
    file = written(tmp_path, '[big]\nsize = "production"\nregistry_max_acu = 64\nzones = ["b", "c", "d"]\n')
    config = environment("big", file)
    assert (config.registry_max_acu, config.registry_backup_days, config.zones) == (64, 35, ("b", "c", "d"))
    assert environment("unlisted", file).size is Size.TEAM


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a1\n", "environments.toml: "),
        ("size = 1\n", "stands outside any environment"),
        ('[dev]\nsize = "huge"\n', r"\[dev\] size = 'huge': expected one of prototype, team, production"),
        ("[dev]\nregistry_acu = 1\n", r"\[dev\] registry_acu: there is no such setting"),
        ('[dev]\nname = "b"\n', r"\[dev\] name: there is no such setting"),
        ('[dev]\nlog_days = "90"\n', r"\[dev\] log_days = '90': expected int"),
        ("[dev]\nlog_days = true\n", r"\[dev\] log_days = True: expected int"),
        ("[dev]\nedge_fan_out = 1\n", r"\[dev\] edge_fan_out = 1: expected bool"),
        ('[dev]\nzones = "abc"\n', r"\[dev\] zones = 'abc': expected a list of texts"),
        ("[dev]\nlateness_days = 0\n", r"\[dev\] lateness_days must be above 0"),
        ('[dev]\nzones = ["a", "c"]\n', r"\[dev\] zones = \('a', 'c'\): expected at least 3 .* size prototype"),
        ('[dev]\nzones = ["a", "b", "a"]\n', r"\[dev\] zones = .*each once"),
        ('[dev]\naccount_guards = ["macie"]\n', r"\[dev\] account_guards: there is no macie; there are management-"),
    ],
)
def test_a_mistake_is_answered_with_where_it_stands(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        environment("dev", written(tmp_path, text))


def test_the_process_s_variables_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = written(tmp_path, '[dev]\nsize = "production"\naccount = "111122223333"\n')
    monkeypatch.setenv("IOT_ENVIRONMENT", "dev")
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "444455556666")
    monkeypatch.setenv("CDK_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("IOT_SIZE", "prototype")
    config = from_process(file)
    assert (config.size, config.region) == (Size.PROTOTYPE, "us-east-1")
    assert config.account == "111122223333", "an environment's account is the file's, whoever deploys"
    for variable, text, expected in (
        ("IOT_LATENESS_DAYS", "soon", "a number"),
        ("IOT_SIZE", "huge", "one of prototype, team, production"),
        ("IOT_EDGE_FAN_OUT", "yes", "one of true, 1, false, 0"),
    ):
        with monkeypatch.context() as said:
            said.setenv(variable, text)
            with pytest.raises(ValueError, match=f"{variable}='{text}': expected {expected}"):
                from_process(file)


def test_another_size_by_its_variable_has_no_producers_without_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [producer.name for producer in from_process().producers] == ["gateway"]
    monkeypatch.setenv("IOT_SIZE", "prototype")
    assert from_process().producers == ()
    monkeypatch.setenv("IOT_SIZE", "production")
    assert [producer.name for producer in from_process().producers] == ["gateway"]
