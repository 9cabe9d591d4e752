"""The packages of Lambda functions: what they hold, and that the same sources give the same bytes."""

import ast
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.stacks.bundles import BUNDLES, EDGE, Bundle, built, requirements, zipped
from iot_pipeline_tests.support.templates import assembly, of_type, template


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_the_same_sources_give_the_same_package(bundle: Bundle, tmp_path: Path) -> None:
    with built(bundle) as folder:
        first = zipped(folder)
        for path in folder.rglob("*"):
            os.utime(path, (0, 1_000_000_000))
            path.chmod(0o700)
        assert zipped(folder) == first
    with built(bundle) as folder:
        assert zipped(folder) == first
        shutil.copytree(folder, tmp_path / "changed")
    next(path for path in (tmp_path / "changed").rglob("*.py")).write_text("x = 1")
    assert zipped(tmp_path / "changed") != first
    assert {Path(name).suffix for name in zipfile.ZipFile(io.BytesIO(first)).namelist()} == {".py"}


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_a_package_holds_every_module_of_ours_that_it_imports(bundle: Bundle) -> None:
    with built(bundle) as folder:
        missing = {
            f"{path.relative_to(folder)} imports {name}"
            for path in folder.rglob("*.py")
            for name in _imported(path)
            if not any((folder / name.replace(".", "/")).with_suffix(suffix).exists() for suffix in ("", ".py"))
        }
    assert missing == set()


def _imported(path: Path) -> Iterator[str]:
    """The modules of the product that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
        yield from (name for name in names if name.partition(".")[0] == "iot_pipeline")


def test_the_edge_judges_from_its_package_alone(tmp_path: Path) -> None:
    with built(EDGE) as folder:
        (tmp_path / "edge.zip").write_bytes(zipped(folder))
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'edge.zip')!r})\n"
        "from iot_pipeline.contract.judge import Judge\n"
        "print(Judge().line(b'hello')[0].outcome)"
    )
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "malformed_json\n"


def test_an_extra_names_its_requirements(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\n[project.optional-dependencies]\nedge = ["orjson"]\n'
    )
    assert requirements("edge", tmp_path) == ["orjson"]
    with pytest.raises(KeyError, match="console"):
        requirements("console", tmp_path)


def test_the_claim_hook_is_a_packaged_function() -> None:
    (hook,) = of_type(template("TelemetryIngest"), "AWS::Lambda::Function").values()
    key = hook["Properties"]["Code"]["S3Key"]
    folder = assembly() / f"asset.{key.removesuffix('.zip')}"
    module, _, function = hook["Properties"]["Handler"].partition(".")
    assert f"def {function}(" in (folder / f"{module}.py").read_text()
