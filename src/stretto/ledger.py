"""What a run has used of its budgets: of the whole, by agent, and of the tasks that have budgets of their own."""

from decimal import Decimal
from typing import Any

from stretto.core.domain import FREE, NO_BUDGET, Budget, Cost, TaskStatus
from stretto.core.plan.forecast import cost_of
from stretto.core.state import Account, RunState


def budget_view(state: RunState) -> dict[str, Any]:
    """Give limits, what is spent, reserved and left, in dollars, tokens, attempts, seconds and revisions.

    `overspent` names the tasks whose attempts cost more than was reserved for them, and by how much.
    """
    whole = Account(spent=state.spent, reserved=state.reserved, steps=state.steps, revisions=state.revisions)
    seconds = (state.ended if state.ended is not None else state.at) - state.started
    return {
        **account_view(state.budget, whole, seconds if state.run else 0.0),
        "by_agent": {name: _cost(cost) for name, cost in state.spent_by.items()},
        "tasks": {
            id_: account_view(budget, state.accounts.get(id_, Account()), _seconds(state, id_))
            for id_, budget in _budgets(state).items()
        },
        "overspent": {id_: _cost(cost) for id_, cost in _overspent(state).items()},
    }


def account_view(budget: Budget, account: Account, seconds: float) -> dict[str, Any]:
    """Give what an account holds against its budget."""
    used = account.spent + account.reserved
    return {
        "limit": {
            "money": _float(budget.money),
            "tokens": budget.tokens,
            "steps": budget.steps,
            "seconds": budget.seconds,
            "revisions": budget.revisions,
        },
        "spent": {
            **_cost(account.spent),
            "steps": account.steps,
            "seconds": round(seconds, 3),
            "revisions": account.revisions,
        },
        "reserved": _cost(account.reserved),
        "left": {
            "money": None if budget.money is None else float(max(budget.money - used.money, Decimal(0))),
            "tokens": None if budget.tokens is None else max(budget.tokens - used.tokens, 0),
            "steps": None if budget.steps is None else max(budget.steps - account.steps, 0),
            "seconds": None if budget.seconds is None else round(max(budget.seconds - seconds, 0.0), 3),
            "revisions": None if budget.revisions is None else max(budget.revisions - account.revisions, 0),
        },
    }


def ledger_lines(state: RunState) -> list[str]:
    """Give the lines that say so to people; none where there is no budget and nothing was spent."""
    said = []
    whole = Account(spent=state.spent, reserved=state.reserved, steps=state.steps, revisions=state.revisions)
    if state.budget != NO_BUDGET:
        said.append(f"budget  {_used(state.budget, whole)}")
    if len(state.spent_by) > 1:
        shares = sorted(state.spent_by.items(), key=lambda one: (-one[1].money, -one[1].tokens))
        said.append(f"by agent  {'; '.join(f'{name} {cost}' for name, cost in shares)}")
    for id_, budget in _budgets(state).items():
        said.append(f"budget of {id_}  {_used(budget, state.accounts.get(id_, Account()))}")
    for id_, cost in _overspent(state).items():
        said.append(f"! {id_} cost {cost} more than was reserved for it")
    return said


def cost_ahead(state: RunState) -> Cost:
    """Give the least that the tasks that have not begun will reserve, as their cheapest agents declare it.

    A fan-out that is not spread yet counts as one item; what has no bound counts as nothing.
    """
    waiting = (one for one in state.tasks.values() if one.status is TaskStatus.PENDING and one.children is None)
    return sum((cost_of(one.task, state.roster) for one in waiting), FREE)


def _used(budget: Budget, account: Account) -> str:
    """Say what an account has used of each limit, and what is reserved."""
    said = []
    if budget.money is not None:
        said.append(f"${account.spent.money:f} of ${budget.money:f} spent")
    if budget.tokens is not None:
        said.append(f"{account.spent.tokens} of {budget.tokens} tokens spent")
    if account.reserved != FREE:
        said.append(f"{account.reserved} reserved")
    if budget.steps is not None:
        said.append(f"{account.steps} of {budget.steps} steps")
    if budget.seconds is not None:
        said.append(f"at most {budget.seconds:g} s")
    if budget.revisions is not None:
        said.append(f"{account.revisions} of {budget.revisions} revisions")
    return ", ".join(said)


def _budgets(state: RunState) -> dict[str, Budget]:
    """Give the tasks that have budgets, in the order of the plan."""
    found = {}
    for position in range(len(state.ids)):
        one = state.tasks[state.ids[position]]
        if one.task.budget is not None and one.parent is None:
            found[one.task.id] = one.task.budget
    return found


def _overspent(state: RunState) -> dict[str, Cost]:
    return {id_: one.overspent for id_, one in sorted(state.tasks.items()) if one.overspent != FREE}


def _seconds(state: RunState, id_: str) -> float:
    one = state.tasks[id_]
    return 0.0 if one.started is None else (one.ended if one.ended is not None else state.at) - one.started


def _cost(cost: Cost) -> dict[str, Any]:
    return {"money": float(cost.money), "tokens": cost.tokens}


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
