"""Random runs killed at random places, again and again: `python -m tests.crash.storm --cases 500 [--seed N]`.

For each case a run is driven once without a death and once with up to four lives that end early. The final state must
be that of the uncrashed run, the outside world must have seen each keyed effect once, no finished task may have run
again, and the journal's chain must hold.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stretto.core.audit import broken_link
from stretto.core.events import AttemptStarted, TaskCompleted
from stretto.journals.sqlite import SqliteJournal
from tests import forked
from tests.crash.dying import Death
from tests.crash.life import RUN, Life
from tests.crash.outside import Outside

LIVES = 4
LONGEST = 60.0
KEYED = ("pay", "book", "lost", "late", "unbook")


class Broken(AssertionError):
    """A law was broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run and the deaths on its way."""

    seed: int
    deaths: tuple[Death, ...]

    def __str__(self) -> str:
        told = ", ".join(f"{one.when} {one.number}" for one in self.deaths)
        return f"seed {self.seed} ({told})"


def case(seed: int) -> Case:
    """Give the case of a seed."""
    chance = random.Random(f"deaths {seed}")
    deaths = tuple(
        Death(
            when=chance.choice(["before", "after", "during"]), number=min(chance.randint(1, 12), chance.randint(1, 12))
        )
        for _ in range(chance.randint(1, LIVES))
    )
    return Case(seed=seed, deaths=deaths)


def weather(one: Case, folder: Path, outside: Outside) -> int:
    """Drive a case through its deaths to its end, and hold it against the laws; gives how often it really died."""
    calm = Life(seed=one.seed, store=folder / f"calm{one.seed}.db", port=outside.port)
    code, wanted = _lived(calm)
    if code:
        raise Broken(f"{one}: without any death it ends with {code}")
    hit = Life(seed=one.seed, store=folder / f"hit{one.seed}.db", port=outside.port)
    died = 0
    finished: set[str] = set()
    asked: Counter[str] = Counter()
    for death in one.deaths:
        code, came = _lived(replace(hit, death=death))
        died += code == -9
        now = _finished(hit.store)
        deeds = outside.deeds(hit.case)
        again = Counter(deed["key"] for deed in deeds)
        if ran := [deed for deed in deeds if deed["key"] in finished and again[deed["key"]] > asked[deed["key"]]]:
            raise Broken(f"{one}: something finished ran again: {ran}")
        if not finished <= now:
            raise Broken(f"{one}: finished work was lost: {finished - now}")
        finished, asked = now, again
        if code == 0:
            break
    code, came = _lived(hit)
    if code:
        raise Broken(f"{one}: after its deaths it ends with {code}")
    if essence(came) != essence(wanted):
        raise Broken(f"{one}: it ends otherwise than undisturbed:\n{essence(came)}\n{essence(wanted)}")
    _hold_effects(one, outside.deeds(hit.case), outside.deeds(calm.case))
    _hold_chain(one, hit.store)
    return died


def essence(run: dict[str, Any]) -> object:
    """Give what must not depend on deaths: all but times and numbers of attempts."""
    tasks = sorted((task["id"], task["status"], task["agent"]) for task in run["tasks"])
    gaps = [(gap["task"], gap["what"]) for gap in run["gaps"]]
    return run["status"], run["answer"], gaps, tasks


def _hold_effects(one: Case, deeds: Sequence[dict[str, str]], undisturbed: Sequence[dict[str, str]]) -> None:
    keys = Counter(deed["key"] for deed in deeds if deed["kind"] in KEYED)
    twice = [key for key, times in keys.items() if times > 1]
    if twice:
        named = [deed for deed in deeds if deed["key"] in twice]
        raise Broken(f"{one}: done twice: {named}")
    wanted = sorted((deed["kind"], deed["name"], deed["key"]) for deed in undisturbed if deed["kind"] in KEYED)
    found = sorted((deed["kind"], deed["name"], deed["key"]) for deed in deeds if deed["kind"] in KEYED)
    if wanted != found:
        raise Broken(f"{one}: the world saw other effects than undisturbed:\n{found}\n{wanted}")


def _hold_chain(one: Case, store: Path) -> None:
    async def broken() -> int | None:
        journal = SqliteJournal(store)
        try:
            return broken_link(await journal.envelopes(RUN))
        finally:
            await journal.close()

    if (link := asyncio.run(broken())) is not None:
        raise Broken(f"{one}: the chain of the journal breaks at {link}")


def _finished(store: Path) -> set[str]:
    """Give the keys of the work that is finished for good, in the run and in its teams' runs."""

    async def look() -> set[str]:
        if not store.exists():
            return set()
        journal = SqliteJournal(store)
        found = set()
        try:
            for run in [one.run for one in await journal.runs()]:
                keys: dict[str, str] = {}
                for one in await journal.read(run):
                    if isinstance(one.event, AttemptStarted):
                        keys[one.event.task] = one.event.key
                    elif isinstance(one.event, TaskCompleted) and one.event.task in keys:
                        found.add(keys[one.event.task])
        finally:
            await journal.close()
        return found

    return asyncio.run(look())


def _lived(life: Life) -> tuple[int, Any]:
    """Have a life lived in a process of its own; gives its exit code (-9: it died) and what came of the run."""
    try:
        done = forked.run(life.command, cwd=forked.ROOT, timeout=LONGEST)
    except forked.TimeoutExpired:
        raise Broken(f"seed {life.seed}: it hangs ({life.death})") from None
    if done.returncode not in (0, -9):
        raise Broken(f"seed {life.seed}: a life ended with {done.returncode} ({life.death}): {done.stderr}")
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else None


def storm(cases: Sequence[Case], folder: Path, *, at_once: int = 2) -> Iterator[tuple[Case, int | Broken]]:
    """Weather cases, some at once; gives each with how often it died, or with the law it broke."""
    with Outside() as outside, ThreadPoolExecutor(at_once) as pool:

        def one(case_: Case) -> tuple[Case, int | Broken]:
            try:
                return case_, weather(case_, folder, outside)
            except Broken as error:
                return case_, error

        yield from pool.map(one, cases)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1, help="of the first case")
    parser.add_argument("--at-once", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    died, broken = 0, []
    with tempfile.TemporaryDirectory() as folder:
        cases = [case(seed) for seed in range(options.seed, options.seed + options.cases)]
        for number, (_, came) in enumerate(storm(cases, Path(folder), at_once=options.at_once), 1):
            if isinstance(came, Broken):
                broken.append(came)
                print(f"BROKEN {came}", flush=True)
            else:
                died += came
            if not number % 50:
                print(f"{number} cases, {died} deaths, {len(broken)} broken", flush=True)
    print(f"{len(cases)} cases, {died} deaths by kill -9, {len(broken)} broken, {time.monotonic() - began:.0f} s")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
