"""The live view in a real terminal: real runs, watched, asked, interrupted."""

from pathlib import Path

import pytest

from tests.cli.terminal import stretto, terminal

AGENTS = '''
import asyncio, os, subprocess
from pathlib import Path
from stretto import agent, pure

HERE = Path(__file__).parent

async def gate(name):
    for _ in range(3000):
        if (HERE / name).exists():
            return
        await asyncio.sleep(0.01)

@pure
async def gather(item: str) -> str:
    """Gather one thing."""
    await gate(f"open-{item}")
    return item

@pure
def noisy(text: str) -> str:
    """Say things that no terminal should obey, itself and through a program."""
    print("said \\x1b]0;evil\\x07 aloud")
    subprocess.run(["printf", "child \\\\033[2J said\\\\n"])
    return text

@pure
def failing(text: str) -> str:
    """Fail."""
    raise RuntimeError("the disk is \\x1b[31mfull")

@agent(effect="irreversible")
def publish(parts: list) -> str:
    """Publish it."""
    (HERE / "published").write_text(",".join(parts))
    return ", ".join(parts)
'''
PLAN = """
tasks:
  gather:
    objective: gather every thing
    skill: work.gather
    for_each: {items: [one, two]}
    inputs: {item: {ref: item}}
  publish:
    objective: publish what was gathered
    skill: work.publish
    inputs: {parts: {ref: gather.output}}
deliver: {ref: publish.output}
"""
NOISE = """
tasks:
  talk: {skill: work.noisy, inputs: {text: hello}}
  fall: {skill: work.failing, inputs: {text: hello}}
  after: {skill: work.noisy, inputs: {text: {ref: fall.output}}}
deliver: {ref: talk.output}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "team"
    (folder / "agents").mkdir(parents=True)
    (folder / "plans").mkdir()
    (folder / "agents" / "work.py").write_text(AGENTS)
    (folder / "plans" / "all.yaml").write_text(PLAN)
    (folder / "plans" / "noise.yaml").write_text(NOISE)
    (folder / "workspace.yaml").write_text(
        "name: team\ngoal: Gather things\nagents: [agents/work.py]\nplan: plans/all.yaml\n"
    )
    return folder


def let(workspace: Path, *items: str) -> None:
    """Let tasks that wait at their gates go on."""
    for item in items:
        (workspace / "agents" / f"open-{item}").touch()


def test_a_run_shows_its_graph_asks_in_place_and_leaves_the_last_picture(workspace: Path) -> None:
    with terminal("run", "-w", workspace) as run:
        run.until("Gather things", "▸ gather[2]", "2 running", "publish", "waits for gather")
        let(workspace, "one")
        run.until("1 done, 1 running")
        let(workspace, "two")
        asked = run.until("it cannot be undone", "[a]pprove")
        assert '"one"' in asked
        assert "gather[2]" not in asked, "the picture makes room for the question"
        run.type("a\n")
        assert run.ended() == 0
        left = run.screen.text
        assert left.count("Gather things") == 1
        assert "✓ gather[2]" in left
        assert "✓   publish" in left
        assert "finished after" in left
        assert "one, two" in left
        assert run.screen.cursor


def test_an_answer_typed_before_the_question_was_there_does_not_count(workspace: Path) -> None:
    with terminal("run", "-w", workspace) as run:
        run.until("2 running")
        run.type("a\na\n")
        let(workspace, "one", "two")
        run.until("[a]pprove")
        run.type("d\n")
        run.until("reason:")
        run.type("not today\n")
        assert run.ended() == 3
        assert not (workspace / "agents" / "published").exists()


def test_others_watch_and_a_watcher_that_leaves_does_nothing_to_the_run(workspace: Path) -> None:
    with terminal("run", "-w", workspace) as run:
        run.until("2 running")
        with terminal("watch", "last", "-w", workspace) as first, terminal("watch", "last", "-w", workspace) as second:
            first.until("▸ gather[2]", "waits for gather")
            second.until("▸ gather[2]")
            second.interrupt()
            assert second.ended() == 130
            assert "no longer watching" in second.screen.text
            let(workspace, "one", "two")
            first.until("1 waiting for you", "stretto approve", "publish -w")
            run.until("[a]pprove")
            assert stretto("approve", "last", "-w", workspace).returncode == 0
            assert first.ended() == 0
            assert "✓   publish" in first.screen.text
        assert run.ended() == 0
        assert "answered elsewhere" in run.screen.text


def test_watching_an_ended_run_shows_its_last_picture_and_exits_as_the_run_did(workspace: Path) -> None:
    let(workspace, "one", "two")
    assert stretto("run", "-w", workspace, "--approve", "none").returncode == 3
    with terminal("watch", "last", "-w", workspace) as watch:
        assert watch.ended() == 3
        assert "✗   publish" in watch.screen.text
        assert watch.screen.text.count("Gather things") == 1
    assert stretto("watch", "last", "-w", workspace).returncode == 3


def test_a_run_that_nobody_drives_is_said_to_be_one(workspace: Path) -> None:
    let(workspace, "one", "two")
    assert stretto("run", "-w", workspace, "--no-wait").returncode == 4
    with terminal("watch", "last", "-w", workspace) as watch:
        watch.until("nobody drives this run", "stretto resume")
        watch.interrupt()
        assert watch.ended() == 130


def test_an_interrupted_run_leaves_its_picture_and_says_how_to_go_on(workspace: Path) -> None:
    with terminal("run", "-w", workspace) as run:
        run.until("2 running")
        run.interrupt()
        assert run.ended() == 130
        assert "▸ gather[2]" in run.screen.text
        assert "stretto resume" in run.screen.text
        assert run.screen.cursor


def test_what_agents_and_their_programs_print_stands_above_the_picture_and_obeys_nobody(workspace: Path) -> None:
    with terminal("run", "-w", workspace, "--plan", "noise") as run:
        assert run.ended() == 3
        left = run.screen.text
        assert "said �]0;evil� aloud" in left
        assert "child �[2J said" in left
        assert "✗ fall" in left
        assert "error: RuntimeError: the disk is �[31mfull" in left
        assert left.index("said") < left.rindex("✓ talk")


@pytest.mark.parametrize(("columns", "rows"), [(40, 10), (30, 6), (200, 50)])
def test_small_and_large_terminals_show_what_fits(workspace: Path, columns: int, rows: int) -> None:
    with terminal("run", "-w", workspace, "--approve", "all", columns=columns, rows=rows) as run:
        run.until("gather[2]")
        let(workspace, "one", "two")
        assert run.ended() == 0
        assert "✓ gather[2]" in run.screen.text


def test_a_terminal_may_change_its_size(workspace: Path) -> None:
    with terminal("run", "-w", workspace, "--approve", "all", columns=90) as run:
        run.until("waits for gather")
        run.resize(120, 30)
        let(workspace, "one")
        run.until("1 done, 1 running")
        let(workspace, "two")
        assert run.ended() == 0
        assert run.screen.text.count("Gather things") == 1


def test_no_color_means_no_colour_and_signs_tell_enough(workspace: Path) -> None:
    let(workspace, "one", "two")
    with terminal("run", "-w", workspace, "--approve", "all", NO_COLOR="1") as run:
        assert run.ended() == 0
        assert run.screen.colours == 0
        assert "✓ gather[2]" in run.screen.text
    with terminal("run", "-w", workspace, "--approve", "all") as run:
        assert run.ended() == 0
        assert run.screen.colours > 0


@pytest.mark.parametrize("words", [{"TERM": "dumb"}, {}])
def test_terminals_without_a_cursor_and_those_who_ask_get_plain_lines(workspace: Path, words: dict[str, str]) -> None:
    let(workspace, "one", "two")
    plain = () if words else ("--plain",)
    with terminal("run", "-w", workspace, "--approve", "all", *plain, **words) as run:
        assert run.ended() == 0
        assert "\x1b" not in run.seen
        assert "✓ publish" in run.screen.text


def test_without_a_terminal_there_are_plain_lines_and_no_codes(workspace: Path) -> None:
    let(workspace, "one", "two")
    done = stretto("run", "-w", workspace, "--approve", "all")
    assert done.returncode == 0
    assert "✓ publish" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "one, two" in done.stdout
    watched = stretto("watch", "last", "-w", workspace)
    assert watched.returncode == 0
    assert "✓ publish" in watched.stderr
    assert "\x1b" not in watched.stdout + watched.stderr


def test_quiet_leaves_the_result_alone(workspace: Path) -> None:
    let(workspace, "one", "two")
    done = stretto("run", "-w", workspace, "--approve", "all", "--quiet")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "one, two" in done.stdout
    with terminal("run", "-w", workspace, "-q") as run:
        run.until("[a]pprove")
        run.type("a\n")
        assert run.ended() == 0
        assert "gather[2]" not in run.seen


def test_show_and_runs_tell_who_did_what_and_why(workspace: Path) -> None:
    assert stretto("run", "-w", workspace, "--plan", "noise").returncode == 3
    shown = stretto("show", "last", "-w", workspace).stdout
    assert "✓ talk" in shown
    assert "only agent with work.noisy" in shown
    assert "it needs 'fall'" in shown or "fall" in shown.partition("after")[2]
    assert "\x1b" not in shown
    listed = stretto("runs", "-w", workspace).stdout
    assert "partial" in listed
    assert "Gather things" in listed
    with terminal("show", "last", "-w", workspace, columns=60) as show:
        assert show.ended() == 0
        assert all(len(line) <= 60 for line in show.screen.lines)


def test_a_run_that_is_taken_over_is_shown_from_where_it_stands(workspace: Path) -> None:
    with terminal("run", "-w", workspace) as run:
        run.until("2 running")
        run.process.kill()
        run.ended()
    with terminal("resume", "last", "-w", workspace, "--approve", "all") as resumed:
        resumed.until("Gather things", "▸ gather[2]", "2 running")
        let(workspace, "one", "two")
        assert resumed.ended() == 0
        assert "✓   publish" in resumed.screen.text


def test_a_timeline_shows_when_what_ran_and_for_whom_it_waited(workspace: Path) -> None:
    let(workspace, "one", "two")
    assert stretto("run", "-w", workspace, "--no-wait").returncode == 4
    assert stretto("approve", "last", "-w", workspace).returncode == 0
    assert stretto("resume", "last", "-w", workspace).returncode == 0
    shown = stretto("show", "last", "-w", workspace, "--timeline").stdout
    row = {line.split()[0]: line for line in shown.splitlines() if line}
    assert "━" in row["gather[0]"]
    assert "░" in row["publish"]
    assert "1 handoff: median" in shown
    assert "waited for people" in shown
