from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNS = "def test_runs() -> None: assert True\n"
SKIPS = "import pytest\n@pytest.mark.skip(reason='no such program')\ndef test_skips() -> None: assert False\n"


@pytest.mark.parametrize(
    ("code", "require_all", "status"), [(RUNS + SKIPS, "1", 1), (RUNS + SKIPS, "", 0), (RUNS, "1", 0)]
)
def test_a_skipped_test_fails_the_run_where_all_are_required(
    tmp_path: Path, code: str, require_all: str, status: int
) -> None:
    (tmp_path / "test_one.py").write_text(code)
    options = ["-p", "no:cacheprovider", "-c", "pyproject.toml", "--rootdir", str(ROOT), "--confcutdir", str(ROOT)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-p", "conftest", str(tmp_path / "test_one.py")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), "ZOETROPE_REQUIRE_ALL": require_all},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert ("this run failed" in done.stdout) == bool(status)
    assert " passed" in done.stdout.splitlines()[-1]
