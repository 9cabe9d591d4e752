"""`python -m infra.verdict`: what static checks say of every environment, without an account.

python -m infra.verdict            all environments of environments.toml; 1 if anything is found
python -m infra.verdict FOLDER     one cloud assembly, as `python -m infra.verdict.judged_app` writes it
python -m infra.verdict planted    the planted mistakes, and by which check each is caught; 1 if one is not
python -m infra.verdict quotas     how far the largest environment is towards AWS's quotas
"""

import argparse
import sys
import time
from pathlib import Path

from infra.local.deploy.stacks import DeployError
from infra.stacks.checks import Synthesised
from infra.stacks.sizes import Size
from infra.verdict.assemblies import from_folder, synthesised
from infra.verdict.judging import judge
from infra.verdict.planted.catalogue import MISTAKES
from infra.verdict.planted.mistake import first_places
from infra.verdict.verdict_lines import planted_lines, quota_lines, verdict_lines

_STATE = Path(__file__).resolve().parents[2] / ".local" / "verdict"


def main(arguments: list[str]) -> int:
    """Print what was asked for, and answer with the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.verdict", description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", default="all", help="all, planted, quotas, or the folder of an assembly")
    parser.add_argument("--state", type=Path, default=_STATE, help="folder of what is kept from one time to the next")
    asked = parser.parse_args(arguments)
    try:
        if asked.what in ("all", "planted", "quotas"):
            found = synthesised(asked.state)
        else:
            single = from_folder(Path(asked.what))
            found = {single.config.name: single}
    except (ValueError, DeployError) as error:
        print(error, file=sys.stderr)
        return 2
    if asked.what == "planted":
        return _planted(found)
    if asked.what == "quotas":
        print("\n".join(quota_lines(_largest(found))))
        return 0
    return _verdict(found, asked.state)


def _verdict(found: dict[str, Synthesised], state: Path) -> int:
    started = time.monotonic()
    verdicts = {name: judge(environment, state) for name, environment in found.items()}
    print("\n".join(verdict_lines(verdicts)))
    wrong = sum(len(verdict.findings) for verdict in verdicts.values())
    print(f"\n{'nothing found' if not wrong else f'{wrong} findings'} ({time.monotonic() - started:.1f} s)")
    return 1 if wrong else 0


def _planted(found: dict[str, Synthesised]) -> int:
    results = [(mistake, first_places(mistake, found.values())) for mistake in MISTAKES]
    print("\n".join(planted_lines(results)))
    every = [outcome for _, places in results for outcome in places]
    missed = [outcome for outcome in every if not outcome.caught]
    nowhere = [mistake.says for mistake, places in results if not places]
    print(f"\n{len(MISTAKES)} mistakes at {len(every)} places, {len(missed)} not caught")
    for outcome in missed:
        print(f"not caught: {outcome.mistake.says}, at {outcome.stack} {outcome.resource}")
    for says in nowhere:
        print(f"nowhere to plant: {says}")
    return 1 if missed or nowhere else 0


def _largest(found: dict[str, Synthesised]) -> Synthesised:
    """The environment of the size with every part, in its largest quantities."""
    return next(environment for environment in found.values() if environment.config.size is Size.PRODUCTION)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
