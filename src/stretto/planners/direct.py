"""Answers what needs no agent: questions about this orchestrator itself, from its own catalogue."""

import re

from stretto.core.domain import Catalogue, Interpretation, Plan
from stretto.planners.proposal import Proposal

_ABOUT = re.compile(
    r"^\W*(?:help|what\s+can\s+you\s+do(?:\s+for\s+me)?|what\s+do\s+you\s+do|who\s+are\s+you|how\s+can\s+you\s+help(?:\s+me)?"
    r"|(?:hi|hello|hey)(?:\s+there)?"
    r"|(?:list|show|name|which|what)\s+(?:me\s+)?(?:all\s+|are\s+)?(?:the\s+|your\s+)?(?:agents|skills|playbooks|specialists)"
    r"(?:\s+(?:are\s+there|do\s+you\s+have|are\s+available|can\s+i\s+use|exist))?)\W*$",
    re.IGNORECASE,
)


def propose(goal: str, catalogue: Catalogue) -> Proposal | None:
    """Give a plan without tasks that delivers the answer, or None when the goal asks for work."""
    if not _ABOUT.match(goal):
        return None
    text = _about(catalogue)
    interpretation = Interpretation(
        planner="direct",
        restated="say what can be done here",
        done=("the agents, skills and playbooks are named",),
        reasons=("the goal asks about the orchestrator itself",),
        mode="direct",
    )
    return Proposal(interpretation=interpretation, plan=Plan(deliver={"literal": text}))


def _about(catalogue: Catalogue) -> str:
    lines = ["I take a goal, plan it as tasks for the agents below, run and review them, and hand over one result."]
    for book in catalogue.playbooks:
        intents = " / ".join(f'"{one}"' for one in book.intents)
        lines.append(
            f"- playbook {book.name}: {book.description or intents}{f' ({intents})' if book.description else ''}"
        )
    for card in catalogue.agents:
        for skill in card.skills:
            lines.append(f"- {skill.name}: {skill.description or f'a skill of {card.name}'}")
    if len(lines) == 1:
        lines.append("No agent is registered yet: hand some over, or name them in workspace.yaml.")
    return "\n".join(lines)
