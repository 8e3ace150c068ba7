"""A text is written from results, over real HTTP: in small windows, with every result cited, appended or waived."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from stretto import Assignment, Orchestrator, pure
from stretto.cli.output import conclude
from stretto.core.domain import RunStatus
from stretto.models import asking
from stretto.testing.models import Answer, Fault, ModelServer, RateLimited, Request, Rule, ServerError, When

NAMED = re.compile(r"^\[([\w.-]+)\]", re.MULTILINE)
MARKS = re.compile(r"\[([\w.-]+(?:, [\w.-]+)*)\]")


@pure
def find(topic: str) -> str:
    """Find out about a topic."""
    return f"What is known of {topic} is that its price rose in spring and that nobody expected it to."


@pure
def quote(work: Assignment, file: str, line: int) -> str:
    work.cite(file, line)
    return f"Line {line} of the notes says what there is to say about it."


def serving(*rules: Rule) -> ModelServer:
    return ModelServer(rules, key=None)


def team(server: ModelServer, *agents: Any, window: int = 16_000) -> Orchestrator:
    small = {"model": "small", "url": server.url, "window": window}
    return Orchestrator(agents or [find], models={"synthesiser": "small", "small": small})


def finds(*topics: str) -> dict[str, Any]:
    return {f"t{number}": {"skill": "find", "inputs": {"topic": one}} for number, one in enumerate(topics, 1)}


def text(said: str, **left_out: str) -> Answer:
    return Answer(json={"text": said, "left_out": [{"result": mark, "why": why} for mark, why in left_out.items()]})


def written(what: str, *ids: str) -> dict[str, Any]:
    return {"write": what, "from": [{"ref": f"{id_}.output"} for id_ in ids]}


def told(request: Request) -> list[str]:
    """Give the results that a prompt names, those inside a text that was written before included."""
    user = request.user
    return list(dict.fromkeys([*NAMED.findall(user), *(m for g in MARKS.findall(user) for m in g.split(", "))]))


def faithful(request: Request) -> Answer:
    return text("\n".join(f"Something rests on this [{mark}]." for mark in told(request)))


async def test_a_text_is_written_and_its_marks_lead_to_what_the_results_cite(tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("one\ntwo\nthree\n")
    tasks = {f"t{line}": {"skill": "quote", "inputs": {"file": str(notes), "line": line}} for line in (1, 3)}
    say = text("The end comes third [t3]. It begins with one [t1].")
    with serving(Rule(when=When(system="You write one text"), say=say)) as server:
        plan = {"tasks": tasks, "deliver": written("a letter", "t1", "t3")}
        run = await team(server, quote).run("write", plan=plan)
    assert run.status == "finished"
    assert run.answer == "The end comes third [t3]. It begins with one [t1]."
    assert [(one.mark, one.citations[0].line) for one in run.state.delivery.footnotes] == [("t3", 3), ("t1", 1)]  # type: ignore[union-attr]
    assert [one.line for one in run.citations] == [3, 1]
    assert "What the text should be: a letter" in server.requests[0].user
    assert run.state.coordination.usage.tokens > 0
    told = StringIO()
    conclude(run, "", told)
    assert f"\nsources:\n  [t3]  {notes}:3\n  [t1]  {notes}:1\n" in told.getvalue()


async def test_a_result_that_is_not_mentioned_is_asked_for_once_more() -> None:
    say = (text("Only one [t1]."), text("Both [t1, t2]."))
    with serving(Rule(say=say)) as server:
        plan = {"tasks": finds("oats", "rye"), "deliver": written("a note", "t1", "t2")}
        run = await team(server).run("write", plan=plan)
    assert run.answer == "Both [t1, t2]."
    assert "[t2] is not mentioned" in server.requests[1].user


async def test_what_is_left_out_with_a_reason_is_waived_with_it() -> None:
    with serving(Rule(say=text("Rye rose [t2].", t1="it says the same of oats"))) as server:
        plan = {"tasks": finds("oats", "rye"), "deliver": written("a note", "t1", "t2")}
        run = await team(server).run("write", plan=plan)
    assert run.status == "finished"
    assert [(one.task, one.why) for one in run.state.delivery.waived] == [("t1", "it says the same of oats")]  # type: ignore[union-attr]


async def test_what_is_never_mentioned_is_appended_as_it_is() -> None:
    with serving(Rule(say=text("Rye rose [t2]."))) as server:
        plan = {"tasks": finds("oats", "rye"), "deliver": written("a note", "t1", "t2")}
        run = await team(server).run("write", plan=plan)
    assert run.answer == f"Rye rose [t2].\n\n{find('oats')} [t1]"
    assert run.state.delivery.waived == ()  # type: ignore[union-attr]
    assert len(server.requests) == 2


async def test_a_mark_that_stands_for_nothing_is_refused_and_the_results_are_handed_over_with_a_gap() -> None:
    with serving(Rule(say=text("It rose [t1, t2, t9]."))) as server:
        plan = {"tasks": finds("oats", "rye"), "deliver": written("a note", "t1", "t2")}
        run = await team(server).run("write", plan=plan)
    assert run.status == "partial"
    assert run.answer == {"t1": find("oats"), "t2": find("rye")}
    (gap,) = run.gaps
    assert gap.what == "the text: a note"
    assert "names results that are none: [t9]; the results are handed over as they are" in gap.why
    assert "[t9] is no result" in server.requests[1].user


async def test_brackets_that_a_result_has_itself_may_be_quoted() -> None:
    @pure
    def odd() -> str:
        return "They wrote 'teh [sic] price' in every letter that they sent us."

    with serving(
        Rule(say=text("They wrote 'teh [sic] price' [t1], see [here](https://example.org) - [x] done."))
    ) as server:
        plan = {"tasks": {"t1": {"skill": "odd"}}, "deliver": written("a note", "t1")}
        run = await team(server, odd).run("write", plan=plan)
    assert run.status == "finished"


async def test_sixty_results_are_written_up_in_a_window_of_4000_tokens_and_every_one_is_cited() -> None:
    @pure
    def long(topic: str) -> str:
        return f"Of {topic} much is known. " + "The price rose in spring, and then it fell again in the autumn. " * 8

    tasks = {f"t{number}": {"skill": "long", "inputs": {"topic": f"grain {number}"}} for number in range(60)}
    with serving(Rule(say=faithful)) as server:
        plan = {"tasks": tasks, "deliver": written("a survey", *tasks)}
        run = await team(server, long, window=4_000).run("write", plan=plan)
    assert run.status == "finished", run.gaps
    cited = {one.mark for one in run.state.delivery.footnotes}  # type: ignore[union-attr]
    assert cited == set(tasks)
    assert run.state.delivery.waived == ()  # type: ignore[union-attr]
    assert len(server.requests) > 2
    assert all(one.input < 4_000 for one in server.requests)


async def test_a_fan_out_is_cited_item_by_item() -> None:
    tasks = {"each": {"skill": "find", "for_each": ["oats", "rye"], "inputs": {"topic": {"ref": "item"}}}}
    with serving(Rule(say=faithful)) as server:
        run = await team(server).run("write", plan={"tasks": tasks, "deliver": written("a note", "each")})
    assert [one.mark for one in run.state.delivery.footnotes] == ["each.0", "each.1"]  # type: ignore[union-attr]
    assert run.state.delivery.waived == ()  # type: ignore[union-attr]


async def test_one_result_larger_than_the_window_is_read_in_parts() -> None:
    @pure
    def book() -> str:
        return "The price of rye rose again, as it had the year before. " * 900

    with serving(Rule(say=faithful)) as server:
        plan = {"tasks": {"t1": {"skill": "book"}}, "deliver": written("a summary", "t1")}
        run = await team(server, book, window=4_000).run("write", plan=plan)
    assert run.status == "finished", run.gaps
    assert "t1" in run.answer
    assert "part 1 of" in server.requests[0].user
    assert all(one.input < 4_000 for one in server.requests)


async def test_results_that_contradict_each_other_are_told_to_the_writer() -> None:
    @pure
    def said(words: str) -> str:
        return words

    @pure
    def heard(words: str) -> str:
        return words

    tasks = {
        "t1": {"skill": "said", "inputs": {"words": "The harvest of rye was 40 tons."}},
        "t2": {"skill": "heard", "inputs": {"words": "The harvest of rye was 60 tons."}},
    }
    with serving(Rule(say=faithful)) as server:
        await team(server, said, heard).run("write", plan={"tasks": tasks, "deliver": written("a note", "t1", "t2")})
    assert "These results contradict each other" in server.requests[0].user


async def test_texts_become_one_without_a_word_of_the_plan_and_tables_do_not() -> None:
    @pure
    def table(topic: str) -> dict[str, int]:
        return {topic: 1}

    with serving(Rule(say=faithful)) as server:
        run = await team(server, find, table).run("write", plan={"tasks": finds("oats", "rye")})
        assert isinstance(run.answer, str)
        plan = {"tasks": {**finds("oats"), "t2": {"skill": "table", "inputs": {"topic": "rye"}}}}
        run = await team(server, find, table).run("write", plan=plan)
    assert run.answer == {"t1": find("oats"), "t2": {"rye": 1}}
    assert len(server.requests) == 1


async def test_without_a_model_that_writes_the_results_are_handed_over_and_a_gap_says_how_to_mend_it() -> None:
    plan = {"tasks": finds("oats"), "deliver": written("a note", "t1")}
    run = await Orchestrator([find]).run("write", plan=plan)
    assert run.status == "partial"
    assert run.answer == {"t1": find("oats")}
    assert "name one under `models:`" in run.gaps[0].why


async def test_a_writer_that_fails_for_good_costs_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE", 0.01)
    faults: tuple[Fault, ...] = (ServerError(times="always"),)
    with serving(Rule(faults=faults)) as server:
        plan = {"tasks": finds("oats"), "deliver": written("a note", "t1")}
        run = await team(server).run("write", plan=plan)
    assert run.status == "partial"
    assert run.answer == {"t1": find("oats")}
    assert "the results are handed over as they are" in run.gaps[0].why


async def test_a_writer_that_is_busy_is_asked_again() -> None:
    faults: tuple[Fault, ...] = (RateLimited(retry_after=0.01),)
    with serving(Rule(say=faithful, faults=faults)) as server:
        plan = {"tasks": finds("oats"), "deliver": written("a note", "t1")}
        run = await team(server).run("write", plan=plan)
    assert run.status == "finished"
    assert len(server.requests) == 2


async def test_a_text_that_cannot_be_read_is_asked_for_again() -> None:
    with serving(Rule(say=('{"text": "It ro', text("It rose [t1].")))) as server:
        plan = {"tasks": finds("oats"), "deliver": written("a note", "t1")}
        run = await team(server).run("write", plan=plan)
    assert run.answer == "It rose [t1]."
    assert run.status == RunStatus.FINISHED
