"""A run as others see it: plain values for `--json`, Python and pages."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from stretto.core.audit import Envelope
from stretto.core.canonical import canonical
from stretto.core.chains import coming
from stretto.core.domain import (
    Artifact,
    Citation,
    Contradiction,
    Cost,
    Delivery,
    Footnote,
    Gap,
    Interpretation,
    Json,
    Rating,
    Request,
    Usage,
)
from stretto.core.holds import PROVIDER
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.writing import write_task
from stretto.core.state import LIMIT, WAIT, RunState, TaskState, gaps, is_undone, team_run, written
from stretto.core.timeline import Timeline
from stretto.core.wake import wake
from stretto.ledger import budget_view
from stretto.ports import RunSummary
from stretto.usage import calls_view, meter_view, usage_of, usage_view

_SCHEDULING = ("join", "repeat", "wait")
BEGINS = 200
"""Characters of a context entry that are shown; the whole is one `--entry` away."""


EDITION_SHOWN = 12
"""Letters of an edition's hash that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Run:
    """What came of a run, or has come of it so far."""

    state: RunState

    def __repr__(self) -> str:
        return f"<Run {self.run_id} {self.status}: {self.state.completed} of {self.state.planned} tasks>"

    @property
    def run_id(self) -> str:
        return self.state.run

    @property
    def status(self) -> str:
        """`finished`, `partial`, `failed` or `cancelled`; `planning`, `running` or `waiting` before the end."""
        return self.state.standing.value

    @property
    def wake(self) -> float | None:
        """When it has something to do again on its own (see `stretto.core.wake`), in seconds since the epoch."""
        return wake(self.state)

    @property
    def answer(self) -> Json:
        return self._delivery.answer

    @property
    def paused(self) -> str | None:
        """Why nothing new begins, if it is so; `resume` goes on."""
        return self.state.paused

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return self._delivery.gaps if self.state.delivery is not None else gaps(self.state)

    @property
    def cost(self) -> Cost:
        return self.state.spent

    @property
    def usage(self) -> Usage:
        """The tokens that models read and wrote for it."""
        return usage_of(self.state)

    @property
    def coordination(self) -> Cost:
        """What planning, reviewing, summarising and composing cost; all else that it cost is work."""
        return self.state.coordination.cost

    @property
    def citations(self) -> tuple[Citation, ...]:
        return self._delivery.citations

    @property
    def contradictions(self) -> tuple[Contradiction, ...]:
        """Where accepted results say different things of one subject."""
        return self._delivery.contradictions

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """What should be known of how results were reviewed: (task, note)."""
        return self._delivery.notes

    @property
    def footnotes(self) -> tuple[Footnote, ...]:
        """What the marks in a written answer stand for."""
        return self._delivery.footnotes

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """The files that accepted results brought, in the order of the plan."""
        return tuple(artifact for _, artifact in artifacts_of(self.state))

    @property
    def requests(self) -> tuple[dict[str, Any], ...]:
        """What waits for a person."""
        return tuple(
            request_view(one) for one in sorted(self.state.requests.values(), key=lambda one: (one.asked, one.id))
        )

    @property
    def ratings(self) -> tuple[Rating, ...]:
        """How content people are with what it delivered, the newest word of each, by name."""
        return tuple(self.state.ratings[by] for by in sorted(self.state.ratings))

    @property
    def rating(self) -> float | None:
        """How content people are with what it delivered, from 1 to 5 on average; None while nobody has said."""
        return fmean(one.score for one in self.ratings) if self.ratings else None

    @property
    def _delivery(self) -> Delivery:
        return self.state.delivery or Delivery()

    def as_json(self, files: dict[tuple[str, str], str] | None = None) -> dict[str, Any]:
        """Give everything of interest; `files` tells where artifacts were written."""
        state = self.state
        return {
            **self.head(files),
            "tasks": [task_view(state, state.ids[position]) for position in range(len(state.ids))],
            "context": context_view(state),
            "plan": plan_view(state),
        }

    def head(self, files: dict[tuple[str, str], str] | None = None) -> dict[str, Any]:
        """Give everything of interest but what grows with the plan: its tasks, and their context."""
        state = self.state
        return {
            "run_id": state.run,
            "goal": state.goal,
            "interpretation": interpretation_view(state.interpretation),
            "status": self.status,
            "answer": self.answer,
            "artifacts": [
                {
                    "name": artifact.name,
                    "media": artifact.media,
                    "task": task,
                    "path": (files or {}).get((task, artifact.name)),
                }
                for task, artifact in artifacts_of(state)
            ],
            "citations": [{"file": one.file, "line": one.line, "text": one.text} for one in self.citations],
            "waived": [{"task": one.task, "why": one.why} for one in self._delivery.waived],
            "contradictions": [
                {"subject": one.subject, "said": [{"task": task, "text": text} for task, text in one.said]}
                for one in self._delivery.contradictions
            ],
            "notes": [{"task": task, "note": note} for task, note in self._delivery.notes],
            "footnotes": [footnote_view(one) for one in self._delivery.footnotes],
            "gaps": [{"task": one.task, "what": one.what, "why": one.why, "urgent": one.urgent} for one in self.gaps],
            "requests": list(self.requests),
            "rating": self.rating,
            "ratings": [rating_view(one) for one in self.ratings],
            "paused": self.paused,
            "holds": holds_view(state),
            "unheard": [
                {"alert": id_, "channel": channel, "error": error}
                for id_, errors in sorted(state.unheard.items())
                for channel, error in errors
            ],
            "cost": cost_view(state.spent, state.steps),
            "usage": usage_view(state),
            "budget": budget_view(state),
            "expected_seconds": state.expected,
            "forked_from": state.forked_from or None,
            "edition": state.edition or None,
            "edition_note": state.edition_note or None,
            "replans": state.replans,
            "cancelling": moment(state.cancelling),
            "started": moment(state.started),
            "ended": moment(state.ended),
            "wake": moment(self.wake),
        }


def rating_view(one: Rating) -> dict[str, Any]:
    """Give what a person said of a delivery: `score` is from 1 to 5."""
    return {"by": one.by, "score": one.score, "words": one.words, "at": moment(one.at)}


def footnote_view(one: Footnote) -> dict[str, Any]:
    """Give what a mark in a written answer stands for."""
    cited = [{"file": found.file, "line": found.line, "text": found.text} for found in one.citations]
    return {"mark": one.mark, "task": one.task, "citations": cited}


def holds_view(state: RunState) -> list[dict[str, Any]]:
    """Give the agents and providers that get no work, with the reason; `until` is null while a probe is awaited."""
    return [
        {
            "agent": None if key.startswith(PROVIDER) else key,
            "provider": key.removeprefix(PROVIDER) if key.startswith(PROVIDER) else None,
            "until": moment(hold.until),
            "why": hold.why,
            "probing": hold.probing,
        }
        for key, hold in sorted(state.holds.items())
    ]


def request_view(one: Request) -> dict[str, Any]:
    """Give what waits for a person: what is asked, of whom, until when, and who or what comes then."""
    return {
        "request": one.id,
        "task": one.task,
        "kind": one.kind,
        "question": one.question,
        **({"tool": one.tool} if one.call else {}),
        "choices": list(one.choices),
        "arguments": one.arguments,
        "diff": one.diff,
        **({"result": one.result} if one.kind == "review" else {}),
        "asked": moment(one.asked),
        "to": one.to,
        "step": one.step,
        "due": moment(one.due),
        "reminded": one.reminded,
        "then": list(coming(one)),
        "missed": [{"who": who, "due": moment(due)} for who, due in one.missed],
    }


def artifacts_of(state: RunState) -> list[tuple[str, Artifact]]:
    """Give the files of accepted results with their tasks, in the order of the plan; none of what was undone."""
    found = []
    for position in range(len(state.ids)):
        id_ = state.ids[position]
        one = state.tasks[id_]
        if one.result is not None and one.status.value == "completed" and not one.undone:
            found += [(id_, artifact) for artifact in one.result.artifacts]
    return found


def artifact_bytes(artifact: Artifact) -> bytes:
    """Give an artifact's content."""
    if artifact.encoding == "base64":
        return base64.b64decode(artifact.content)
    return artifact.content.encode()


def task_view(state: RunState, id_: str) -> dict[str, Any]:
    """Give one task for people and programs."""
    one: TaskState = state.tasks[id_]
    return {
        "id": id_,
        "skill": one.task.skill,
        "agent": one.agent,
        "status": one.status.value,
        "attempts": one.attempt,
        "started": moment(one.started),
        "ended": moment(one.ended),
        "objective": one.task.objective,
        "reason": one.reason,
        "failure": one.failure.value if one.failure else None,
        "taken_by": one.taken_by,
        "cost": cost_view(one.cost, one.attempt),
        "run": team_run(state.run, id_, one.turn) if is_team_work(state, one) else None,
        "shortened": {
            name: {"characters": how.characters, "kept": how.kept, "how": how.how, "why": how.why}
            for name, how in one.shortened.items()
        },
        "rungs": [
            {
                "attempt": step.attempt,
                "failure": step.failure.value,
                "by": step.by,
                "rung": step.do,
                "agent": step.agent or None,
                "why": step.why,
            }
            for step in one.climbed
        ],
        **_scheduling_view(state, id_, one),
        **({"usage": meter_view(one.meter), "calls": calls_view(one)} if one.calls or one.meter.calls else {}),
        "undo": one.undo,
        "undone": is_undone(state, id_),
        "undone_because": one.because if one.undone else "",
        "undoes": one.task.undoes,
    }


def is_team_work(state: RunState, one: TaskState) -> bool:
    """Whether a task was given to a team, and so has a run of its own."""
    return one.agent is not None and state.roster.agents[one.agent].kind == "team"


def _scheduling_view(state: RunState, id_: str, one: TaskState) -> dict[str, Any]:
    """Give what a join took, how many rounds there were, and which moments a task waits for; nothing of other tasks."""
    found: dict[str, Any] = {}
    if one.joining is not None:
        found["took"] = [one.joining.taken[number] for number in range(len(one.joining.taken))]
    if one.rounds is not None and one.number is None:
        found["rounds"] = one.children
    for name, kind in (("waits_until", WAIT), ("deadline", LIMIT)):
        if (until := state.timers.get(f"{kind}/{id_}")) is not None:
            found[name] = moment(until)
    return found


def plan_view(state: RunState) -> dict[str, Any]:
    """Give the plan as it was run: tasks with what they wait for, and what is delivered."""
    return {
        "revision": state.revision,
        "tasks": [
            {
                "id": id_,
                "skill": one.task.skill,
                "needs": sorted(one.needs),
                "inputs": one.task.inputs,
                **{name: value for name, value in write_task(one.task).items() if name in _SCHEDULING},
            }
            for id_, one in (
                (state.ids[position], state.tasks[state.ids[position]]) for position in range(len(state.ids))
            )
            if one.parent is None
        ],
        "deliver": state.deliver,
        "diagnostics": [diagnostic_view(one) for one in state.diagnostics],
    }


def interpretation_view(one: Interpretation | None) -> dict[str, Any] | None:
    """Give what a planner made of a goal, and what each way to pursue it would cost."""
    if one is None:
        return None
    return {
        "planner": one.planner,
        "playbook": one.playbook or None,
        "restated": one.restated,
        "done": list(one.done),
        "assumptions": list(one.assumptions),
        "reasons": list(one.reasons),
        "repaired": list(one.repaired),
        "mode": one.mode,
        "estimates": [
            {
                "mode": way.mode,
                "possible": way.possible,
                "why": way.why,
                "tasks": way.tasks,
                "seconds": way.seconds,
                "cost": {"money": float(way.cost.money), "tokens": way.cost.tokens},
                "overhead_seconds": round(way.overhead, 6),
            }
            for way in one.estimates
        ],
    }


def context_view(state: RunState) -> list[dict[str, Any]]:
    """Give every version of every context entry: who wrote it, when, from what, how large it is and how it begins."""
    found = []
    for key, versions in state.context.items():
        spec = state.catalogue.context.get(key)
        for entry in versions:
            raw = canonical(written(state, entry))
            text = raw.decode()
            found.append(
                {
                    "key": key,
                    "version": entry.version,
                    "newest": entry.version == len(versions),
                    "undone": is_undone(state, entry.task),
                    "task": entry.task,
                    "agent": state.tasks[entry.task].agent,
                    "attempt": entry.attempt,
                    "at": moment(entry.at),
                    "from": sorted(state.tasks[entry.task].needs),
                    "reads": dict(entry.reads),
                    "read_by": sorted(id_ for id_, one in state.tasks.items() if one.reads.get(key) == entry.version),
                    "stale_for": sorted(
                        id_ for id_, one in state.tasks.items() if one.stale.get(key, (0, 0))[0] == entry.version
                    ),
                    "bytes": len(raw),
                    "sha256": hashlib.sha256(raw).hexdigest(),
                    "begins": text if len(text) <= BEGINS else text[:BEGINS] + "…",
                    "description": spec.description if spec is not None else "",
                }
            )
    return found


def entry_value(state: RunState, wanted: str) -> Json:
    """Give a context entry by `KEY` (newest) or `KEY@VERSION`; raises LookupError with what there is."""
    key, _, version = wanted.rpartition("@") if "@" in wanted else (wanted, "", "")
    versions = state.context.get(key)
    if versions is None:
        raise LookupError(f"there is no context entry {key!r}; there are {', '.join(sorted(state.context)) or 'none'}")
    if version and not (version.isdigit() and 0 < int(version) <= len(versions)):
        raise LookupError(f"{key!r} has the versions 1 to {len(versions)}, not {version!r}")
    return written(state, versions[int(version or len(versions)) - 1])


def diagnostic_view(one: Diagnostic) -> dict[str, Any]:
    """Give a finding of the checker."""
    return {
        "code": one.code,
        "severity": one.severity,
        "where": one.where or one.path,
        "message": one.message,
        "mend": one.mend,
        "repaired": one.repaired,
    }


def edition_name(edition: str) -> str:
    """Give an edition of a workspace as people read it: the first letters of its hash tell it from all others kept."""
    return f"edition {edition[:EDITION_SHOWN]}" if edition else "whatever stands in the folder"


def cost_view(cost: Cost, steps: int) -> dict[str, Any]:
    """Give a cost: dollars, tokens, attempts."""
    return {"money": float(cost.money), "tokens": cost.tokens, "steps": steps}


def summary_view(one: RunSummary) -> dict[str, Any]:
    """Give a line of the list of runs."""
    return {
        "run_id": one.run,
        "goal": one.goal,
        "status": one.status,
        "started": moment(one.started),
        "ended": moment(one.ended),
        "cost": {"money": float(one.cost.money), "tokens": one.cost.tokens},
        "gaps": one.gaps,
        "tasks": one.tasks,
        "completed": one.completed,
        "wake": moment(one.wake),
        "asks": one.asks,
    }


def timeline_view(line: Timeline) -> dict[str, Any]:
    """Give when what ran: stretches of work and of waiting for people, handoffs, gaps, and how much at once."""
    return {
        "begin": moment(line.begin),
        "end": moment(line.end),
        "busy_seconds": round(line.busy, 6),
        "idle_seconds": round(line.idle, 6),
        "parallel": round(line.parallel, 6),
        "most_at_once": line.most,
        "stretches": [
            {
                "task": one.task,
                "kind": one.kind,
                "attempt": one.attempt,
                "agent": one.agent or None,
                "begin": moment(one.begin),
                "end": moment(one.end),
                "ending": one.ending,
            }
            for one in line.stretches
        ],
        "handoffs": [{"task": one.task, "after": one.after, "seconds": round(one.seconds, 6)} for one in line.handoffs],
        "gaps": [{"begin": moment(begin), "end": moment(end)} for begin, end in line.gaps],
    }


def envelope_view(one: Envelope) -> dict[str, Any]:
    """Give an event as it is stored, with all that its hash covers: `at` in seconds, the payload as the text it is."""
    return {
        "seq": one.seq,
        "at": one.at,
        "actor": one.actor,
        "type": one.type,
        "version": one.version,
        "payload": one.payload.decode(errors="replace"),
        "previous": one.previous,
        "hash": one.hash,
    }


def moment(at: float | None) -> str | None:
    """Give a moment as ISO 8601 in UTC, to the millisecond."""
    return (
        None
        if at is None
        else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
