"""How a house is put together: everything that a run needs from outside the core."""

import math
from collections.abc import Iterable

from stretto.agents.team import TeamAgent
from stretto.conditions import CelConditions
from stretto.core.plan.shape import DEFAULT_SIZE, Size
from stretto.core.policy import DEFAULT, Policy
from stretto.engines.clock import SystemClock
from stretto.engines.local import LocalEngine
from stretto.engines.people import Nobody
from stretto.models.prompt import Models
from stretto.models.roster import NO_MODELS
from stretto.notifiers import dispatch
from stretto.orchestrator import House
from stretto.planners.auto import AutoPlanner
from stretto.ports import Agent, Engine, Historian, Journal, Listener, Notifier, People
from stretto.registry import Registry
from stretto.reviewers.criteria import CriteriaReviewer
from stretto.reviewers.grounding import GroundingReviewer
from stretto.reviewers.model import ModelReviewer
from stretto.reviewers.schema import SchemaReviewer
from stretto.summarisers.model import ModelSummariser
from stretto.synthesis.compose import Composer
from stretto.synthesis.model import ModelSynthesiser
from stretto.validation import JsonSchemas


def furnished(
    journal: Journal,
    people: People,
    agents: Iterable[Agent] = (),
    *,
    models: Models = NO_MODELS,
    size: Size = DEFAULT_SIZE,
    above: tuple[Policy, ...] = (),
    below: Engine | None = None,
    listeners: tuple[Listener, ...] = (),
    historians: tuple[Historian, ...] = (),
    notifiers: tuple[Notifier, ...] = (),
) -> House:
    """Give the house of a run, with its teams at work for it.

    `above` are the policies of those it works for, `below` is what drives the runs of its teams: as long as the
    tasks they are for, which wait with them. `historians` are told of its runs and of those of its teams. `models` are
    those that its planner, reviewers and synthesiser may ask, and `size` is how large a plan may be.
    """
    schemas, conditions = JsonSchemas(), CelConditions()
    policies = above or DEFAULT
    engine = below or LocalEngine(patience=math.inf)
    at_work = (
        one.hired(journal, people, policies, engine, historians) if isinstance(one, TeamAgent) else one
        for one in agents
    )
    return House(
        journal=journal,
        registry=Registry(at_work),
        policies=policies,
        planner=AutoPlanner(models, size=size),
        reviewers=(
            SchemaReviewer(schemas),
            GroundingReviewer(),
            CriteriaReviewer(conditions),
            ModelReviewer(models.of("reviewer"), journal.records),
        ),
        synthesiser=ModelSynthesiser(Composer(), models.of("synthesiser")),
        conditions=conditions,
        schemas=schemas,
        clock=SystemClock(),
        people=people,
        listeners=listeners,
        historians=historians,
        notifiers=notifiers,
        dispatch=dispatch,
        summariser=ModelSummariser(models.of("summariser")) if models.of("summariser") else None,
    )


def bare_house(journal: Journal, historians: tuple[Historian, ...] = ()) -> House:
    """Give a house without agents and people: enough to carry out a command, not to perform work."""
    return furnished(journal, Nobody(), historians=historians)
