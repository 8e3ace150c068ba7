"""Whatever is wrong is told in one clear message with what, where and how to mend; never a traceback."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.program import Place, cold, look, stretto

Make = Callable[[str], Place]

ECHO = "tasks: {a: {skill: job.echo, inputs: {text: hello}}}\ndeliver: {ref: a.output}\n"
FILES = """
inputs: {files: {kind: files}, folder: {kind: folder, default: null}, word: {default: x}}
tasks: {a: {skill: job.echo, for_each: {ref: inputs.files}, inputs: {text: {ref: item}}}}
deliver: {ref: a.output}
"""
LONG = "a" * 5000
UNSPEAKABLE = "\udcff\udcfe"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", ""], "the goal is empty; say in a sentence what you want done"),
        (["run", "  \n "], "the goal is empty"),
        (["run", "-w", "nowhere"], "/nowhere` makes a workspace"),
        (["run", "-w", "agents"], "agents is no workspace, it has no workspace.yaml; `stretto init agents` makes one"),
        (["run", "-w", LONG], "File name too long"),
        (["run", "-w", UNSPEAKABLE], "there is no folder"),
        (["run", "--plan", "nix"], "there is no plan 'nix' in "),
        (["run", "--plan", LONG], "File name too long"),
        (["run", "--input", "x"], "--input 'x' names no input of the plan; it has none, given as NAME=VALUE"),
        (["run", "--budget", "much"], "'much' is no budget; write it like '$2', '100k tokens', '30 steps'"),
        (["run", "--budget", "-1"], "'-1' is no budget"),
        (["run", "--deadline", "soon"], "'soon' is no length of time; write it like 90s, 10m, 1h30m or 2d"),
        (["run", "--deadline", "2020-01-01"], "the deadline 2020-01-01 has passed already"),
        (["run", "--deadline", "0s"], "a length of time is more than 0 seconds"),
        (["run", "--approve", "maybe"], "--approve is ask, all or none, not 'maybe'"),
        (["run", "--output", "workspace.yaml"], "--output workspace.yaml is a file; name a folder"),
        (["run", "--output", LONG], "name another folder with --output"),
        (["run", "--store", "agents"], "the store agents is a folder; name another file with --store"),
        (["run", "--store", "plan.yaml"], "the store plan.yaml is a file of something else"),
        (["run", "--store", f"{LONG}/x"], "File name too long; name another file with --store"),
        (["resume", "last"], "there is no "),
        (["show", "last", "--store", "nix.db"], "there is no store nix.db yet; a first run makes it"),
        (["runs", "-w", "nowhere"], "makes a workspace"),
        (["watch", "last", "--store", "agents"], "the store agents is a folder"),
        (["cancel", "last"], "there is no "),
        (["answer", "last", "yes"], "there is no "),
        (["approve", "last", "--edit", "nix.json"], "nix.json: No such file or directory"),
        (["plan", "--file", "nix.yaml"], "there is no file nix.yaml"),
        (["plan", "--file", LONG], "File name too long"),
        (["plan", "--budget", "much"], "'much' is no budget"),
        (["agents", "-w", "nowhere"], "there is no folder nowhere"),
        (["init", "."], "is not empty, and nothing was written; name a new folder: stretto init FOLDER"),
        (["init", "plan.yaml"], "is not empty"),
        (["init", LONG], "File name too long"),
        (["init", "plan.yaml/x"], "Not a directory"),
        (["runs", "--limit", "0"], "--limit"),
        (["frob"], "No such command 'frob'"),
        (["run", "--frob"], "No such option: --frob"),
        (["run", "a", "b"], "unexpected extra argument"),
        (["show"], "Missing argument 'RUN'"),
    ],
)
def test_what_cannot_be_is_a_usage_error_before_anything_is_stored(make: Make, words: list[str], says: str) -> None:
    place = make(ECHO)
    refused = place.look(*words)
    assert refused.code == 2
    assert says in refused.err
    assert refused.out == ""
    assert "Traceback" not in refused.err
    assert place.look("runs").code == 2 or "no runs yet" in place.look("runs").out


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing", "the input 'files': there is no "),
        ("empty-folder", "the input 'files': there is no file in the folder "),
        (LONG, "File name too long"),
        (UNSPEAKABLE, "the input 'files': there is no "),
    ],
)
def test_an_input_that_is_not_there_is_told(make: Make, name: str, says: str) -> None:
    place = make(FILES)
    (place.folder / "empty-folder").mkdir()
    refused = place.look("run", "--input", name)
    assert refused.code == 2
    assert says in refused.err
    assert "Traceback" not in refused.err


def test_inputs_of_the_wrong_kind_and_number_are_told(make: Make) -> None:
    place = make(FILES)
    for given, says in (
        (["folder=plan.yaml", "files=plan.yaml"], "the input 'folder' wants a folder: "),
        (["folder=agents", "folder=agents", "files=plan.yaml"], "the input 'folder' takes one path, not 2"),
        ([], "the plan needs the input 'files' (files); give it with --input files=..."),
        (["nix=3"], "--input 'nix=3' names no input of the plan; it has files, folder, word"),
    ):
        refused = place.look("run", *(word for one in given for word in ("--input", one)))
        assert refused.code == 2
        assert says in refused.err


@pytest.mark.skipif(os.geteuid() == 0, reason="everything is readable to root")
def test_what_may_not_be_read_is_told(make: Make) -> None:
    place = make(ECHO)
    (place.folder / "workspace.yaml").chmod(0)
    refused = place.look("run")
    assert (refused.code, "Permission denied" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [broken", "workspace.yaml:"),
        ("name: x\nagents:\n  - nobody\n", "workspace.yaml:3:5: no agent 'nobody' ships with Stretto; it has "),
        ("name: x\nagents:\n  - agents/nix.py\n", "workspace.yaml:3:5: there is no file "),
        ("name: x\nfrob: 1\n", "workspace.yaml:2:1: a workspace has no field 'frob'; known: name, "),
        ("name: x\nrules: {parallel: many}\n", "workspace.yaml:2:9: parallel is a number above 0, not 'many'"),
        ("name: x\nbudget: much\n", "workspace.yaml:2:1: 'much' is no budget; write it like "),
        ("name: x\nname: y\n", "workspace.yaml:2:1: error: the key 'name' is there twice"),
        ("- a\n", "workspace.yaml:1:1: a workspace is a mapping; begin with `name:`"),
        ("", "a workspace is a mapping; begin with `name:`"),
        ("name: x\n\tgoal: tab\n", "workspace.yaml:2:1: error: not YAML"),
    ],
)
def test_a_broken_workspace_is_told_with_file_line_and_column(make: Make, text: str, says: str) -> None:
    place = make(ECHO)
    (place.folder / "workspace.yaml").write_text(text)
    refused = place.look("run", "go")
    assert refused.code == 2
    assert says in refused.err
    assert "Traceback" not in refused.err


def test_binary_and_gigantic_files_are_refused_quickly(make: Make) -> None:
    place = make(ECHO)
    (place.folder / "binary.yaml").write_bytes(bytes(range(256)) * 100)
    with (place.folder / "huge.yaml").open("wb") as huge:
        huge.truncate(5 << 30)
    for name, says in (("binary.yaml", "not UTF-8"), ("huge.yaml", "[too-large]"), ("agents", "Is a directory")):
        refused = place.look("plan", "--file", name)
        assert refused.code == 1
        assert says in refused.err
        assert "Traceback" not in refused.err
    (place.folder / "huge.yaml").rename(place.folder / "workspace.yaml")
    assert "[too-large]" in place.look("agents").err


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import nowhere_to_be_found\n", "agents/job.py:1: ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("x = 1\n1 / 0\n", "agents/job.py:2: ZeroDivisionError: division by zero"),
        ("def f(:\n    pass\n", "agents/job.py:1:7: invalid syntax"),
        ("import sys\nsys.exit(3)\n", "ends the program while it is loaded: exit 3"),
        ("x = 1\n", "job.py defines no public function that could be a skill"),
        ("def f(*many): ...\n", "can only be given by position; make it a plain parameter"),
        ("def f(a: 'Nowhere'): ...\n", "name 'Nowhere' is not defined; import the names they use"),
        ("\x00", "agents/job.py"),
        ("raise KeyboardInterrupt\n", ""),
    ],
)
def test_an_agents_file_that_cannot_be_loaded_is_told_with_its_place(make: Make, code: str, says: str) -> None:
    place = make(ECHO)
    (place.folder / "agents" / "job.py").write_text(code)
    for words in (["run"], ["agents"], ["plan"]):
        refused = place.look(*words)
        assert refused.code == (130 if "Keyboard" in code else 2)
        assert says in refused.err
        assert "Traceback" not in refused.err


def test_a_plan_that_does_not_pass_its_check_is_refused_with_the_place_before_anything_is_stored(make: Make) -> None:
    place = make("tasks:\n  a: {skill: job.ecko, inputs: {text: x}}\n  b: {skill: job.echo}\n")
    for words, code in ((["run"], 2), (["plan"], 1)):
        refused = place.look(*words)
        assert refused.code == code
        assert "plan.yaml:2:7 (tasks.a.skill): error: " in refused.err
        assert "[unknown-skill]" in refused.err
        assert "[missing-input]" in refused.err
    assert place.look("runs").code == 2


def test_a_goal_that_nobody_here_can_pursue_fails_with_the_reason(tmp_path: Path) -> None:
    failed = stretto("run", "zzz qqq", "--json", cwd=tmp_path)
    assert (failed.code, failed.json["status"]) == (1, "failed")
    assert "nobody here can do 'zzz qqq'" in failed.json["gaps"][0]["why"]


def test_odd_ids_of_runs_are_unknown(make: Make) -> None:
    place = make(ECHO)
    assert place.stretto("run").code == place.stretto("run").code == 0
    for run in ("nix", "%", "_", "*", "'", UNSPEAKABLE, "🔍", LONG):
        refused = place.look("show", run)
        assert refused.code == 2
        assert "there is no run " in refused.err
    assert "more than one run begins with '2'; give more of its id" in place.look("show", "2").err


def test_a_store_that_is_no_store_any_more_is_told(make: Make) -> None:
    place = make(ECHO)
    assert place.stretto("run").code == 0
    store = place.folder / ".stretto" / "runs.db"
    store.write_bytes(store.read_bytes()[:100] + b"\xff" * 8000)
    for words in (["runs"], ["show", "last"], ["resume", "last"]):
        refused = place.stretto(*words)
        assert refused.code == 1
        assert "cannot use the store" in refused.err
        assert "Traceback" not in refused.err


def test_without_a_workspace_the_commands_say_how_to_get_one(tmp_path: Path) -> None:
    for words, says in (
        (["run"], "-w FOLDER"),
        (["plan"], "-w"),
        (["resume", "last"], "there is no store"),
        (["runs"], "there is no store"),
        (["show", "last"], "there is no store"),
    ):
        refused = look(*words, cwd=tmp_path)
        assert refused.code == 2
        assert says in refused.err
        assert not list(tmp_path.iterdir())
    assert look("agents", cwd=tmp_path).code == 0, "those that ship with Stretto"


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    refused = cold("run", cwd=gone, preexec_fn=gone.rmdir)
    assert refused.code == 2
    assert "Traceback" not in refused.err
