"""Every script of `examples/failure` runs by itself and prints what `docs/failure.md` says it prints."""

import re
import sys
from pathlib import Path

import pytest

from tests import forked

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "examples" / "failure").glob("*.py"))
PAGE = (ROOT / "docs" / "failure.md").read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_prints_what_the_page_says(script: Path, tmp_path: Path) -> None:
    told = re.search(rf"```text\n\$ python examples/failure/{script.name}\n(.*?)```", PAGE, re.DOTALL)
    assert told is not None, f"docs/failure.md does not show {script.name}"
    done = forked.run([sys.executable, script], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == told[1]
