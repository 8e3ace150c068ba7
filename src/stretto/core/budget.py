"""Budgets are reserved before anything is dispatched, so that parallel work cannot cross them together."""

from stretto.core.domain import Cost
from stretto.core.state import RunState


def room_for(state: RunState, cost: Cost, reserved: Cost, steps: int = 0) -> bool:
    """Whether the budget holds one more attempt of this cost beside what is spent and `reserved`."""
    budget, spent = state.budget, state.spent
    return (
        (budget.money is None or spent.money + reserved.money + cost.money <= budget.money)
        and (budget.tokens is None or spent.tokens + reserved.tokens + cost.tokens <= budget.tokens)
        and (budget.steps is None or state.steps + steps < budget.steps)
    )


def why_over(state: RunState, cost: Cost) -> str:
    """Say which limit one more attempt of this cost would cross."""
    budget, spent = state.budget, state.spent
    if budget.steps is not None and state.steps >= budget.steps:
        return f"all {budget.steps} attempts of the budget are used"
    if budget.money is not None and spent.money + cost.money > budget.money:
        return f"${spent.money} of ${budget.money} is spent and one attempt may cost ${cost.money}"
    return f"{spent.tokens} of {budget.tokens} tokens are spent and one attempt may take {cost.tokens}"
