"""What users choose, read and held against what there is: rules, ladders, chains, budgets, alerts."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

from stretto.amounts import budget_of, deadline_of
from stretto.bootstrap.stores import user
from stretto.channels import KINDS, read_channel
from stretto.core.domain import Asks, Budget, FailureClass, Json, Ladder, NoticeKind, Rules
from stretto.core.errors import UsageError
from stretto.core.limits import CHOICES_OF_RULES, OF_RULES, listed_or
from stretto.core.plan.asking import BadChain, place_of, read_asks, strangers
from stretto.core.plan.ladders import agents_in
from stretto.declare import ladder_of
from stretto.engines.people import Nobody, StandingWord
from stretto.notifiers import notifiers_of
from stretto.ports import Notifier, People
from stretto.registry import Registry
from stretto.settings import Settings
from stretto.workspace import Workspace

Approve: TypeAlias = Literal["ask", "all", "none"]
AnyChannel: TypeAlias = dict[str, Json] | str | Notifier


def rules_of(settings: Settings, workspace: Workspace | None, **given: Any) -> Rules:
    """Give the rules of runs: what is given counts before the workspace, and that before the settings."""
    values: dict[str, Any] = {
        "parallel": settings.parallel,
        "timeout": settings.timeout,
        "fan_out": settings.fan_out,
        "retries": settings.retries,
        "planner": settings.planner,
        **(workspace.rules if workspace else {}),
        **{name: value for name, value in given.items() if value is not None},
    }
    for name, allowed in CHOICES_OF_RULES.items():
        if name in values and values[name] not in allowed:
            raise UsageError(f"{name} is {listed_or(allowed)}, not {values[name]!r}")
    unknown = [name for name in values["retries"] if name not in set(FailureClass)]
    if unknown:
        raise UsageError(f"there is no class of failure {unknown[0]!r}; known: {', '.join(FailureClass)}")
    read = {name: reader(values[name]) for name, reader in OF_RULES.items() if name in values}
    return Rules(**{**values, "timeout": float(values["timeout"]), **read})


def ladder_over(workspace: Workspace | None, given: dict[str, Any] | None, registry: Registry) -> Ladder:
    """Give the workspace's ladder with the given rungs over it; raises UsageError for an agent that is not there."""
    own = ladder_of(given, "ladder") if given is not None else {}
    for path, name in agents_in(own):
        if registry.get(name) is None:
            known = ", ".join(one.card.name for one in registry)
            raise UsageError(f"ladder.{path}: there is no agent {name!r}; known: {known}")
    return (workspace.ladder if workspace else {}) | own


def chains_of(given: Json) -> Asks:
    """Give who is asked, by kind of request; raises UsageError."""
    try:
        return read_asks(given)
    except BadChain as error:
        raise UsageError(f"{place_of(error, 'ask')}: {error}") from None


def require_known(people: Sequence[str], ask: Asks, registry: Registry) -> None:
    """Hold the chains of a team and of its skills against the people who are there; raises UsageError."""
    skills = {skill.name: skill.ask for agent in registry for skill in agent.card.skills}
    for whose, chains in {"the team": ask, **skills}.items():
        if unknown := strangers(chains, people):
            raise UsageError(f"{whose} would ask {unknown[0]!r}, who is not among the people: {', '.join(people)}")


def as_budget(given: str | Budget) -> Budget:
    """Give a budget, also one that is written like "$2, 50 steps"; raises UsageError."""
    return budget_of(given) if isinstance(given, str) else given


def as_deadline(given: str | float | None, now: float) -> float | None:
    """Give a deadline in seconds since the epoch, also one that is written like "10m"; raises UsageError."""
    return deadline_of(given, now) if isinstance(given, str) else given


def who_answers(approve: Approve, people: People | None) -> People:
    """Give whom a run asks: the people there are, or the standing word of whoever runs this program."""
    if approve not in get_args(Approve):
        raise UsageError(f"approve is {', '.join(get_args(Approve))}, not {approve!r}")
    if approve == "ask":
        return people or Nobody()
    return StandingWord("approve" if approve == "all" else "deny", user(), people or Nobody())


def carried(notify: Sequence[AnyChannel]) -> tuple[NoticeKind, ...]:
    """Give the alerts that some channel carries; a notifier of one's own carries all."""
    written = [read_channel(one).on for one in notify if isinstance(one, dict | str)]
    kinds = {kind for on in written for kind in on} if len(written) == len(notify) else set(KINDS)
    return tuple(kind for kind in KINDS if kind in kinds)


def notifiers(notify: Sequence[AnyChannel]) -> tuple[Notifier, ...]:
    """Make the channels, with the secrets that the environment holds; raises UsageError where one is missing."""
    if not notify:
        return ()
    own = [one for one in notify if not isinstance(one, dict | str)]
    return (*notifiers_of([one for one in notify if isinstance(one, dict | str)]), *own)
