"""Budgets: the most that an attempt may cost is reserved before it begins, so that parallel work never crosses them.

A run has a budget, and a task may have one for all its attempts and items; an attempt needs room in both.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Literal, TypeVar

from stretto.core.domain import FREE, NO_BUDGET, Budget, Call, Cost, Piece
from stretto.core.state import Account, RunState, TaskState

N = TypeVar("N", Decimal, int)

_NOTHING = Account()
_RAISE = "to go on, run it again with a larger --budget"
_RAISE_TASK = "to go on, give the task a larger `budget:` and run it again"
_EXEMPT = -1  # steps of an undoing: they count in no budget


class Room:
    """The room that budgets leave while one ready task after the other takes its share of it."""

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._reserved, self._steps = state.reserved, state.steps
        self._taken: dict[str, tuple[Cost, int]] = {}

    def holds(self, one: TaskState, cost: Cost) -> bool:
        """Whether one more attempt fits beside what is spent, reserved and taken."""
        state = self._state
        steps = self._steps if one.task.undoes is None else _EXEMPT
        if not _holds(state.budget, state.spent, self._reserved, steps, cost):
            return False
        if one.task.budget is None:
            return True
        account = state.accounts.get(one.task.id, _NOTHING)
        taken, begun = self._taken.get(one.task.id, (FREE, 0))
        return _holds(one.task.budget, account.spent, account.reserved + taken, account.steps + begun, cost)

    def take(self, one: TaskState, cost: Cost) -> None:
        """Take the share of an attempt."""
        self._reserved = self._reserved + cost if cost != FREE else self._reserved
        self._steps += one.task.undoes is None
        if one.task.budget is not None:
            taken, begun = self._taken.get(one.task.id, (FREE, 0))
            self._taken[one.task.id] = (taken + cost, begun + 1)


def room_ever(state: RunState, one: TaskState, cost: Cost) -> bool:
    """Whether one more attempt fits beside what is spent, once nothing is reserved any more."""
    steps = state.steps if one.task.undoes is None else _EXEMPT
    if not _holds(state.budget, state.spent, FREE, steps, cost):
        return False
    account = state.accounts.get(one.task.id, _NOTHING)
    return one.task.budget is None or _holds(one.task.budget, account.spent, FREE, account.steps, cost)


def most_of(state: RunState, one: TaskState, agent: str) -> Cost | None:
    """Give what an attempt by an agent may cost at most, and so reserves; None when it may not begin.

    That is what its card says. Where a budget limits what has no bound, it is all that is left, or the rules refuse it.
    """
    card = state.roster.agents[agent]
    if card.bounded:
        return card.cost
    left = _unspent(state, one)
    if not left.limits_cost:
        return card.cost
    if state.catalogue.rules.unbounded == "refuse" or left.money == 0 or left.tokens == 0:
        return None
    return Cost(money=left.money or Decimal(0), tokens=left.tokens or 0)


def ceiling(state: RunState, one: TaskState) -> Budget:
    """Give what the attempt under way may spend: what is reserved for it, where a card or a budget sets a bound."""
    card = state.roster.agents.get(str(one.agent))
    own = one.task.budget or NO_BUDGET
    declared = card.cost if card is not None and card.bounded else FREE
    money = bool(declared.money) or state.budget.money is not None or own.money is not None
    tokens = bool(declared.tokens) or state.budget.tokens is not None or own.tokens is not None
    return Budget(money=one.reserved.money if money else None, tokens=one.reserved.tokens if tokens else None)


def overspent(state: RunState, one: TaskState, cost: Cost) -> Cost:
    """Give what an attempt cost beyond what was reserved for it, where there is a bound."""
    most = ceiling(state, one)
    return cost.beyond(
        Cost(
            money=cost.money if most.money is None else most.money,
            tokens=cost.tokens if most.tokens is None else most.tokens,
        )
    )


def lost(state: RunState, one: TaskState) -> Cost:
    """Give what an attempt counts as having cost whose owner died: all that was reserved, where a budget limits it.

    An agent of kind `model` spends through its inner calls alone, and each of those is counted by itself.
    """
    card = state.roster.agents.get(str(one.agent))
    if card is not None and card.kind == "model":
        return FREE
    own = one.task.budget or NO_BUDGET
    return one.reserved if state.budget.limits_cost or own.limits_cost else FREE


def call_room(state: RunState, of: Piece, cost: Cost, besides: Cost = FREE) -> Literal["now", "later", "never"]:
    """Whether there is room for an inner call: in what is reserved for its attempt, else in the budgets that limit it.

    `besides` is what the attempt has spent by itself. `later` is when work under way has settled.
    """
    if of.work == "run":
        left = _left_of_attempt(state, of, besides)
        fits = (left.money is None or cost.money <= left.money) and (left.tokens is None or cost.tokens <= left.tokens)
        return "now" if fits else "never"
    account = _account_of(state, of)
    if _both_hold(state, of, state.reserved, account.reserved, cost):
        return "now"
    return "later" if _both_hold(state, of, FREE, FREE, cost) else "never"


def most_of_call(state: RunState, of: Piece, call: Call, besides: Cost = FREE) -> Cost | None:
    """Give what a call may cost at most, and so reserves; None when it may not be made.

    Where a budget limits what nobody knows the price of, that is all that is left, or the rules refuse it.
    """
    if call.bounded:
        return call.reserve
    if of.work == "run":
        left = _left_of_attempt(state, of, besides).money
    else:
        own, account = _budget_of(state, of), _account_of(state, of)
        left = _least(
            _minus(state.budget.money, (state.spent + state.reserved).money),
            _minus(own.money, (account.spent + account.reserved).money),
        )
    if left is None:
        return call.reserve
    return None if not left or state.catalogue.rules.unbounded == "refuse" else replace(call.reserve, money=left)


def why_no_room(state: RunState, of: Piece, cost: Cost, besides: Cost = FREE) -> str:
    """Say which limit an inner call would cross, and how to go on."""
    if of.work == "run":
        left = _left_of_attempt(state, of, besides)
        rest = Cost(money=left.money or Decimal(0), tokens=left.tokens or 0)
        agent = state.tasks[of.task].agent
        mend = f"to go on, declare a higher cost of {agent!r}, or give a larger budget"
        return f"it may cost {cost}, and {rest} is left of what was reserved for the attempt; {mend}"
    own = _budget_of(state, of)
    if not _holds(own, _account_of(state, of).spent, FREE, _EXEMPT, cost):
        return f"{_why(own, _account_of(state, of).spent, _EXEMPT, cost)}; {_RAISE_TASK}"
    return f"{_why(state.budget, state.spent, _EXEMPT, cost)}; {_RAISE}"


def lost_call(state: RunState, of: Piece, reserved: Cost) -> Cost:
    """Give what an inner call counts as having cost whose end nobody heard."""
    return reserved if state.budget.limits_cost or _budget_of(state, of).limits_cost else FREE


def _left_of_attempt(state: RunState, of: Piece, besides: Cost) -> Budget:
    """Give what is left of an attempt's reservation, where there is a bound."""
    one = state.tasks[of.task]
    most, taken = ceiling(state, one), one.promised + besides
    return Budget(money=_minus(most.money, taken.money), tokens=_minus(most.tokens, taken.tokens))


def _budget_of(state: RunState, of: Piece) -> Budget:
    return (state.tasks[of.task].task.budget or NO_BUDGET) if of.task in state.tasks else NO_BUDGET


def _account_of(state: RunState, of: Piece) -> Account:
    return state.accounts.get(state.tasks[of.task].task.id, _NOTHING) if of.task in state.tasks else _NOTHING


def _both_hold(state: RunState, of: Piece, of_run: Cost, of_task: Cost, cost: Cost) -> bool:
    """Whether a cost fits into the budgets of the run and of the task it is about, beside what is reserved in each."""
    own = _holds(_budget_of(state, of), _account_of(state, of).spent, of_task, _EXEMPT, cost)
    return own and _holds(state.budget, state.spent, of_run, _EXEMPT, cost)


def share(state: RunState, id_: str) -> Budget:
    """Give what a task may use at most from now on: what is reserved for its attempt, else what budgets leave free.

    `seconds` are those left at the moment of the run's last event, at least 0.
    """
    one = state.tasks[id_]
    own, account = one.task.budget or NO_BUDGET, state.accounts.get(one.task.id, _NOTHING)
    end = ends(state, one)
    most = _unspent(state, one, free=True) if one.reserved == FREE else ceiling(state, one)
    return Budget(
        money=most.money,
        tokens=most.tokens,
        steps=_least(_minus(state.budget.steps, state.steps), _minus(own.steps, account.steps)),
        seconds=None if end is None else max(end - state.at, 0.0),
        revisions=_least(_minus(state.budget.revisions, state.revisions), _minus(own.revisions, account.revisions)),
    )


def within(budget: Budget, left: Budget, used: Budget = NO_BUDGET) -> Budget:
    """Give the limits of what works inside a share: those of its own budget, and no more than it has `used` and `left`.

    The seconds are those of the budget: a share's end at a moment, whatever was used.
    """
    return replace(
        budget,
        money=_least(budget.money, _plus(left.money, used.money)),
        tokens=_least(budget.tokens, _plus(left.tokens, used.tokens)),
        steps=_least(budget.steps, _plus(left.steps, used.steps)),
        revisions=_least(budget.revisions, _plus(left.revisions, used.revisions)),
    )


def ends(state: RunState, one: TaskState) -> float | None:
    """Give the moment at which the time of a task is over, by its budget or its run; None without a limit."""
    found = [end for end in (state.until, task_ends(state, one)) if end is not None]
    return min(found, default=None)


def task_ends(state: RunState, one: TaskState) -> float | None:
    """Give the moment at which the seconds of a task's budget are over; None before it begins, or without a limit."""
    if one.task.budget is None or one.task.budget.seconds is None:
        return None
    began = state.tasks[one.parent].started if one.parent is not None else one.started
    return None if began is None else began + one.task.budget.seconds


def out_of_revisions(state: RunState, one: TaskState) -> str:
    """Say which limit one more revision would cross; empty when there is none, and for an undoing."""
    if one.task.undoes is not None:
        return ""
    own, account = one.task.budget or NO_BUDGET, state.accounts.get(one.task.id, _NOTHING)
    if own.revisions is not None and account.revisions >= own.revisions:
        return f"all {own.revisions} revisions of the task's budget are used; {_RAISE_TASK}"
    if state.budget.revisions is not None and state.revisions >= state.budget.revisions:
        return f"all {state.budget.revisions} revisions of the budget are used; {_RAISE}"
    return ""


def out_of_time(state: RunState, one: TaskState, at: float) -> str:
    """Say that the seconds of a task's budget are over by a moment; empty when they are not."""
    end = task_ends(state, one)
    if end is None or at < end or one.task.budget is None:
        return ""
    return f"the {one.task.budget.seconds:g} s of the task's budget are over; {_RAISE_TASK}"


def why_over(state: RunState, one: TaskState, agent: str) -> str:
    """Say which limit one more attempt by an agent would cross, and how to go on."""
    cost = most_of(state, one, agent)
    if cost is None:
        if state.catalogue.rules.unbounded == "refuse":
            return f"what {agent!r} costs has no bound, and the rules refuse such agents under a budget"
        return f"nothing is left for {agent!r}, whose cost has no bound; {_RAISE}"
    account = state.accounts.get(one.task.id, _NOTHING)
    if one.task.budget is not None and not _holds(one.task.budget, account.spent, FREE, account.steps, cost):
        return f"{_why(one.task.budget, account.spent, account.steps, cost)}; {_RAISE_TASK}"
    return f"{_why(state.budget, state.spent, state.steps, cost)}; {_RAISE}"


def _holds(budget: Budget, spent: Cost, reserved: Cost, steps: int, cost: Cost) -> bool:
    return (
        (budget.money is None or spent.money + reserved.money + cost.money <= budget.money)
        and (budget.tokens is None or spent.tokens + reserved.tokens + cost.tokens <= budget.tokens)
        and (budget.steps is None or steps < budget.steps)
    )


def _why(budget: Budget, spent: Cost, steps: int, cost: Cost) -> str:
    if budget.steps is not None and steps >= budget.steps:
        return f"all {budget.steps} attempts of the budget are used"
    if budget.money is not None and spent.money + cost.money > budget.money:
        return f"${spent.money} of ${budget.money} is spent and one attempt may cost ${cost.money}"
    return f"{spent.tokens} of {budget.tokens} tokens are spent and one attempt may take {cost.tokens}"


def _unspent(state: RunState, one: TaskState, *, free: bool = False) -> Budget:
    """Give the dollars and tokens not spent, or with `free` nor reserved either, by the tighter of both budgets."""
    own, account = one.task.budget or NO_BUDGET, state.accounts.get(one.task.id, _NOTHING)
    of_run = state.spent + state.reserved if free else state.spent
    of_task = account.spent + account.reserved if free else account.spent
    return Budget(
        money=_least(_minus(state.budget.money, of_run.money), _minus(own.money, of_task.money)),
        tokens=_least(_minus(state.budget.tokens, of_run.tokens), _minus(own.tokens, of_task.tokens)),
    )


def _minus(limit: N | None, used: N) -> N | None:
    return None if limit is None else max(limit - used, limit * 0)


def _plus(limit: N | None, used: N | None) -> N | None:
    return limit if limit is None or used is None else limit + used


def _least(one: N | None, other: N | None) -> N | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
