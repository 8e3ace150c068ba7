"""The analyser against the generator's truth, over many seeds; its memory and its pace on long logs."""

import importlib.util
import json
import sys
import time
import tracemalloc
from pathlib import Path
from types import ModuleType

import pytest

from stretto.specialists.logs import Analysis, Options, analyse_file, merge

EXAMPLE = Path(__file__).parents[2] / "examples/it-operations"
LOGS = ("auth.log", "ftp.log", "access.log", "app.jsonl")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("it_operations_generate", EXAMPLE / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def as_truth(found: Analysis) -> dict[str, object]:
    return {
        "lines": found.files[0].lines,
        "attempts": found.attempts,
        "sources": {source.source: source.attempts for source in found.sources},
        "invalid_users": {user.user: user.attempts for user in found.invalid_users},
        "bursts": [{"source": b.source, "start": b.start, "end": b.end, "attempts": b.attempts} for b in found.bursts],
        "breaches": [
            {
                "source": breach.source,
                "user": breach.user,
                "at": breach.at,
                "failures": breach.failures,
                "certain": breach.certain,
                "candidates": sorted(breach.candidates),
            }
            for breach in found.breaches
        ],
        "floods": [
            {"source": f.source, "service": f.service, "start": f.start, "end": f.end, "connections": f.connections}
            for f in found.floods
        ],
        "anonymous": [{"source": each.source, "user": each.user, "at": each.at} for each in found.anonymous],
    }


@pytest.mark.parametrize("name", LOGS)
def test_the_examples_logs_say_what_is_true_of_them(name: str) -> None:
    truth = json.loads((EXAMPLE / "logs/truth.json").read_text())[name]
    found = analyse_file(EXAMPLE / "logs" / name)
    assert as_truth(found) == truth
    assert found.files[0].recognised == found.files[0].lines


@pytest.mark.parametrize("seed", range(20))
def test_logs_of_any_seed_say_what_is_true_of_them(generator: ModuleType, tmp_path: Path, seed: int) -> None:
    generator.generate(seed, tmp_path)
    truth = json.loads((tmp_path / "truth.json").read_text())
    for name in LOGS:
        assert as_truth(analyse_file(tmp_path / name)) == truth[name]


def test_the_example_is_what_its_generator_writes(generator: ModuleType, tmp_path: Path) -> None:
    generator.generate(7, tmp_path)
    for name in (*LOGS, "truth.json"):
        assert (tmp_path / name).read_bytes() == (EXAMPLE / "logs" / name).read_bytes()


def test_the_example_holds_something_of_everything() -> None:
    found = merge([analyse_file(EXAMPLE / "logs" / name) for name in LOGS])
    assert all((found.sources, found.bursts, found.invalid_users, found.floods, found.anonymous))
    assert {breach.certain for breach in found.breaches} == {True, False}
    assert found.notes == ()


def test_every_finding_shows_real_lines_of_its_file() -> None:
    for name in LOGS:
        found = analyse_file(EXAMPLE / "logs" / name)
        text = (EXAMPLE / "logs" / name).read_text().split("\n")
        for finding in (
            *found.sources,
            *found.bursts,
            *found.breaches,
            *found.invalid_users,
            *found.floods,
            *found.anonymous,
        ):
            assert 0 < len(finding.lines) <= 20
            assert finding.more_lines == 0 or len(finding.lines) == 20
            for line in finding.lines:
                assert line.text.removesuffix("…") in text[line.line - 1]


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    def peak(lines: int) -> int:
        path = tmp_path / "long.log"
        with path.open("w") as out:
            for n in range(lines):
                stamp = f"Jun {1 + n // 43200 % 28:2} {n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}"
                if n % 3:
                    out.write(f"{stamp} h kernel: link {n} up\n")
                else:
                    out.write(
                        f"{stamp} h sshd[{n}]: Failed password for invalid user u{n} from h{n}.example port 2 ssh2\n"
                    )
        tracemalloc.start()
        analyse_file(path, Options(max_sources=2_000))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    small, large = peak(30_000), peak(60_000)
    assert large < 20_000_000
    assert large < small * 1.12


def test_noise_is_passed_over_quickly(tmp_path: Path) -> None:
    path = tmp_path / "noise.log"
    with path.open("w") as out:
        for n in range(200_000):
            stamp = f"Jun 14 {n // 36000:02}:{n // 600 % 60:02}:{n // 10 % 60:02}"
            out.write(f"{stamp} host named[11]: client 10.0.0.1#{n}: query: a.example IN A\n")
    begun = time.process_time()
    assert analyse_file(path).files[0].recognised == 200_000
    assert time.process_time() - begun < 4  # some ten times what it takes, for slow machines
