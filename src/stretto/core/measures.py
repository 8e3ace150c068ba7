"""Counts of what runs came to, which add up over runs, and the numbers that follow from them."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct, field

from stretto.core.sketch import Sketch

EDITION = 1
"""Of these definitions: what was measured by another one is measured anew."""
NONE = Sketch()


class Measures(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Counts that add up over runs, and what follows from them.

    Of `runs` that ended, `finished` brought everything, `unaided` ones without an intervention. `handoffs` are the
    times from when nothing held a task back any more to its start. Of results `accepted`, `wrong` ones were found so
    later (`trust.finds_wrong`). Of claims `checked` in reviews, `unsupported` ones do not stand in their evidence.
    `stars` is the sum of `ratings`. Of `tasks` that were given to an agent, `moved` ones were given to another after a
    failure, or by a person. Of `attempts`, `successes` brought what was accepted and `failures` failed, by class; the
    others were interrupted, or asked a person. `seconds` are the lengths of attempts that brought a result or failed.
    """

    runs: int = 0
    finished: int = 0
    unaided: int = 0
    handoffs: Sketch = NONE
    accepted: int = 0
    wrong: int = 0
    checked: int = 0
    unsupported: int = 0
    ratings: int = 0
    stars: int = 0
    tasks: int = 0
    moved: int = 0
    attempts: int = 0
    successes: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    seconds: Sketch = NONE
    money: Decimal = Decimal(0)
    tokens: int = 0

    @staticmethod
    def total(many: Iterable["Measures"]) -> "Measures":
        """Give all of them as one; in any order and grouping the same."""
        all_ = list(many)
        failures: Counter[str] = Counter()
        for one in all_:
            if one.failures:
                failures.update(one.failures)
        return Measures(
            runs=sum([one.runs for one in all_]),
            finished=sum([one.finished for one in all_]),
            unaided=sum([one.unaided for one in all_]),
            handoffs=Sketch.total([one.handoffs for one in all_]),
            accepted=sum([one.accepted for one in all_]),
            wrong=sum([one.wrong for one in all_]),
            checked=sum([one.checked for one in all_]),
            unsupported=sum([one.unsupported for one in all_]),
            ratings=sum([one.ratings for one in all_]),
            stars=sum([one.stars for one in all_]),
            tasks=sum([one.tasks for one in all_]),
            moved=sum([one.moved for one in all_]),
            attempts=sum([one.attempts for one in all_]),
            successes=sum([one.successes for one in all_]),
            failures=dict(failures),
            seconds=Sketch.total([one.seconds for one in all_]),
            money=sum([one.money for one in all_], Decimal(0)),
            tokens=sum([one.tokens for one in all_]),
        )

    def __add__(self, more: "Measures") -> "Measures":
        return Measures.total((self, more))

    @property
    def completion(self) -> float | None:
        """The share of runs that finished without an intervention; None while none has ended, and so below."""
        return _share(self.unaided, self.runs)

    @property
    def handoff(self) -> float | None:
        """The seconds within which 95 of 100 handoffs were done."""
        return self.handoffs.quantile(0.95)

    @property
    def errors(self) -> float | None:
        """The share of accepted results that were found wrong later."""
        return _share(self.wrong, self.accepted)

    @property
    def hallucinations(self) -> float | None:
        """The share of checked claims that have no support in their evidence."""
        return _share(self.unsupported, self.checked)

    @property
    def satisfaction(self) -> float | None:
        """The mean rating, from 1 to 5."""
        return _share(self.stars, self.ratings)

    @property
    def cost_per_run(self) -> float | None:
        """The mean cost of a run in dollars."""
        return float(self.money / self.runs) if self.runs else None

    @property
    def misallocation(self) -> float | None:
        """The share of tasks that had to be moved to another agent."""
        return _share(self.moved, self.tasks)

    @property
    def success(self) -> float | None:
        """The share of attempts that brought what was accepted, of those that did or failed."""
        return _share(self.successes, self.successes + sum(self.failures.values()))


class Workflow(Struct, frozen=True, gc=False):
    """What a run was an instance of: a plan or playbook by name, a planned goal..., in the workspace of this folder."""

    workspace: str
    name: str

    @property
    def title(self) -> str:
        """Its name with that of the workspace's folder."""
        folder = self.workspace.replace("\\", "/").rstrip("/").rpartition("/")[2]
        return f"{folder}/{self.name}" if folder else self.name


class AgentSkill(Struct, frozen=True, gc=False):
    """An agent at a skill. The version is what its card says, or a hash of the card where it says none."""

    agent: str
    version: str
    skill: str


class Contribution(Struct, frozen=True, gc=False):
    """What an agent had to do with a run, at one of its skills."""

    who: AgentSkill
    measures: Measures


class RunMeasures(Struct, frozen=True, gc=False):
    """What a run amounts to; that of a team, a run for a task of another, counts for its agents alone."""

    run: str
    workflow: Workflow
    ended: float
    whole: Measures
    agents: tuple[Contribution, ...] = ()


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
