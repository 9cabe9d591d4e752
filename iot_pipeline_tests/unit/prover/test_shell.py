"""The commands of the delivery's builds, as a shell would run them."""

from pathlib import Path

import pytest

from infra.prover.source import shell
from infra.prover.source.shell import UNKNOWN, Shell, build_commands, recipe

SCRIPT = """
set -eu
# aws s3 rb s3://never
registry="$(aws sts get-caller-identity --query Account).dkr.example.com"
for image in dagster console; do
  for environment in $ENVIRONMENTS; do
    repository="$registry/$environment/$image"
    if ! aws ecr describe-images --repository-name "$environment/$image" >/dev/null 2>&1; then
      docker push "$repository:latest" | tee log
    fi
  done
  case "$image" in
    dagster) export DIGEST=1 ;;
  esac
done
"""


def _run(text: str, **variables: str) -> Shell:
    made = Shell({name: (value,) for name, value in variables.items()})
    made.run(text, "build.sh")
    return made


def test_a_variable_stands_for_all_its_values_and_what_is_printed_for_nothing_known() -> None:
    made = _run(SCRIPT, ENVIRONMENTS="staging production")
    words = [command.words for command in made.commands]
    assert ("aws", "sts", "get-caller-identity", "--query", "Account") in words
    pushed = {command[2] for command in words if command[:2] == ("docker", "push")}
    places = {f"{e}/{i}" for e in ("staging", "production") for i in ("dagster", "console")}
    assert pushed == {f"{UNKNOWN}.dkr.example.com/{place}:latest" for place in places}
    assert {command[4] for command in words if command[1] == "ecr"} == places
    assert made.variables["DIGEST"] == ("1",)


def test_comments_patterns_and_redirections_are_no_commands() -> None:
    programs = {command.words[0] for command in _run(SCRIPT, ENVIRONMENTS="staging").commands}
    assert programs == {"set", "aws", "docker", "tee"}
    (only,) = _run("echo gone >&2 2>/dev/null", ENVIRONMENTS="").commands
    assert only.words == ("echo", "gone")


def test_a_substitution_without_its_end_is_refused() -> None:
    with pytest.raises(ValueError, match="without its end"):
        _run('x="$(aws s3 ls"')


def test_make_is_its_targets_recipe_with_the_values_it_is_given() -> None:
    commands, _ = build_commands(".ci/delivery/services.yml", {"IOT_ENVIRONMENT": "staging"})
    assert any(
        command.words == ("python", "-m", "infra.deploy_to_aws", "staging", "--part", "all") for command in commands
    )


def test_a_target_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(ValueError, match="make nothing: the Makefile has no such target"):
        recipe("nothing")


def test_a_file_that_is_no_buildspec_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "none.yml").write_text("- a\n")
    monkeypatch.setattr(shell, "REPOSITORY", tmp_path)
    with pytest.raises(ValueError, match="is no buildspec"):
        build_commands("none.yml", {})
