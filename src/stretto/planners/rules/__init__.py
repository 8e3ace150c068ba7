"""Plans from typed skills, without any model: the same goal gives the same plan. The rules are in docs/planning.md.

`goals` takes a goal apart, `words` and `ranking` find the skills its clauses ask for, `kinds` says what fits what,
`supplies` what is at hand, `stock` what skills take and make, `search` finds the cheapest way back from the
deliverable, `drafting` writes the plan.
"""

from stretto.planners.rules.drafting import propose

__all__ = ["propose"]
