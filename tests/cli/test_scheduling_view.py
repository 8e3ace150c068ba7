"""What a person sees of joins, rounds, waits and deadlines: in `plan`, in the picture of a run, and in `show`."""

from pathlib import Path

from stretto.core.commands import AddTask, ClosePlan, Command, Judged, ReportOutcome, ReportReview, SubmitGoal
from stretto.core.decide import step
from stretto.core.domain import (
    AgentCard,
    Catalogue,
    Completed,
    Join,
    Limits,
    Repeat,
    Review,
    SideEffect,
    Skill,
    Task,
    Verdict,
)
from stretto.core.events import Event
from stretto.core.reconcile import judgements
from stretto.core.state import RunState
from stretto.core.timeline import timeline
from stretto.telling.rows import Kind, Row, rows_of
from tests.cli.program import look, stretto

PLAN = """
tasks:
  near: {skill: work.look, inputs: {place: near}}
  far: {skill: work.look, inputs: {place: far}, limits: {deadline: 2h}}
  pick:
    skill: work.look
    join: {of: [near, far], take: first}
    inputs: {place: {ref: "joined[0]"}}
  again:
    skill: work.look
    repeat: {max: 3, until: round == 1, pause: 0.05}
    wait: 0.05
    after: pick
    inputs: {place: here}
deliver: {ref: again.output}
"""


def workspace(folder: Path) -> Path:
    (folder / "workspace.yaml").write_text("name: w\nagents: [work.py]\nplan: plan.yaml\n")
    (folder / "work.py").write_text(
        "from stretto import pure\n\n@pure\ndef look(place: str) -> str:\n    '''Look.'''\n    return place\n"
    )
    (folder / "plan.yaml").write_text(PLAN)
    return folder


def test_the_command_line_shows_them_before_and_after_a_run(tmp_path: Path) -> None:
    folder = workspace(tmp_path)
    planned = look("plan", cwd=folder).out
    for said in (
        "after the first of near, far",
        "0.1 s after pick; up to 3 rounds until round == 1, 0.1 s apart",
        "done within 2h",
    ):
        assert said in planned, planned
    told = {one["id"]: one for one in stretto("run", "go", "--json", cwd=folder).json["tasks"]}
    assert told["pick"]["took"] in (["near"], ["far"])
    assert told["again"]["rounds"] == 2
    assert {"again[0]", "again[1]"} <= told.keys()
    shown = look("show", "last", cwd=folder).out
    assert "took near" in shown or "took far" in shown
    assert "round 1" in shown


class Story:
    """A run in the core, step by step, at moments of its own."""

    def __init__(self, *tasks: Task) -> None:
        skill = Skill(name="x", effect=SideEffect.NONE, inputs={"type": "object"})
        agents = (AgentCard(name="a", skills=(skill,)),)
        self.state, self.events = RunState(), list[Event]()
        self.say(SubmitGoal(at=0.0, run="r", goal="g", catalogue=Catalogue(agents=agents)))
        for one in tasks:
            self.say(AddTask(at=0.0, revision=1, task=one))
        self.say(ClosePlan(at=0.0, revision=1))

    def say(self, command: Command) -> None:
        events, self.state = step(self.state, command)
        self.events += events

    def start(self, at: float) -> None:
        for one in judgements(self.state):
            verdict = Verdict(decision="allow", rule="test")
            whole = self.state.tasks[one.task]
            rounds = (whole.children or 0) if whole.task.repeat is not None and whole.number is None else None
            answer = Judged(at=at, task=one.task, attempt=one.attempt, agent="a", rounds=rounds)
            self.say(answer if rounds is not None else Judged(
                at=at, task=one.task, attempt=one.attempt, agent="a", verdict=verdict, arguments={"at": at},
            ))  # fmt: skip

    def finish(self, id_: str, at: float) -> None:
        self.say(ReportOutcome(at=at, task=id_, attempt=1, outcome=Completed(output=at)))
        self.say(ReportReview(at=at, task=id_, attempt=1, review=Review(accepted=True, reviewer="test")))

    def rows(self, now: float) -> dict[str, Row]:
        return {row.id: row for row in rows_of(self.state, now)}


def test_the_picture_says_what_is_joined_what_is_waited_for_and_when_the_next_round_comes() -> None:
    story = Story(
        *(Task(id=name, skill="x") for name in "abc"),
        Task(id="j", skill="x", join=Join(of=("a", "b", "c"), take=2)),
        Task(id="w", skill="x", after=("j",), wait=3600.0),
        Task(id="r", skill="x", repeat=Repeat(max=3, until="false", pause=60.0)),
    )
    story.start(1.0)
    assert story.rows(1.0)["j"].note == "waits for 2 of a, b, c"
    story.finish("a", 2.0)
    assert story.rows(2.0)["j"].note == "waits for 1 of b, c"
    story.finish("c", 3.0)
    assert story.rows(3.0)["b"].note == "not needed: 'j' took 'a', 'c'"
    story.start(3.0)
    story.finish("j", 4.0)
    assert story.rows(4.0)["j"].note.startswith("took a, c")
    assert (story.rows(64.0)["w"].kind, story.rows(64.0)["w"].note) == (Kind.BLOCKED, "waits 59:00 more")
    story.finish("r[0]", 5.0)
    story.start(5.0)
    assert story.rows(5.0)["r"].note == "1 done; the next round in 1:00"
    assert story.rows(5.0)["r[0]"].note == "round 0"


def test_the_timeline_counts_a_round_from_the_one_before_and_a_wait_from_its_end() -> None:
    story = Story(Task(id="r", skill="x", repeat=Repeat(max=2)), Task(id="z", skill="x", limits=Limits(deadline=9.0)))
    story.start(1.0)
    story.start(1.0)
    story.finish("r[0]", 4.0)
    story.start(4.5)
    handoffs = {one.task: (one.after, one.seconds) for one in timeline(story.events).handoffs}
    assert handoffs == {"r[1]": ("r[0]", 0.5)}
