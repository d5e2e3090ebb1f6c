"""scripts/setup.sh as a newcomer meets it; pip itself is replaced by a program that writes down how it was called."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Setup = Callable[..., subprocess.CompletedProcess[str]]

# A Python that knows enough for the script: its version, its modules, its machine, how to make a folder with itself in
# it, and how to be pip.
PYTHON = """#!/bin/sh
case "$*" in
*version_info*) exit {old} ;;
*ensurepip*) exit {no_venv} ;;
*platform*) echo "{machine}" ;;
*"import pip"*) exit 0 ;;
-V) echo "Python 3.11.0" ;;
*"-m venv"*) mkdir -p .venv/bin && ln -sf "$0" .venv/bin/python ;;
*"-m pip"*)
    echo "$*" >> pip.log
    case "$*" in
    *--index-url*) exit {no_cpu_index} ;;
    *--editable*) : > .venv/bin/zoetrope; chmod +x .venv/bin/zoetrope; exit {no_network} ;;
    esac ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of the repository as setup looks at, and an empty folder of programs."""
    folder = tmp_path / "clone"
    (folder / "scripts").mkdir(parents=True)
    for name in ("scripts/setup.sh", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "bin").mkdir()
    return folder


@pytest.fixture
def setup(clone: Path) -> Setup:
    """Run the script with a `python3` that behaves as told."""

    def run(*, programs: tuple[str, ...] = ("python3",), **behaviour: object) -> subprocess.CompletedProcess[str]:
        told = {"old": 0, "no_venv": 0, "machine": "Linux x86_64", "no_cpu_index": 0, "no_network": 0, **behaviour}
        for name in programs:
            program = clone / "bin" / name
            program.write_text(PYTHON.format(**told) if name.startswith("python") else "#!/bin/sh\n")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        tools = ("sh", "dirname", "cat", "cksum", "uname", "rm", "mkdir", "ln", "chmod")
        for tool in tools:
            found = shutil.which(tool)
            assert found is not None
            if not (clone / "bin" / tool).exists():
                (clone / "bin" / tool).symlink_to(found)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHON"}
        return subprocess.run(
            ["sh", str(clone / "scripts" / "setup.sh"), ".venv"],
            env={**environment, "PATH": str(clone / "bin")},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def pip_calls(clone: Path) -> list[str]:
    log = clone / "pip.log"
    return log.read_text().splitlines() if log.exists() else []


def test_every_installation_heeds_the_pins(clone: Path, setup: Setup) -> None:
    done = setup()
    assert done.returncode == 0, done.stderr
    calls = pip_calls(clone)
    assert calls
    assert [call for call in calls if "-c constraints.txt" not in call] == []
    assert calls[-1].endswith("--editable .[dev]")


def test_the_second_time_nothing_is_installed(clone: Path, setup: Setup) -> None:
    setup()
    calls = pip_calls(clone)
    second = setup()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert pip_calls(clone) == calls


def test_a_changed_pin_is_brought_up_to_date(clone: Path, setup: Setup) -> None:
    setup()
    with (clone / "constraints.txt").open("a") as pins:
        pins.write("# changed\n")
    assert "up to date" in setup().stderr
    assert len([call for call in pip_calls(clone) if "--editable" in call]) == 2


def test_an_interrupted_setup_is_not_taken_for_done(clone: Path, setup: Setup) -> None:
    failed = setup(no_network=1)
    assert failed.returncode == 1
    assert "The dependencies could not be installed" in failed.stderr
    assert setup().returncode == 0
    assert len([call for call in pip_calls(clone) if "--editable" in call]) == 2


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="only Linux has builds of torch to choose from")
@pytest.mark.skipif(Path("/proc/driver/nvidia/version").exists(), reason="this machine has an NVIDIA driver")
def test_without_a_driver_the_cpu_build_is_tried_first_and_its_absence_is_no_failure(clone: Path, setup: Setup) -> None:
    done = setup(no_cpu_index=1)
    assert done.returncode == 0
    first, second = pip_calls(clone)
    assert "--retries 0" in first
    assert first.endswith("--index-url https://download.pytorch.org/whl/cpu torch")
    assert "--index-url" not in second


def test_with_a_driver_only_the_default_index_is_asked(clone: Path, setup: Setup) -> None:
    setup(programs=("python3", "nvidia-smi"))
    assert len(pip_calls(clone)) == 1


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ({"old": 1}, "needs Python 3.11 or newer"),
        ({"no_venv": 1}, "has no venv module"),
        ({"machine": "Darwin x86_64"}, "Macs with Intel processors"),
        ({"programs": ()}, "needs Python 3.11 or newer"),
    ],
)
def test_what_is_missing_is_one_sentence(clone: Path, setup: Setup, behaviour: dict[str, object], words: str) -> None:
    done = setup(**behaviour)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert pip_calls(clone) == []


def test_a_python_with_another_name_is_found(clone: Path, setup: Setup) -> None:
    assert setup(programs=("python3.12",)).returncode == 0
    assert pip_calls(clone) != []
