"""`pause`, and what the command line shows of pauses, holds and their settings in a workspace."""

import json
from collections.abc import Callable

import pytest

from stretto.bootstrap import open_workspace
from stretto.cli.view.layout import layout
from stretto.cli.view.lines import plain_text
from stretto.core.domain import Breaker, Hold, Provider, Rate
from stretto.core.errors import BadWorkspace
from stretto.core.events import AgentHeld, BreakerOpened
from stretto.core.evolve.holds import held
from stretto.core.state import RunState
from tests.cli.program import Place, eventually
from tests.notifiers.servers import HookServer

Make = Callable[[str], Place]

TWO = """
tasks:
  stand: {skill: job.stand, inputs: {file: WORLD}}
  after: {skill: job.echo, inputs: {text: done}, after: [stand]}
deliver: {ref: after.output}
"""


def test_a_run_is_paused_from_another_terminal_and_resumed(make: Make) -> None:
    place = make(TWO)
    driving = place.start("run", "--plain")
    eventually(place.owner)

    paused = place.look("pause", "last", "--reason", "the line is needed")
    assert paused.code == 0
    assert "go on with: stretto resume" in paused.out
    eventually(lambda: place.show()["paused"])
    place.world.write_text("come")
    out, err = driving.communicate(timeout=60)

    assert driving.returncode == 4
    assert "paused: the line is needed" in err
    assert "paused: the line is needed; go on: stretto resume" in out
    shown = place.show()
    assert (shown["status"], shown["paused"]) == ("waiting", "the line is needed")
    assert {one["id"]: one["status"] for one in shown["tasks"]} == {"stand": "completed", "after": "pending"}
    assert "paused: the line is needed; go on: stretto resume" in place.look("show", "last").out
    assert place.look("runs").out.count("waiting") == 1

    resumed = place.stretto("resume", "last", "--json")
    assert (resumed.code, resumed.json["answer"], resumed.json["paused"]) == (0, "done", None)


def test_resume_tells_the_process_that_drives_a_paused_run_to_go_on(make: Make) -> None:
    place = make(TWO)
    driving = place.start("run", "--wait", "--plain")
    eventually(place.owner)
    place.look("pause", "last")
    eventually(lambda: place.show()["paused"])
    place.world.write_text("come")

    told = place.look("resume", "last")
    assert (told.code, "goes on in" in told.out) == (0, True), told.err
    driving.communicate(timeout=60)
    assert driving.returncode == 0


def test_a_run_that_nobody_drives_is_paused_at_once_and_an_ended_one_is_not(make: Make) -> None:
    place = make("tasks: {ask: {skill: job.ask}}\ndeliver: {ref: ask.output}\n")
    assert place.stretto("run").code == 4
    assert " is paused: paused by " in place.look("pause", "last").out
    place.look("answer", "last", "blue")
    assert place.stretto("resume", "last").code == 0
    assert "had ended before: finished" in place.look("pause", "last").out
    assert place.look("pause", "nobody").code == 2


WORKSPACE = """
name: limits
agents:
  - {python: agents/job.py, provider: cloud, rate: 60/min, breaker: off, concurrency: 3}
  - {use: fetch, allow: [example.org], rate: {requests: 5}}
providers:
  cloud: {concurrency: 2, rate: "9 requests/min, 1000 tokens/min", breaker: {failures: 2, pause: 1.5}}
rules: {breaker: {failures: 3}, most_failures: 25, stall: 0.25}
notify: [terminal]
"""


def test_a_workspace_sets_rates_breakers_and_providers(make: Make) -> None:
    place = make(TWO)
    (place.folder / "workspace.yaml").write_text(WORKSPACE)
    catalogue = open_workspace(place.folder).catalogue
    job, fetch = catalogue.agents
    assert (job.provider, job.rate, job.breaker) == ("cloud", Rate(requests=60), Breaker(failures=0))
    assert (job.concurrency, fetch.rate.requests) == (3, 5)
    provider = Provider(concurrency=2, rate=Rate(requests=9, tokens=1000), breaker=Breaker(failures=2, pause=1.5))
    assert catalogue.providers == {"cloud": provider}
    rules = catalogue.rules
    assert (rules.breaker, rules.most_failures, rules.stall) == (Breaker(failures=3), 25, 0.25)
    assert catalogue.notify == ("request", "reminder", "escalated", "breaker", "stalled", "halted", "compensation")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("rate: 60/min", "rate: 60", ":4:"),
        ("breaker: {failures: 2, pause: 1.5}", "breaker: {failures: 20, window: 3}", "20 failures of the last 3"),
        ("concurrency: 2", "concurrency: none", "concurrency is a whole number above 0"),
        ("stall: 0.25", "stall: 7", "stall is a share of the budget"),
        ("most_failures: 25", "most_failures: many", "most_failures is a whole number"),
        ("provider: cloud", "provider: [cloud]", "provider is the name of one"),
        ("rules: {breaker: {failures: 3}", "rules: {breaker: sometimes", "a breaker is `off`, or a mapping"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(make: Make, old: str, new: str, told: str) -> None:
    place = make(TWO)
    assert old in WORKSPACE
    (place.folder / "workspace.yaml").write_text(WORKSPACE.replace(old, new))
    with pytest.raises(BadWorkspace) as caught:
        open_workspace(place.folder)
    assert told in str(caught.value)
    assert str(caught.value).startswith(str(place.folder / "workspace.yaml"))


def picture(state: RunState, width: int = 100, height: int = 20) -> str:
    return plain_text(layout(state, 1000.0, width, height))


def test_the_picture_of_a_run_tells_holds_and_the_pause() -> None:
    state = RunState(run="r", goal="go", at=1000.0, paused="lunch")
    state = held(state, BreakerOpened(agent="a", until=1030.0, why="it fails"))
    state = held(state, AgentHeld(agent="provider:cloud", until=1005.0, why="its rate is 5 requests a minute"))
    told = picture(state)
    assert "! paused: lunch; go on: stretto resume r" in told
    assert "! agent a is held for 30 s: it fails" in told
    assert "! provider cloud is held for 5.0 s: its rate is 5 requests a minute" in told
    for height in range(1, 20):
        assert len(picture(state, 30, height).splitlines()) <= height


def test_a_probe_and_many_holds_are_told_in_few_lines() -> None:
    state = RunState(run="r", goal="go", at=1000.0)
    for number in range(9):
        state = held(state, AgentHeld(agent=f"a{number}", until=1030.0, why="full"))
    assert "6 more are held" in picture(state)
    probed = RunState(run="r", goal="go", holds=state.holds.set("a0", Hold(until=None, why="it fails", probing=True)))
    assert "agent a0 is probed by one attempt: it fails" in picture(probed)


def test_agents_tells_what_holds_for_an_agent_as_a_whole(make: Make) -> None:
    place = make(TWO)
    (place.folder / "workspace.yaml").write_text(WORKSPACE)
    told = place.look("agents").out
    assert "  at most $0.5 an attempt; provider cloud; at most 60 requests a minute; 3 at once; never held\n" in told


def test_a_workspace_s_webhook_hears_of_requests_and_of_the_end_each_once(make: Make) -> None:
    place = make("tasks: {ask: {skill: job.ask}}\ndeliver: {ref: ask.output}\n")
    with HookServer() as server:
        channel = f"\nnotify:\n  - {{webhook: 'http://127.0.0.1:{server.port}/x', on: [request, ended]}}\n"
        with (place.folder / "workspace.yaml").open("a") as file:
            file.write(channel)
        assert place.stretto("run").code == 4
        place.look("answer", "last", "blue")
        assert place.stretto("resume", "last").code == 0
        assert place.stretto("resume", "last").code == 0
    heard = [json.loads(post.body) for post in server.posts]
    assert [one["kind"] for one in heard] == ["request", "ended"]
    assert [one["text"] for one in heard] == [
        "ask waits for a person: which colour?",
        "the run is finished: 1 of 1 tasks done",
    ]


def test_a_missing_secret_of_a_channel_is_told_before_anything_runs(make: Make) -> None:
    place = make(TWO)
    with (place.folder / "workspace.yaml").open("a") as file:
        file.write("\nnotify:\n  - {webhook: 'https://example.org/x', secret_env: NO_SUCH_VARIABLE}\n")
    ran = place.stretto("run")
    assert (ran.code, "no variable NO_SUCH_VARIABLE" in ran.err) == (2, True)
    assert place.look("runs").out.strip() in ("no runs yet", "")
