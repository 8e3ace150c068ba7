"""Plans from typed skills: found backward from what is asked for, cheapest first, and always the same."""

from dataclasses import dataclass
from typing import Annotated, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto import Orchestrator, agent, irreversible, pure
from stretto.core.domain import InputSpec, Json, Plan
from stretto.core.plan.diagnostics import errors
from stretto.planners.proposal import Proposal
from stretto.planners.rules.goals import LONGEST, read_goal
from stretto.planners.rules.words import verbs

Summary = NewType("Summary", str)


@dataclass
class Ticket:
    id: str
    text: str


@dataclass
class Order:
    number: str
    items: list[str]


@dataclass
class Reply:
    text: str


@pure
def read_ticket(file: str) -> Ticket:
    """Read a support ticket from a file."""
    return Ticket(id="1", text=file)


@pure
def pull_order(ticket: Ticket) -> Order:
    """Pull the order that a ticket is about."""
    return Order(number=ticket.id, items=[])


@pure
def draft(ticket: Ticket, order: Order) -> Reply:
    """Draft a reply to the customer."""
    return Reply(text=ticket.text + order.number)


@irreversible
def send(reply: Reply) -> str:
    """Send a reply to the customer."""
    return reply.text


DESK = [read_ticket, pull_order, draft, send]
FILE: dict[str, Json] = {"ticket": "/in/ticket.txt"}
FILE_SPEC = {"ticket": InputSpec(kind="file")}


def propose(team: list[object], goal: str, **inputs: Json) -> Proposal:
    return Orchestrator(team).propose(goal, inputs=inputs)  # type: ignore[arg-type]


def desk(goal: str, tmp: str = "/dev/null") -> Proposal:
    from stretto.planners.auto import propose as of

    return of(goal, FILE, FILE_SPEC, Orchestrator(DESK).catalogue)


def skills(plan: Plan | None) -> list[str]:
    assert plan is not None
    return [task.skill for task in plan.tasks]


def test_a_plan_is_found_backward_from_what_is_asked_for() -> None:
    found = desk("Draft a reply to this ticket")
    assert found.plan is not None
    assert skills(found.plan) == ["read_ticket", "pull_order", "draft"]
    assert found.plan.tasks[2].inputs == {
        "ticket": {"ref": "read_ticket.output"},
        "order": {"ref": "pull_order.output"},
    }
    assert found.plan.deliver == {"ref": "draft.output"}
    assert errors(Orchestrator(DESK).check(found.plan)) == []


def test_a_side_effect_is_planned_only_when_it_is_asked_for() -> None:
    assert "send" not in skills(desk("Draft a reply to the ticket").plan)
    assert skills(desk("Draft a reply to the ticket and send it").plan)[-1] == "send"


def test_the_same_goal_gives_the_same_proposal() -> None:
    assert desk("Pull the order and draft a reply") == desk("Pull the order and draft a reply")


def test_what_nobody_can_do_is_refused_with_what_could_be_done_instead() -> None:
    found = desk("Draft a reply and translate it into Finnish")
    assert found.plan is None
    assert found.refusal is not None
    assert "'translate it into Finnish'" in found.refusal.reason
    assert found.refusal.missing == ("a skill for 'translate it into Finnish'",)
    assert found.refusal.instead[0] == "ask only for: Draft a reply"


def test_a_missing_input_is_named_with_its_type_and_how_to_give_it() -> None:
    found = propose(DESK, "Draft a reply to the ticket")
    assert found.refusal is not None
    assert found.refusal.reason.startswith("read_ticket needs 'file' (string)")
    assert found.refusal.missing == ("file, with --input file=...",)


def test_a_file_that_the_goal_names_and_that_is_not_there_is_named() -> None:
    found = propose(DESK, "Draft a reply to tickets/7.txt")
    assert found.refusal is not None
    assert "'tickets/7.txt'" in found.refusal.reason


def test_bare_text_is_matched_by_the_name_of_its_type_before_that_of_the_parameter() -> None:
    @pure
    def shorten(text: str) -> Summary:
        """Summarise a text."""
        return Summary(text)

    @pure
    def raw(question: str) -> str:
        """Look up raw material."""
        return question

    @pure
    def judge(summary: Annotated[str, "Summary"]) -> int:
        """Rate a summary."""
        return len(summary)

    found = propose([raw, shorten, judge], "Rate the summary of 'a long text'")
    assert skills(found.plan) == ["shorten", "judge"]


def test_several_makers_of_one_type_are_named_and_a_cheap_guess_is_told() -> None:
    @pure
    def north(question: str) -> list[str]:
        """Give northern facts."""
        return [question]

    @pure
    def south(question: str) -> list[str]:
        """Give southern facts."""
        return [question]

    @pure
    def essay(facts: list[str]) -> str:
        """Write an essay."""
        return str(facts)

    found = propose([north, south, essay], "Write an essay about snow")
    assert skills(found.plan) == ["north", "essay"]
    assert any("north was taken; south would do as well" in one for one in found.interpretation.assumptions)


def test_where_a_wrong_guess_is_dear_the_goal_is_asked_about_and_the_answer_holds() -> None:
    @pure
    def polite(ticket: Ticket) -> Reply:
        """Give a polite answer."""
        return Reply(text=ticket.text)

    @pure
    def short(ticket: Ticket) -> Reply:
        """Give a short answer."""
        return Reply(text=ticket.text)

    from stretto.planners.auto import propose as of

    catalogue = Orchestrator([read_ticket, polite, short, send]).catalogue
    asked = of("Send a reply", FILE, FILE_SPEC, catalogue)
    assert asked.question is not None
    assert asked.question.choices == ("polite", "short")
    for answer in ("short", "2"):
        found = of("Send a reply", FILE, FILE_SPEC, catalogue, [(asked.question.text, answer)])
        assert skills(found.plan) == ["read_ticket", "short", "send"]
    wrong = of("Send a reply", FILE, FILE_SPEC, catalogue, [(asked.question.text, "loud")])
    assert wrong.refusal is not None
    assert "'loud' is none of polite, short" in wrong.refusal.reason


def test_the_cheaper_of_two_ways_is_taken() -> None:
    @agent(cost="$0.50", latency=60, effect="none")
    def expert(question: str) -> list[str]:
        """Give facts by an expert."""
        return [question]

    @pure
    def library(question: str) -> list[str]:
        """Give facts from the library."""
        return [question]

    @pure
    def essay(facts: list[str]) -> str:
        """Write an essay."""
        return str(facts)

    assert skills(propose([expert, library, essay], "Write an essay about snow").plan) == ["library", "essay"]


def test_many_files_are_worked_on_side_by_side_and_joined_where_a_list_is_taken() -> None:
    from stretto.planners.auto import propose as of

    @dataclass
    class Count:
        rows: int

    @pure
    def count(file: str) -> Count:
        """Count the rows of a file."""
        return Count(rows=len(file))

    @pure
    def combine(counts: list[Count]) -> int:
        """Combine all counts."""
        return sum(one.rows for one in counts)

    catalogue = Orchestrator([count, combine]).catalogue
    found = of("Combine the counts", {"files": ["/a", "/b"]}, {"files": InputSpec(kind="files")}, catalogue)
    assert found.plan is not None
    first, second = found.plan.tasks
    assert first.for_each is not None
    assert (first.for_each.items, first.inputs) == ({"ref": "inputs.files"}, {"file": {"ref": "item"}})
    assert second.inputs == {"counts": {"ref": "count.output"}}


async def test_the_five_lines_of_the_readme_need_no_plan() -> None:
    async def find(question: str) -> list[str]:
        return [question, "a fact"]

    async def write(facts: list[str]) -> str:
        return "; ".join(facts)

    run = await Orchestrator(agents=[find, write]).run("Compare A and B")
    assert (run.status, run.answer) == ("finished", "Compare A and B; a fact")
    assert run.state.interpretation is not None
    assert run.state.interpretation.mode == "chain"


@pytest.mark.parametrize(
    ("goal", "clauses"),
    [
        (
            "Analyze these logs, report breaches, and fix issues.",
            ["Analyze these logs", "report breaches", "fix issues"],
        ),
        ("Compare apples, pears and plums", ["Compare apples, pears and plums"]),
        ("Please could you summarise a.md, then verify it?", ["summarise a.md", "verify it?"]),
        ("Search 'this and fix that' in the notes", ["Search 'this and fix that' in the notes"]),
        ("What do a.md and b.md say about rent?", ["What do a.md and b.md say about rent?"]),
        ("Is a share of 42.1 % right? See b.csv", ["Is a share of 42.1 % right?"]),
        ("Run SELECT a FROM b.csv then write a report", ["Run SELECT a FROM b.csv", "write a report"]),
        ("", []),
        ("?!... ,,", []),
    ],
)
def test_a_goal_is_cut_where_a_new_wish_begins(goal: str, clauses: list[str]) -> None:
    assert [one.text for one in read_goal(goal, lambda stem: stem in verbs()).clauses] == clauses


@pytest.mark.parametrize(
    ("goal", "what", "value"),
    [
        ("What is 12% of 340?", "expression", "12% of 340"),
        ("How much is (3 + 4) * 2?", "expression", "(3 + 4) * 2"),
        ("Calculate the mean of 3, 4 and 5", "expression", "mean(3, 4, 5)"),
        ("Convert 3.5 km to miles", "expression", "3.5 km to miles"),
        ("Fetch https://example.org/a?b=c.", "url", "https://example.org/a?b=c"),
        ("Run SELECT a FROM t WHERE x > 3 on sales.csv", "sql", "SELECT a FROM t WHERE x > 3"),
        ("Run SELECT a FROM data/sales.csv then stop", "sql", 'SELECT a FROM "sales"'),
        ("Run SELECT a FROM data/sales.csv then stop", "path", "data/sales.csv"),
        ("select region, sum(units) from sales", "sql", "select region, sum(units) from sales"),
        ("Read ./notes/day-1.md now", "path", "./notes/day-1.md"),
        ("Translate “good morning”", "text", "good morning"),
    ],
)
def test_what_a_goal_says_literally_is_read_out_of_it(goal: str, what: str, value: str) -> None:
    said = read_goal(goal, lambda stem: stem in verbs()).said
    assert (what, value) in [(one.what, one.value) for one in said]


@given(st.text(max_size=400))
def test_any_text_is_read_as_a_goal_and_gives_a_proposal(text: str) -> None:
    assert desk(text).status in ("planned", "asks", "refused")


def test_a_goal_of_any_length_is_read_in_bounded_time() -> None:
    for piece in ("1+", "(", "a and ", "'", "https://", "/", "SELECT ", "summarise it, then "):
        assert desk(piece * LONGEST).status == "refused"


def files(*paths: str) -> tuple[dict[str, Json], dict[str, InputSpec]]:
    return {"files": list(paths)}, {"files": InputSpec(kind="files")}


@pure
def shorten(file: str) -> Summary:
    """Summarise a file."""
    return Summary(file)


@pure
def count(file: str) -> int:
    """Count the words of a file."""
    return len(file)


def reading(goal: str, *paths: str, answers: list[tuple[str, str]] | None = None) -> Proposal:
    from stretto.planners.auto import propose as of

    return of(goal, *files(*paths), Orchestrator([shorten, count, send]).catalogue, answers or [])


@pytest.mark.parametrize(
    "goal",
    [
        "Do not summarise /x/a.md",
        "Don't summarise /x/a.md.",
        "Don’t summarise /x/a.md",
        "Never summarise /x/a.md",
        "You must not summarise /x/a.md",
        "Please do not summarise /x/a.md and never count it",
    ],
)
def test_what_a_goal_forbids_is_not_planned(goal: str) -> None:
    found = reading(goal, "/x/a.md")
    assert found.plan is None
    assert "asks for no work" in str(found.refusal)


@pytest.mark.parametrize(
    "goal",
    [
        "Don't send a reply, just summarise /x/a.md",
        "Summarise /x/a.md but do not send a reply",
        "Summarise /x/a.md, and never send a reply",
        "Summarise /x/a.md. You must not send a reply.",
    ],
)
def test_only_what_a_goal_does_not_forbid_is_planned(goal: str) -> None:
    found = reading(goal, "/x/a.md")
    assert skills(found.plan) == ["shorten"]
    assert any("says what is not to be done" in one for one in found.interpretation.reasons)


def test_not_to_forget_something_is_to_do_it() -> None:
    assert skills(reading("Don't forget to summarise /x/a.md", "/x/a.md").plan) == ["shorten"]


def test_a_file_name_that_is_there_twice_is_asked_about() -> None:
    asked = reading("Summarise notes.md", "/a/notes.md", "/b/notes.md")
    assert asked.question is not None
    assert asked.question.choices == ("/a/notes.md", "/b/notes.md")
    found = reading("Summarise notes.md", "/a/notes.md", "/b/notes.md", answers=[(asked.question.text, "2")])
    assert found.plan is not None
    assert found.plan.tasks[0].inputs == {"file": {"ref": "inputs.files[1]"}}


def test_one_skill_on_two_files_is_two_tasks() -> None:
    found = reading("Summarise /a/n.md and summarise /b/n.md", "/a/n.md", "/b/n.md")
    assert found.plan is not None
    assert [one.inputs["file"] for one in found.plan.tasks] == [
        {"ref": "inputs.files[0]"},
        {"ref": "inputs.files[1]"},
    ]


def test_a_wish_about_results_that_cannot_take_them_is_refused() -> None:
    found = reading("Count the words of /a/n.md, then summarise the results", "/a/n.md")
    assert "shorten cannot take what count gives" in str(found.refusal)


def test_what_a_pronoun_was_taken_for_is_told() -> None:
    found = reading("Count the words of /a/n.md and summarise it", "/a/n.md")
    assert skills(found.plan) == ["count", "shorten"]
    assert "'it' in 'summarise it' is no result of an earlier task" in found.interpretation.assumptions
