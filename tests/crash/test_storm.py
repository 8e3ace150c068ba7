"""Random plans over a real outside world, killed at thirty places and more; `make crash` does 500 cases."""

from pathlib import Path

from tests.crash.storm import Broken, case, storm

CASES = 24
DEATHS = 30


def test_random_runs_that_are_killed_again_and_again_end_as_if_nothing_had_happened(tmp_path: Path) -> None:
    died = 0
    for _, came in storm([case(seed) for seed in range(1000, 1000 + CASES)], tmp_path):
        if isinstance(came, Broken):
            raise came
        died += came
    assert died >= DEATHS
