"""The wheel: holds the engine inside the package, and answers from a folder of the user's own."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ASKED, ROOT, UNANSWERABLE, Pilotfish, write_documents
from tests.test_layout import BELOW

pytestmark = pytest.mark.slow
ENGINE = sorted(set(BELOW) - {"pilotfish"})
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"


def ran(command: list[str | Path], folder: Path, **env: str) -> str:
    """stdout of a command in `folder`; fails with its stderr."""
    clean = Pilotfish(folder, folder / "workspace").environment()
    del clean["PYTHONPATH"]
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=clean | env, capture_output=True, text=True
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the project's own backend, without a network."""
    folder = tmp_path_factory.mktemp("dist")
    name = ran([sys.executable, "-c", BUILD, folder], ROOT).splitlines()[-1]
    return folder / name


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; third parties come from the environment of the tests."""
    home = tmp_path_factory.mktemp("venv")
    ran([sys.executable, "-m", "venv", "--without-pip", home], home)
    packages = next(home.glob("lib/python*/site-packages"))
    ran([sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", "--no-deps",
         "--no-index", "--quiet", wheel], home)  # fmt: skip
    (packages / "third_parties.pth").write_text("\n".join(third_parties()) + "\n")
    return home


def third_parties() -> list[str]:
    """Where the tests' packages lie; their .pth files (an editable pilotfish) are not followed."""
    return [place for place in {sysconfig.get_path("purelib"), *site.getsitepackages()}
            if Path(place).is_dir()]  # fmt: skip


def test_nothing_of_ours_is_installed_at_top_level_but_pilotfish(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pilotfish"}
    for folder in ENGINE:
        assert f"pilotfish/_engine/{folder}/__init__.py" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    data = {"verifiers/weights.json", "pipeline/prices.json", "store/migrations/env.py"}
    assert {f"pilotfish/_engine/{name}" for name in data} <= set(names)


def own_modules(folder: Path) -> Path:
    """A user's folder whose names are ours, each of which fails when it is imported."""
    write_documents(folder / "docs")
    for name in ENGINE:
        if name in {"models", "store"}:
            (folder / f"{name}.py").write_text(f"raise SystemExit('the user\\'s {name}')\n")
        else:
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text(f"raise SystemExit('the user\\'s {name}')\n")
    return folder


def test_the_installed_command_answers_in_a_folder_of_the_same_names(
    installed: Path, tmp_path: Path
) -> None:
    folder = own_modules(tmp_path / "project")
    command = installed / "bin" / "pilotfish"
    where = ran([installed / "bin" / "python", "-c", "import pilotfish; print(pilotfish.__file__)"],
                tmp_path)  # fmt: skip
    assert Path(where.strip()).is_relative_to(installed)
    own = {"PYTHONPATH": str(folder)}
    report = json.loads(ran([command, "--json", "add", "docs"], folder, **own))
    assert len(report["added"]) == 8 and not report["failed"]
    case = json.loads(ran([command, "--json", "ask", ASKED], folder, **own))
    assert "30" in case["answer"]["text"]
    assert "30 days" in case["citations"][0]["quote"]
    module = [installed / "bin" / "python", "-m", "pilotfish.cli.main"]
    case = json.loads(ran([*module, "--json", "ask", UNANSWERABLE], folder))
    assert case["status"] == "abstained"


def test_the_light_package_imports_without_the_engine(installed: Path, tmp_path: Path) -> None:
    code = "import sys, pilotfish; print(*sorted(m.split('.')[0] for m in sys.modules))"
    loaded = set(ran([installed / "bin" / "python", "-c", code], tmp_path).split())
    assert not loaded & {*ENGINE, "torch", "litellm", "sqlalchemy", "numpy"}
    assert os.access(installed / "bin" / "pilotfish", os.X_OK)
