"""docs/api.md tells what the server does: its examples run, its tables name every route, role and code."""

import asyncio
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.servers.house import house
from tests.servers.test_roles import DECIDERS, OPERATORS, TABLE, VIEWERS, WORKERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ROLES = {
    "view": VIEWERS,
    "operate": OPERATORS,
    "decide": DECIDERS,
    "operate or decide": WORKERS,
    "anybody with a key": VIEWERS,
}
SECONDS = 50.0


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the examples use curl and jq")
async def test_the_examples_run_one_after_the_other(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "stretto"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom stretto.cli import main\nmain()\n")
    program.chmod(0o755)
    async with house(tmp_path / "w", keys=False) as here:
        script = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.S)).replace("http://127.0.0.1:8710", here.url)
        script = f"set -euo pipefail\nexport PATH={program.parent}:$PATH\n{script}"
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", script, cwd=tmp_path / "w", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(SECONDS):
            out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        assert "event: end" in out.decode()
        assert '"sent HI"' in out.decode()


def test_the_table_names_every_route_with_its_role_and_no_other() -> None:
    told = {
        (method, path): ROLES[role]
        for method, path, role in re.findall(r"^\| `(\w+) (/\S+)` \| ([^|]+) \|", PAGE, re.M)
    }
    served = {(method, re.sub(r":\w+}", "}", path)): allowed for (method, path), (allowed, _) in TABLE.items()}
    assert told == served


def test_the_table_names_every_code_with_its_status() -> None:
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", PAGE, re.M)
    told = {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    source = "".join(file.read_text() for file in sorted((ROOT / "src/stretto/servers/http").rglob("*.py")))
    named = re.findall(r'status=(\d{3}),\s*code="(\w+)"', source)
    named += re.findall(r'\((?:\w+), \((\d{3}), "(\w+)"\)\)', source)
    named += re.findall(r'^    (\d{3}): \("(\w+)", ', source, re.M)
    assert {(int(status), code) for status, code in named} == told
